# Sourced: installs what the Python client needs and makes its stubs. Sets PARLOR_PYTHON and PYTHONPATH.
#
# A second run finds the packages there and needs no network.
here_python=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root_python=$(cd "$here_python/../../.." && pwd)
tools_python=${PARLOR_TOOLS:-$root_python/tools}/python
PARLOR_PYTHON=$tools_python/venv/bin/python

if ! cmp -s "$here_python/requirements.txt" "$tools_python/installed.txt"; then
    echo "installing the Python packages into $tools_python"
    python3 -m venv --clear "$tools_python/venv"
    "$PARLOR_PYTHON" -m pip install --quiet --disable-pip-version-check --requirement "$here_python/requirements.txt"
    cp "$here_python/requirements.txt" "$tools_python/installed.txt"
fi

# What only services call is not compiled: a client needs nothing of it.
mapfile -t protos < <(cd "$root_python/proto" && find parlor -name '*.proto' -not -path '*/internal/*')
rm -rf "$tools_python/stubs"
mkdir -p "$tools_python/stubs"
"$PARLOR_PYTHON" -m grpc_tools.protoc --proto_path="$root_python/proto" --python_out="$tools_python/stubs" \
    --pyi_out="$tools_python/stubs" --grpc_python_out="$tools_python/stubs" "${protos[@]}"

export PARLOR_PYTHON PYTHONPATH="$tools_python/stubs:$here_python"
# The connections that break here are meant to; gRPC need not report them.
export GRPC_VERBOSITY=${GRPC_VERBOSITY:-NONE}

# Sourced: installs what the Node client needs, makes its stubs and checks its types. Sets PARLOR_TSX.
#
# A second run finds the packages there and needs no network.
here_node=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools_node=${PARLOR_TOOLS:-$here_node/../../../tools}/node
mkdir -p "$tools_node"
tools_node=$(cd "$tools_node" && pwd)

if ! cmp -s "$here_node/package-lock.json" "$tools_node/installed.json"; then
    echo "installing the Node packages into $tools_node"
    cp "$here_node/package.json" "$here_node/package-lock.json" "$tools_node/"
    npm ci --prefix "$tools_node" --ignore-scripts --no-audit --no-fund --loglevel=error
    cp "$here_node/package-lock.json" "$tools_node/installed.json"
fi
# Modules are looked for beside the sources.
ln -sfn "$tools_node/node_modules" "$here_node/node_modules"

PARLOR_TSX=$tools_node/node_modules/.bin/tsx
(
    cd "$here_node"
    PATH=$tools_node/node_modules/.bin:$PATH
    # What only services call is not compiled: a client needs nothing of it.
    mapfile -t protos < <(cd ../../../proto && find parlor -name '*.proto' -not -path '*/internal/*')
    rm -rf gen
    mkdir gen
    protoc --proto_path=../../../proto --proto_path=proto --es_out=gen --es_opt=target=ts,import_extension=js \
        "${protos[@]}" google/rpc/error_details.proto
    tsc
)
export PARLOR_TSX

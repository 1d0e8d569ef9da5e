#!/usr/bin/env bash
# Four people with four different clients, a network that fails and a server that is killed; then all compare notes.
#
#   examples/four-clients/run.sh            builds the server and the terminal client, and plays
#   examples/four-clients/run.sh --release  the same with the release build
#
# Needs python3 and node besides Rust; what it installs goes to tools/ of the checkout, or to PARLOR_TOOLS. Exits with 0
# if all four hold the same messages in the same order, each once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
profile=debug
[[ ${1:-} == --release ]] && profile=release

for program in cargo python3 node; do
    command -v "$program" >/dev/null || { echo "this example needs $program" >&2; exit 2; }
done

cd "$root"
cargo build --locked --quiet --package parlor-server --package parlor-cli $([[ $profile == release ]] && echo --release)
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
export PARLOR_SERVER_BIN=$target/$profile/parlor-server PARLOR_CLI_BIN=$target/$profile/parlor

. tests/interop/python/prepare.sh
. tests/interop/node/prepare.sh
exec "$PARLOR_PYTHON" -B "$here/story.py"

#!/usr/bin/env bash
# A photo with the place it was taken at goes from one terminal to another over a connection that is cut on the way.
#
#   examples/photo/run.sh            builds the server and the terminal client, and plays
#   examples/photo/run.sh --release  the same with the release build
#
# Needs python3 besides Rust, and none of its packages. Exits with 0 if the picture arrived whole, the thumbnail before it,
# and no byte on the server tells where it was taken.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
profile=debug
[[ ${1:-} == --release ]] && profile=release

for program in cargo python3; do
    command -v "$program" >/dev/null || { echo "this example needs $program" >&2; exit 2; }
done

cd "$root"
cargo build --locked --quiet --package parlor-server --package parlor-cli --package parlor-tests --bin parlor-server \
    --bin parlor --bin parlor-photo $([[ $profile == release ]] && echo --release)
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
export PARLOR_SERVER_BIN=$target/$profile/parlor-server PARLOR_CLI_BIN=$target/$profile/parlor
export PARLOR_PHOTO_BIN=$target/$profile/parlor-photo PYTHONPATH=$root/tests/interop/python

exec python3 -B "$here/story.py"

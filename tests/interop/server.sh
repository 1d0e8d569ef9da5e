# Sourced: sets PARLOR_SERVER_BIN to a server that can be started, building it if there is none.
root_server=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

if [[ -z ${PARLOR_SERVER_BIN:-} ]]; then
    target=$(cd "$root_server" && cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    PARLOR_SERVER_BIN=$target/debug/parlor-server
    (cd "$root_server" && cargo build --locked --quiet --package parlor-server)
fi
[[ -x $PARLOR_SERVER_BIN ]] || { echo "no server at $PARLOR_SERVER_BIN" >&2; exit 1; }
export PARLOR_SERVER_BIN

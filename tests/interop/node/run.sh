#!/usr/bin/env bash
# Runs the Node client over gRPC-Web against a real server: makes the stubs from proto/, then plays the scenario.
#
# PARLOR_SERVER_BIN  the server to start; built with cargo if it is not given
# PARLOR_TOOLS       where what has to be installed goes; tools/ of the checkout by default
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

. "$here/prepare.sh"
. "$here/../server.sh"
exec "$PARLOR_TSX" "$here/src/scenario/main.ts"

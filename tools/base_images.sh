#!/bin/sh
# Refuse a release whose base image is named by a tag alone: a tag can be moved, a digest cannot.
# BASE_IMAGE of the environment, or else the default that stands in the Dockerfile.
set -eu
cd "$(dirname "$0")/.."
base=${BASE_IMAGE:-$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)}
case $base in
    *@sha256:????????????????????????????????????????????????????????????????) ;;
    *)
        echo "base image '$base' is not pinned: give BASE_IMAGE=name:tag@sha256:… (64 digits), as" >&2
        echo "  docker buildx imagetools inspect $base --format '{{.Manifest.Digest}}' tells it" >&2
        exit 1
        ;;
esac
if printf %s "${base##*@sha256:}" | grep -q '[^0-9a-f]'; then
    echo "base image '$base': the digest is no hexadecimal number" >&2
    exit 1
fi
others=$(sed -n 's/^FROM \([^ ]*\).*/\1/p' Dockerfile | grep -vx '\$BASE_IMAGE\|\${BASE_IMAGE}' || true)
if [ -n "$others" ]; then
    echo "Dockerfile: FROM $others does not go by BASE_IMAGE" >&2
    exit 1
fi

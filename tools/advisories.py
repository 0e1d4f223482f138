"""Ask whether a package index tells advisories: ``python tools/advisories.py https://pypi.org``; exit code 1 says why not.

A mirror that serves packages alone would make an audit that finds nothing, and says so.
"""

from __future__ import annotations

import json
import sys
import urllib.request

_ASKED = "/pypi/pip/24.0/json"
_SECONDS = 10


def why_not(index: str) -> str:
    """Return why an index tells no advisories, empty where it does."""
    if not index.startswith(("https://", "http://")):
        return "that is no web address"
    try:
        with urllib.request.urlopen(index + _ASKED, timeout=_SECONDS) as answer:  # noqa: S310 # nosec B310 - checked above
            told = json.load(answer)
    except (OSError, ValueError) as error:
        return str(error)[:200]
    return (
        "" if isinstance(told, dict) and "vulnerabilities" in told else "its answer names no vulnerabilities"
    )


if __name__ == "__main__":
    why = why_not(sys.argv[1].rstrip("/"))
    if why:
        sys.stderr.write(f"{why}\n")
    sys.exit(bool(why))

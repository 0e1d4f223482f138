"""Ask whether pip-audit is told advisories here: ``python tools/advisories.py PROGRAM``; exit code 1 says why not.

It is asked about a release that has had advisories for years. A mirror that serves packages alone knows none, and would
make an audit that finds nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

_KNOWN = "jinja2==2.4.1\n"
_SECONDS = 60


def why_not(program: str) -> str:
    """Return why pip-audit is told no advisories, empty where it is."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "requirements.txt"
        asked.write_text(_KNOWN)
        words = [program, "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
        try:
            answer = subprocess.run(  # noqa: S603 - the program that the caller names is the one to ask
                [*words, "--requirement", str(asked)],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
            [told] = json.loads(answer.stdout)["dependencies"]
        except subprocess.TimeoutExpired:
            return f"no answer within {_SECONDS} s"
        except OSError as error:
            return str(error)[:200]
        except (ValueError, KeyError, TypeError):
            return (answer.stderr.strip() or "its answer could not be read").splitlines()[-1][:200]
    return "" if told.get("vulns") else f"it knows of none for {_KNOWN.strip()}"


if __name__ == "__main__":
    why = why_not(sys.argv[1])
    if why:
        sys.stderr.write(f"{why}\n")
    sys.exit(bool(why))

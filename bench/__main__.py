"""``python -m bench [names]``: runs the benches, each in a process of its own, and reports which limits are missed.

Each bench prints its figures as JSON lines ``{"name", "value", "unit", "limit", "ok"}``; they are passed on as they
come, and a table for reading follows on standard error. Exit code 1 where a limit is missed or a bench fails.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ORDER = ("process", "webhooks", "first_post", "triage")
"""These first, in this order; every other bench after them."""
HELPERS = frozenset({"figures", "harness", "load", "probe", "simulated", "slow"})


def benches() -> list[str]:
    """Return the names of the benches."""
    found = {path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_")} - HELPERS
    return [*(name for name in ORDER if name in found), *sorted(found - set(ORDER))]


def run(name: str) -> tuple[list[dict[str, Any]], bool]:
    """Run one bench; returns its figures and whether all is well."""
    figures: list[dict[str, Any]] = []
    command = [sys.executable, "-m", f"bench.{name}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("{"):
                figures.append(json.loads(line))
    return figures, process.returncode == 0


def table(figures: list[dict[str, Any]]) -> str:
    """Return the figures for reading."""
    rows = [("figure", "value", "limit", "")]
    for figure in figures:
        limit = "" if figure["limit"] is None else f"{figure['limit']:g}"
        rows.append(
            (
                figure["name"],
                f"{figure['value']:,.3f} {figure['unit']}",
                limit,
                "" if figure["ok"] else "missed",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip()
        for row in rows
    )


def main(names: list[str]) -> int:
    """Run the named benches, all of them without a name."""
    known = benches()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no bench called {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    figures: list[dict[str, Any]] = []
    failed = []
    for name in names or known:
        print(f"# {name}", file=sys.stderr)
        found, good = run(name)
        figures += found
        if not good and all(figure["ok"] for figure in found):
            failed.append(name)
    print(f"\n{table(figures)}", file=sys.stderr)
    for name in failed:
        print(f"bench {name} failed", file=sys.stderr)
    return 1 if failed or not all(figure["ok"] for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

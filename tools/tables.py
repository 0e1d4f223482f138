"""Writes the tables of the docs that are made from the code: ``python -m tools.tables`` (``--check`` only compares).

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``; whoever edits it by hand loses the edit.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from handlers.slack.command_catalogue import COMMANDS
from tools.configuration import desk_table, settings_table
from tools.packages import mermaid
from triage.actions.catalogue import CATALOGUE
from triage.kpis.catalogue import CHECKLIST

ROOT = Path(__file__).parents[1]
_PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def actions_table() -> str:
    """Return the catalogue of actions as a Markdown table."""
    rows = [
        f"| {action.kind} | {action.label} | {action.target_kind} | {action.description} |"
        for action in CATALOGUE.values()
    ]
    return _table("kind | button | target | what for", rows)


def commands_table() -> str:
    """Return the commands of ``/triage`` as a Markdown table."""
    rows = [
        f"| `/triage {_cell(command.usage)}` | {_cell(command.description)} | {command.role or ''} |"
        for command in COMMANDS.values()
    ]
    return _table("command | what it does | asks for the role", rows)


def kpis_table() -> str:
    """Return the KPIs of the checklist as a Markdown table."""
    rows = [
        f"| `{each.name}` | {each.value} | {each.passes} | {each.remarks} |" for each in CHECKLIST.values()
    ]
    return _table("name | value | passes when | remarks", rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(head: str, rows: list[str]) -> str:
    columns = head.count("|") + 1
    return "\n".join((f"| {head} |", "|" + " --- |" * columns, *rows)) + "\n"


TABLES: Mapping[str, Callable[[], str]] = {
    "actions": actions_table,
    "commands": commands_table,
    "kpis": kpis_table,
    "packages": mermaid,
    "settings": settings_table,
    "desk": desk_table,
}


def filled(text: str) -> str:
    """Return a document with its tables made anew. Raises KeyError for a table that nobody makes."""
    return _PLACE.sub(lambda place: f"{place[1]}{TABLES[place[2]]()}{place[3]}", text)


def stale() -> list[Path]:
    """Return the documents whose tables are not what the code says."""
    documents = (*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md")))
    return [
        path
        for path in documents
        if filled(path.read_text(encoding="utf-8")) != path.read_text(encoding="utf-8")
    ]


def main() -> int:
    """Write, or with ``--check`` compare. Returns 1 where a document is stale and was not written."""
    documents = stale()
    for path in documents:
        print(f"{path.relative_to(ROOT)}: tables are stale")  # noqa: T201 - a command's output
        if "--check" not in sys.argv:
            path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
    return int(bool(documents) and "--check" in sys.argv)


if __name__ == "__main__":
    raise SystemExit(main())

"""One name, one thing: a reader who searches for a class finds one."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "handlers", "triage", "schedules")


def test_no_public_class_name_stands_for_two_things() -> None:
    """Within the product; the demo's stand-ins are named for what they stand in for."""
    places = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(path.relative_to(ROOT).as_posix())
    assert places["Incident"] == ["triage/model.py"]
    assert {name: found for name, found in places.items() if len(found) > 1} == {}

"""One name, one thing: a reader who searches for a class finds one."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "handlers", "triage", "schedules")
EVERYWHERE = {"Answer", "Desk", "Outcome", "Stage"}
"""Names that stand for one thing in the demo and the benches, too."""


def test_no_class_name_stands_for_two_things() -> None:
    """Within the product, private or not; the demo's stand-ins are named for what they stand in for."""
    places = defaultdict(list)
    for package in (*PACKAGES, "demo", "bench", "tools"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and (
                    package in PACKAGES or node.name.lstrip("_") in EVERYWHERE
                ):
                    places[node.name.lstrip("_")].append(path.relative_to(ROOT).as_posix())
    assert places["Incident"] == ["triage/model.py"]
    assert {name: found for name, found in places.items() if len(found) > 1} == {}

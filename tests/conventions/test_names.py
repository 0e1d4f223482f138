"""One name, one thing: a reader who searches for a class finds one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "handlers", "triage", "schedules")
EVERYWHERE = {"Answer", "Desk", "Outcome", "Stage"}
"""Names that stand for one thing in the demo and the benches, too."""


DEMO = {
    "Delivery": "Slack's way to the app, and an Alertmanager's to a webhook",
    "Fault": "of the lab, of the Slack server, of the other stand-ins: each has an interface of its own",
    "Faults": "as above",
    "Group": "Prometheus' groups of rules, and Alertmanager's groups of alerts",
    "Token": "what Slack lets a program in by, and what a query is made of",
}
"""What two parts of the demo have a word of their own for."""


_CLASS = re.compile(r"^class _*(\w+)", re.MULTILINE)
"""How a class of a module begins, and maybe a line of a text: reading all modules as Python takes long."""


def classes_of(*packages: str) -> dict[str, list[str]]:
    """Return where each class of some packages stands, by its name without underscores."""
    places = defaultdict(list)
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            for name in _CLASS.findall(path.read_text(encoding="utf-8")):
                places[name].append(path.relative_to(ROOT).as_posix())
    return {name: _confirmed(name, found) if len(found) > 1 else found for name, found in places.items()}


def _confirmed(name: str, found: list[str]) -> list[str]:
    """Return those of some modules that have a class of that name, once for each."""
    return [
        path
        for path in dict.fromkeys(found)
        for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name.lstrip("_") == name
    ]


def test_no_class_name_stands_for_two_things() -> None:
    """Within the product, private or not; the demo's stand-ins are named for what they stand in for."""
    product, others = classes_of(*PACKAGES), classes_of("demo", "bench", "tools")
    assert product["Incident"] == ["triage/model.py"]
    places = {
        name: found + (others.get(name, []) if name in EVERYWHERE else []) for name, found in product.items()
    }
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
    assert {name: found for name, found in others.items() if name in EVERYWHERE and name not in product} == {}


def test_no_class_name_stands_for_two_things_of_the_demo() -> None:
    """But where the real systems themselves share a word."""
    assert {name for name, found in classes_of("demo").items() if len(found) > 1} == set(DEMO)

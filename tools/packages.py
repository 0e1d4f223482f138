"""The map: the packages and which of them imports which, drawn from the code's own imports."""

from __future__ import annotations

from pathlib import Path

import grimp

ROOTS = ("bot", "demo", "handlers", "schedules", "triage")
SPLIT = ("bot", "handlers", "triage")
"""These are shown by their folders; what stands loose in them is a package of its own."""
MODEL = frozenset(
    {"triage/desk_sections", "triage/masking", "triage/plans", "triage/ports", "triage/queries"}
)
"""The model of triage beside its loose modules: words, data and ports."""
EVERYWHERE = frozenset({"triage", "bot", "handlers"}) | MODEL
"""What every package may use: arrows to it would hide the others."""
WIRING = frozenset({"bot/wiring", "bot/commands", "bot/command_line"})
"""The composition root, which imports everything."""


def package_of(module: str) -> str:
    """Return the package a module is in: ``triage/incidents``, ``schedules``, or ``triage`` for what stands loose."""
    parts = module.split(".")
    if parts[0] not in SPLIT or len(parts) == 1 or not Path(*parts[:2]).is_dir():
        return parts[0]
    return "/".join(parts[:2])


def arrows() -> dict[str, set[str]]:
    """Return the packages that each package imports from at run time."""
    graph = grimp.build_graph(*ROOTS, exclude_type_checking_imports=True, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        here = package_of(module)
        imported = {package_of(other) for other in graph.find_modules_directly_imported_by(module)}
        found.setdefault(here, set()).update(imported - {here})
    return found


def mermaid() -> str:
    """Return the map as a Mermaid flowchart: an arrow goes to what is imported."""
    links = arrows()
    lines = ["```mermaid", "flowchart TD"]
    for root in SPLIT:
        inside = sorted(
            package for package in links if package.startswith(f"{root}/") and package not in EVERYWHERE
        )
        lines += [
            f"  subgraph {root}",
            *(f'    {_id(package)}["{package.split("/")[1]}"]' for package in inside),
            "  end",
        ]
    for package in sorted(set(links) - EVERYWHERE - WIRING):
        lines += [f"  {_id(package)} --> {_id(other)}" for other in sorted(links[package] - EVERYWHERE)]
    return "\n".join([*lines, "```", ""])


def _id(package: str) -> str:
    return package.replace("/", "_")

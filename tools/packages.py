"""The map: the packages and which of them imports which, drawn from the code's own imports."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
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


def cycles() -> list[str]:
    """Return what imports itself in a circle at run time, one line a circle; empty where nothing does.

    Asked of every package: of the modules and packages that stand directly in it, and of the packages themselves.
    """
    graph = grimp.build_graph(*ROOTS, exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    packages = ["", *sorted(module for module in graph.modules if graph.find_children(module))]
    found = (_cycle(imports, package) for package in packages)
    return [" -> ".join(cycle) for cycle in (_modules_cycle(imports), *found) if cycle]


def _modules_cycle(imports: Mapping[str, set[str]]) -> list[str]:
    return _first_cycle({module: others - {module} for module, others in imports.items()})


def _cycle(imports: Mapping[str, set[str]], package: str) -> list[str]:
    """Return a circle between the parts of a package, each taken as a whole."""
    inside = f"{package}." if package else ""
    depth = inside.count(".") + 1
    parts: dict[str, set[str]] = {}
    for module, others in imports.items():
        if module.startswith(inside):
            here = ".".join(module.split(".")[:depth])
            there = {".".join(other.split(".")[:depth]) for other in others if other.startswith(inside)}
            parts.setdefault(here, set()).update(there - {here})
    return _first_cycle(parts)


def _first_cycle(links: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(links).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


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

"""The map of the house: its rooms and which of them imports which, drawn from the code's own imports."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

ROOTS = ("bot", "demo", "handlers", "schedules", "triage")
SPLIT = ("bot", "handlers", "triage")
"""These are shown by their folders; what stands loose in them is a room of its own."""
MODEL = frozenset(
    {"triage/desk_sections", "triage/masking", "triage/plans", "triage/ports", "triage/queries"}
)
"""The model of triage beside its loose modules: words, data and ports."""
EVERYWHERE = frozenset({"triage", "bot", "handlers"}) | MODEL
"""What every room may use: arrows to it would hide the others."""
WIRING = frozenset({"bot/wiring", "bot/commands"})
"""The composition root, which imports everything."""


def room_of(module: str) -> str:
    """Return the room a module is in: ``triage/incidents``, ``schedules``, or ``triage`` for what stands loose."""
    parts = module.split(".")
    if parts[0] not in SPLIT or len(parts) == 1 or not Path(*parts[:2]).is_dir():
        return parts[0]
    return "/".join(parts[:2])


def arrows() -> dict[str, set[str]]:
    """Return the rooms that each room imports from at run time."""
    graph = grimp.build_graph(*ROOTS, exclude_type_checking_imports=True, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        here = room_of(module)
        imported = {room_of(other) for other in graph.find_modules_directly_imported_by(module)}
        found.setdefault(here, set()).update(imported - {here})
    return found


def module_cycle() -> list[str]:
    """Return modules that import each other in a circle at run time; empty where there is none."""
    graph = grimp.build_graph(*ROOTS, exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) - {module} for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def room_cycle() -> list[str]:
    """Return rooms that import each other in a circle at run time; empty where there is none.

    The model of triage is one room, and so is the composition root: the process, its wiring and its commands.
    """
    links: dict[str, set[str]] = {}
    for room, others in arrows().items():
        links.setdefault(_whole(room), set()).update(map(_whole, others))
    try:
        TopologicalSorter({room: others - {room} for room, others in links.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _whole(room: str) -> str:
    if room in MODEL:
        return "triage"
    return "bot" if room in WIRING else room


def mermaid() -> str:
    """Return the map as a Mermaid flowchart: an arrow goes to what is imported."""
    links = arrows()
    lines = ["```mermaid", "flowchart TD"]
    for root in SPLIT:
        inside = sorted(room for room in links if room.startswith(f"{root}/") and room not in EVERYWHERE)
        lines += [
            f"  subgraph {root}",
            *(f'    {_id(room)}["{room.split("/")[1]}"]' for room in inside),
            "  end",
        ]
    for room in sorted(set(links) - EVERYWHERE - WIRING):
        lines += [f"  {_id(room)} --> {_id(other)}" for other in sorted(links[room] - EVERYWHERE)]
    return "\n".join([*lines, "```", ""])


def _id(room: str) -> str:
    return room.replace("/", "_")

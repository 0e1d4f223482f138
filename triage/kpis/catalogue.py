"""The KPIs by their name, in the runbook's order. A new one is one file in ``checklist/``, named nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from triage.kpis import checklist
from triage.kpis.definition import KpiDefinition
from triage.kpis.limits import KPIS


def _load(name: str) -> KpiDefinition:
    """Import a KPI. Raises TypeError where a file is none, or is called otherwise than its name."""
    found = getattr(import_module(f"{checklist.__name__}.{name}"), "KPI", None)
    if not isinstance(found, KpiDefinition) or found.name != name:
        raise TypeError(
            f"triage/kpis/checklist/{name}.py: KPI must be a KpiDefinition whose name is {name!r}"
        )
    return found


def _all() -> dict[str, KpiDefinition]:
    found = sorted(map(_load, KPIS), key=lambda each: (each.place, each.name))
    return {each.name: each for each in found}


CHECKLIST: Mapping[str, KpiDefinition] = MappingProxyType(_all())
"""Every KPI by its name."""

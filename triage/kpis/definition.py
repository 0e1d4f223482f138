"""What a KPI of the checklist is: how it is measured, what people call it, and its row in docs/kpis.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from triage.kpis.grid import MinuteGrid
from triage.kpis.limits import KpiLimits
from triage.kpis.model import Kpi


@dataclass(frozen=True, slots=True)
class KpiDefinition:
    """One KPI. ``place``: its rank in the checklist, by tens. ``title``: what people call it.

    ``measure_after``: where it has to know what came before its window, which is the third argument. ``asked``: how
    its limit is written, ``{}`` being the limit with its unit. ``is_risk``: a further variant of the bot may not fail
    it either. ``value``, ``passes``, ``remarks``: its row in docs/kpis.md, in Markdown.
    """

    name: str
    place: int
    title: str
    measure: Callable[[MinuteGrid, KpiLimits], Kpi]
    value: str
    passes: str
    remarks: str = ""
    measure_after: Callable[[MinuteGrid, KpiLimits, MinuteGrid], Kpi] | None = None
    asked: str = "= {}"
    is_risk: bool = False

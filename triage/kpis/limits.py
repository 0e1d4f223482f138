"""The limits a bot is measured against; the defaults are those of the runbook's 24 h paper validation."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Self

from triage.wording import nearest

KPIS: tuple[str, ...] = tuple(
    sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent / "checklist")]))
)
"""The names of the KPIs: the files of ``triage/kpis/checklist/``, without importing them."""


_WHOLE = 100.0
_A_YEAR = 365 * 24 * 60


def sound_band(band: tuple[float, float], where: str = "") -> None:
    """Raise ValueError, beginning with ``where``, for what is no band of shares of the inventory."""
    low, high = band
    if not low < high:
        raise ValueError(f"{where}{low} to {high} is no band; give the lower end first")
    if low < -1 or high > 1:
        raise ValueError(f"{where}{low:g} to {high:g} are no shares; write 0.15 for 15 %")


@dataclass(frozen=True, slots=True)
class KpiLimits:
    """One bot's limits. Names ending in ``_pct`` are in percent (0-100), ``base_pct`` is a pair of fractions.

    Raises ValueError, naming the setting, where a limit cannot be one.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - desk.yaml is read into this: a typing error is noticed

    running_pct_min: float = 65.0
    turnover_x_max: float = 3.0
    daily_loss_pct_max: float = 1.5
    drawdown_pct_max: float = 2.5
    cancel_budget_per_min: float = 50.0
    cancel_within_budget_pct_min: float = 95.0
    fee_source_resolved_pct_min: float = 100.0
    base_pct: tuple[float, float] = (0.15, 0.90)
    paper_reject_max: float = 3.0
    """Rejects after the warm-up that still count as "near zero"."""
    warmup_minutes: int = 30
    """How long rejects are forgiven after a bot's start."""
    flap_changes: int = 4
    flap_window_minutes: int = 10
    """So many changes running <-> soft_pause within so many minutes are flapping."""
    large_deviation: float = 0.10
    """|base_pct - target_base_pct|, a fraction, from which on the inventory has to come back."""
    evidence_pct_min: float = 50.0
    """A KPI measured on a smaller share of the rows holds the verdict, though it passes."""
    profit_factor_min: float = 1.25
    promotion_turnover_x_max: float = 3.0
    promotion_drawdown_pct_max: float = 3.0
    may_be_missing: tuple[str, ...] = ()
    """KPIs that do not hold the verdict where the files never record them, e.g. ``paper_reject_count``; none by default."""

    def __post_init__(self) -> None:
        sound_band(self.base_pct, "base_pct: ")
        strange = [name for name in self.may_be_missing if name not in KPIS]
        if strange:
            near = nearest(strange[0], KPIS)
            mend = f"did you mean {near}?" if near else f"there are {', '.join(KPIS)}"
            raise ValueError(f"may_be_missing: {strange[0]!r} is no KPI; {mend}")
        for name in self.__slots__:
            value = getattr(self, name)
            if name not in {"base_pct", "may_be_missing"} and not (isfinite(value) and value >= 0):
                raise ValueError(f"{name}: {value} is no limit; give a number of at least 0")
            if "_minutes" in name and value > _A_YEAR:
                raise ValueError(f"{name}: {value} minutes are more than a year; give fewer")
            if "_pct" in name and name != "base_pct" and value > _WHOLE:
                raise ValueError(f"{name}: {value:g} is more than 100 %; give a percentage")

    def override(self, **changes: float | tuple[float, float] | None) -> Self:
        """Return the limits with some replaced; None keeps what is there. Raises TypeError for an unknown name."""
        return replace(self, **{name: value for name, value in changes.items() if value is not None})  # type: ignore[arg-type]

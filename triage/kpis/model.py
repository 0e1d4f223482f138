"""What a digest says: KPIs, gates, the trading result, and how much of the minutes there was to say it from.

``KpiStatus.NOT_MEASURED`` is never a pass: it holds the verdict, with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from typing import Any


class KpiStatus(StrEnum):
    """Passed, failed, or could not be measured (the ``why`` says what is missing)."""

    PASS = "pass"  # noqa: S105 - a word of the contract, no password
    FAIL = "fail"
    NOT_MEASURED = "not_measured"


class KpiVerdict(StrEnum):
    """``meets`` the checklist, or ``hold``: ``held_by`` says what holds it."""

    HOLD = "hold"
    MEETS = "meets"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One line of the checklist. ``value`` and ``limit`` are in ``unit``; percentages in percent (0-100).

    ``measured_pct``: the share of the rows that have its column. ``before`` is the value of the period
    before, ``change`` the difference to it.
    """

    name: str
    value: float | None
    limit: float
    unit: str
    status: KpiStatus
    why: str
    measured_pct: float = 100.0
    before: float | None = None
    change: float | None = None


@dataclass(frozen=True, slots=True)
class CapitalGate:
    """One condition of the desk for more capital, e.g. the profit factor."""

    name: str
    value: float | None
    limit: float
    unit: str
    status: KpiStatus
    why: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Lines that could not be used: how many, why, and where the first one is (file and byte)."""

    reason: str
    count: int
    first: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What there was to read. ``minutes`` of the window, ``present`` ones among them, ``rows`` read for them.

    ``empty_days``: UTC days of the window without a single row. ``notes`` say what else was odd.
    """

    minutes: int
    present: int
    rows: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    first_row: datetime | None = None
    last_row: datetime | None = None
    longest_gap_minutes: int = 0
    longest_gap_from: datetime | None = None
    empty_days: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    bad_values: int = 0
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def pct(self) -> float:
        """Share of the window's minutes that have a row, in percent."""
        return 100.0 * self.present / self.minutes if self.minutes else 0.0


@dataclass(frozen=True, slots=True)
class TradingResult:
    """The trading result. Quote amounts; percentages in percent; None: the files do not have it (``notes``).

    ``pnl_quote`` is the change of equity without jumps of the account itself; ``realized_pnl_quote`` and
    ``profit_factor`` are over fills, as the writer booked them; ``maker_share_pct`` is of the volume.
    """

    pnl_quote: float | None = None
    pnl_pct: float | None = None
    equity_open_quote: float | None = None
    equity_close_quote: float | None = None
    realized_pnl_quote: float | None = None
    fees_quote: float | None = None
    fills: int | None = None
    buys: int | None = None
    sells: int | None = None
    volume_quote: float | None = None
    maker_share_pct: float | None = None
    net_edge_mean_pct: float | None = None
    net_edge_positive_pct: float | None = None
    profit_factor: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentNote:
    """An incident as the digest needs it; no ``bots`` means the whole desk."""

    id: str
    title: str
    started_at: datetime
    bots: tuple[str, ...] = ()
    severity: str = ""
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None

    def concerns(self, bot: str) -> bool:
        """Return whether it belongs to this bot, or to all."""
        return not self.bots or bot in self.bots


@dataclass(frozen=True, slots=True)
class ActionNote:
    """An action that was run; an empty ``bot`` means the desk."""

    kind: str
    at: datetime
    bot: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class IncidentFigures:
    """Incidents of the period: mean times in seconds, None where none was acknowledged or resolved."""

    count: int = 0
    unresolved: tuple[str, ...] = ()
    acknowledge_seconds: float | None = None
    resolve_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class BotReport:
    """One bot's digest. ``others`` are further variants of the bot that wrote rows in the window."""

    bot: str
    variant: str
    coverage_pct: float
    verdict: KpiVerdict
    held_by: tuple[str, ...]
    kpis: tuple[Kpi, ...]
    gates: tuple[CapitalGate, ...]
    trading: TradingResult
    trading_before: TradingResult
    coverage: Coverage
    incidents: IncidentFigures
    others: tuple[BotReport, ...] = ()

    def kpi(self, name: str) -> Kpi:
        """Return a KPI by its name. Raises KeyError for an unknown one."""
        for kpi in self.kpis:
            if kpi.name == name:
                return kpi
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a bot's day: a PNG file and what it shows, in words."""

    bot: str
    theme: str
    path: str
    alt: str


@dataclass(frozen=True, slots=True)
class DigestReport:
    """The digest of some bots. ``problems`` are what kept a bot's figures or a picture away, in words.

    ``unmeasured``: bots that were asked for and of which there is no report.
    """

    start: datetime
    end: datetime
    bots: tuple[BotReport, ...]
    pictures: tuple[Picture, ...] = ()
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    unmeasured: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the shape that the contract promises for ``digest --json``, with more fields beside."""
        body: dict[str, Any] = as_json(self)
        window = {"start": body.pop("start"), "end": body.pop("end")}
        return {"window": window, **body}


def as_json(value: object) -> Any:  # noqa: ANN401 - JSON is any of dict, list, text, number, null
    """Return plain JSON of a report: times as ISO 8601 UTC, numbers to 8 digits, what is not finite as null."""
    if isinstance(value, float):  # first, for a picture is thousands of them
        return round(value, 8) if isfinite(value) else None
    if isinstance(value, tuple | list):
        return [as_json(entry) for entry in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value

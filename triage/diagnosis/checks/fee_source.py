"""Where do the bot's fees come from, and did they change: the API, a resolved fallback, or nothing sure.

``data``: ``{"bots": {bot: {"source", "kind": "api"|"resolved"|"unresolved"|None, "maker", "taker",
"maker_before", "taker_before", "changed": bool}}}``; fees are fractions, None where not measured;
``before`` is 24 hours earlier, or the lowest of the last 24 hours where nothing is known of that time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from triage.concurrency import attempt, together
from triage.diagnosis.checks.base import (
    CheckContext,
    answer_or_none,
    each_of,
    partial,
    refused,
    whole_or_unknown,
    worst_status,
)
from triage.diagnosis.checks.exporters import BY, age_query, newest
from triage.errors import SourceError
from triage.model import Finding, FindingStatus
from triage.ports.sources import Sample
from triage.queries import promql
from triage.wording import listed, percent

NAME = "fee_source"
TITLE = "Fee source"
SOURCE = "Prometheus"

_KINDS = ("api", "resolved", "unresolved")
_STATUS = {
    None: FindingStatus.UNKNOWN,
    "api": FindingStatus.OK,
    "resolved": FindingStatus.WARNING,
    "unresolved": FindingStatus.CRITICAL,
}
_SAME = 1e-9
_FEES = ("maker", "taker", "maker_before", "taker_before", "maker_before", "taker_before")
_LOWS = 4
"""From here on the answers are the lows of the last 24 h, for where nothing is known of a day ago."""


@dataclass(slots=True)
class Fees:
    """One bot's fees; see the module for units."""

    source: str = ""
    kind: str | None = None
    maker: float | None = None
    taker: float | None = None
    maker_before: float | None = None
    taker_before: float | None = None
    changed: bool = False

    @property
    def status(self) -> FindingStatus:
        """What this source means; a changed fee is at least a warning."""
        status = _STATUS[self.kind]
        return worst_status((status, FindingStatus.WARNING)) if self.changed else status


def kind_of(source: str) -> str:
    """Class a fee source: ``api:…`` is the real thing, ``connector:…`` and ``project:…`` are resolved."""
    head, _, rest = source.strip().partition(":")
    if head == "api" and rest:
        return "api"
    return "resolved" if head in {"connector", "project"} and rest else "unresolved"


async def run(ctx: CheckContext) -> Finding:
    """Ask Prometheus for the fee sources and the fees, now and a day ago."""
    queries = _queries(ctx.bots)
    (source, age), values = await together(
        together(
            ctx.sources.metrics.query(queries[0], partly=True),
            attempt(ctx.sources.metrics.query(age_query(ctx.bots), partly=True)),
        ),
        each_of(ctx.sources.metrics.query(query, partly=True) for query in queries[1:]),
    )
    exporters = newest(answer_or_none(age), source.samples)
    found = {bot: Fees() for bot in ctx.bots}
    _read_sources(found, exporters.of_chosen(source.samples))
    for number, (attribute, answer) in enumerate(zip(_FEES, values, strict=True)):
        for sample in exporters.of_chosen(answer_or_none(answer).samples):
            fees = found.get(sample.labels.get("bot", ""))
            if fees is None or getattr(fees, attribute) is not None or not math.isfinite(sample.value):
                continue
            # A low of the last 24 h tells of a change; where there was none it does not tell of yesterday.
            if number < _LOWS or _differs(getattr(fees, attribute.partition("_")[0]), sample.value):
                setattr(fees, attribute, sample.value)
    for fees in found.values():
        fees.changed = _differs(fees.maker, fees.maker_before) or _differs(fees.taker, fees.taker_before)
    answered = [each for each in values if not isinstance(each, SourceError)]
    caveats = (partial(source, *answered), refused(age, *values), exporters.caveat(ctx.bots))
    finding = _finding(found, "; ".join(filter(None, caveats)), unread=bool(source.unread))
    status = whole_or_unknown(exporters.status(finding.status, ctx.bots), source, age, *values)
    return replace(finding, status=status)


def _queries(bots: tuple[str, ...]) -> tuple[str, ...]:
    info = promql.selector("hbot_bot_fee_source_info", any_of=bots)
    maker = promql.selector("hbot_bot_maker_fee_pct", any_of=bots)
    taker = promql.selector("hbot_bot_taker_fee_pct", any_of=bots)
    now = [f"max by ({BY}) ({metric})" for metric in (maker, taker)]
    before = [f"max by (bot) ({metric} offset 1d)" for metric in (maker, taker)]
    lows = [f"min by (bot) (min_over_time({metric}[24h]))" for metric in (maker, taker)]
    return (f"max by ({BY}, source) ({info}) == 1", *now, *before, *lows)


def _read_sources(found: Mapping[str, Fees], samples: Iterable[Sample]) -> None:
    for sample in samples:
        fees = found.get(sample.labels.get("bot", ""))
        if fees is None:
            continue
        source = sample.labels.get("source", "")
        kind = kind_of(source)
        if fees.kind is None or _KINDS.index(kind) > _KINDS.index(fees.kind):
            fees.source, fees.kind = source, kind


def _differs(now: float | None, before: float | None) -> bool:
    return now is not None and before is not None and abs(now - before) > _SAME


def _finding(found: Mapping[str, Fees], caveat: str, *, unread: bool) -> Finding:
    missing = [bot for bot, fees in found.items() if fees.kind is None]
    lines = tuple(f"{bot}: {describe(fees)}" for bot, fees in found.items())
    single = len(found) == 1
    none = "no fee source that can be read" if unread else "no hbot_bot_fee_source_info series"
    why = f"{none} for {listed(missing)}" if missing else ""
    return Finding(
        name=NAME,
        status=worst_status(fees.status for fees in found.values()),
        headline=describe(next(iter(found.values()))) if single else _summary(found),
        source=SOURCE,
        why="; ".join(filter(None, (why, caveat))),
        details=() if single else lines,
        data={"bots": {bot: asdict(fees) for bot, fees in found.items()}},
    )


def describe(fees: Fees) -> str:
    """Return e.g. ``api:bitget:user_fee_query · maker 0.10 % taker 0.10 %, as yesterday``."""
    if fees.kind is None:
        return "no fee source on show"
    name = {"api": fees.source, "resolved": f"fallback {fees.source}"}.get(
        fees.kind, f"unresolved ({fees.source or 'empty'})"
    )
    if fees.maker is None and fees.taker is None:
        return f"{name} · fees not measured"
    return f"{name} · maker {percent(fees.maker)} taker {percent(fees.taker)}, {_before(fees)}"


def _before(fees: Fees) -> str:
    if fees.changed:
        return f"yesterday maker {percent(fees.maker_before)} taker {percent(fees.taker_before)}"
    known = fees.maker_before is not None or fees.taker_before is not None
    return "as yesterday" if known else "yesterday not known"


def _summary(found: Mapping[str, Fees]) -> str:
    words: dict[str, list[str]] = {}
    for bot, fees in found.items():
        words.setdefault(fees.kind or "no data", []).append(bot)
    return " · ".join(f"{kind}: {listed(bots)}" for kind, bots in words.items()) or "no bots"

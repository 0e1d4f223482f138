"""How wide is it: the other bots now, the other alerts that fire, one bot or the whole desk.

``data``: ``{"bots": {bot: "running"|"soft_pause"|"hard_stop"|"frozen"|"no data"|""} (all bots of the desk; the last: it
cannot be read),
"others_unwell": [bot], "alerts": {alertname: [who]} (what fires now, silenced ones too),
"silenced": int, "wide": bool}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from triage.concurrency import together
from triage.diagnosis.checks.base import (
    CheckContext,
    answer_or_none,
    in_time,
    partial,
    whole_or_unknown,
    worst_status,
)
from triage.diagnosis.checks.exporters import BY, age_query, newest
from triage.errors import SourceError
from triage.model import Finding, FindingStatus
from triage.ports.sources import UNREADABLE, QueryResult, unread_alerts, unread_of_rules
from triage.signals.guard_reasons import URGENCY, state_in_words
from triage.wording import counted, listed

NAME = "scope"
TITLE = "Scope"
SOURCE = "Prometheus, Alertmanager"

_MANY_ALERTS = 10
_NONE = ("no data", "")
"""It shows no state, or none that can be read."""


async def run(ctx: CheckContext) -> Finding:
    """Ask Prometheus for every bot of the desk, and Alertmanager (or the rules) for what fires."""
    query = ctx.sources.metrics.query
    states, ages, held, ruled = await together(
        in_time(ctx, "Prometheus", query(f"max by ({BY}, state) (hbot_bot_state) == 1", partly=True)),
        in_time(ctx, "Prometheus", query(age_query(), partly=True)),
        in_time(ctx, "Alertmanager", _alertmanager(ctx)),
        in_time(ctx, "Prometheus", _rules(ctx)),
    )
    alerts = held if not isinstance(held, SourceError) else ruled
    if isinstance(states, SourceError) and isinstance(alerts, SourceError):
        raise states
    bots = {} if isinstance(states, SourceError) else _bots(ctx, states, ages)
    alerts = _HeldAlerts() if isinstance(alerts, SourceError) else alerts
    errors = [
        f"{error.source}: {error.why}" for error in (states, ages, held) if isinstance(error, SourceError)
    ]
    if isinstance(held, SourceError) and not isinstance(ruled, SourceError):
        errors.append("alerts as Prometheus' rules hold them")
    answers = [each for each in (states, ages) if not isinstance(each, SourceError)]
    errors += filter(None, (alerts.unread, partial(*answers)))
    finding = _finding(ctx, bots, alerts, "; ".join(dict.fromkeys(errors)))
    return replace(finding, status=whole_or_unknown(finding.status, states, ages))


@dataclass(frozen=True, slots=True)
class _HeldAlerts:
    """What fires: by name whom it is about, None where that is not known; ``unread`` says what cannot be read of it."""

    firing: Mapping[str, list[str]] | None = None
    silenced: int = 0
    unread: str = ""


async def _alertmanager(ctx: CheckContext) -> _HeldAlerts:
    held = await ctx.sources.alerts.alerts()
    known = [each for each in held if each.state != UNREADABLE]
    silenced = sum(each.state == "suppressed" for each in known)
    return _HeldAlerts(_grouped(each.labels for each in known), silenced, unread_alerts(held))


async def _rules(ctx: CheckContext) -> _HeldAlerts:
    found = await ctx.sources.metrics.alerts()
    firing = _grouped(each.labels for each in found if each.state == "firing")
    return _HeldAlerts(firing, unread=unread_of_rules(found))


def _who(labels: Mapping[str, str]) -> str:
    return labels.get("bot") or labels.get("name") or labels.get("service") or labels.get("instance") or ""


def _bots(ctx: CheckContext, states: QueryResult, ages: QueryResult | SourceError) -> dict[str, str]:
    known_ages = answer_or_none(ages)
    found: dict[str, str] = {bot.name: "" if states.unread else "no data" for bot in ctx.desk.bots}
    exporters = newest(known_ages, states.samples)
    for sample in exporters.of_any_newest(states.samples):
        bot, state = sample.labels.get("bot", ""), sample.labels.get("state", "")
        ranked = [name for name in URGENCY if name in (found.get(bot), state)]
        if bot:
            found[bot] = ranked[0] if ranked else state
    old = exporters.ages
    stale = ctx.desk.triage.snapshot_stale_seconds
    undated = set(found) - set(old) if known_ages.unread else set[str]()
    return {
        bot: "frozen" if state not in _NONE and old.get(bot, 0.0) > stale else "" if bot in undated else state
        for bot, state in found.items()
    }


def _grouped(alerts: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    firing: dict[str, list[str]] = {}
    for labels in alerts:
        names, who = firing.setdefault(labels.get("alertname", "?"), []), _who(labels)
        if who and who not in names:
            names.append(who)
    return firing


def _finding(
    ctx: CheckContext,
    bots: Mapping[str, str],
    alerts: _HeldAlerts,
    caveat: str,
) -> Finding:
    firing = alerts.firing or {}
    ours = set(ctx.bots) if ctx.incident is not None and ctx.incident.bots else set[str]()
    others = {bot: state for bot, state in bots.items() if bot not in ours}
    unwell = [bot for bot, state in others.items() if state in {"hard_stop", "soft_pause", "frozen"}]
    watchdog = ctx.desk.watchdog.alertname
    names = {ctx.incident.name} if ctx.incident is not None else set[str]()
    further = {name: who for name, who in firing.items() if name != watchdog and name not in names}
    known = alerts.firing is not None
    dark = [bot for bot, state in others.items() if state == "no data"]
    wide = bool(unwell) and len(unwell) + len(ours) > 1
    statuses = [
        FindingStatus.OK
        if bots and alerts.firing is not None and not alerts.unread
        else FindingStatus.UNKNOWN,
        FindingStatus.WARNING if unwell or further else FindingStatus.OK,
        FindingStatus.CRITICAL
        if (wide and len(unwell) == len(others) > 0) or len(further) >= _MANY_ALERTS
        else FindingStatus.OK,
    ]
    return Finding(
        name=NAME,
        status=worst_status(statuses),
        headline=_headline(
            ours, others if bots else None, unwell, replace(alerts, firing=further if known else None)
        ),
        source=SOURCE,
        why=caveat,
        details=_details(others, further, alerts.silenced),
        data={
            "bots": dict(bots),
            "others_unwell": unwell,
            "no_data": dark,
            "alerts": {name: list(who) for name, who in firing.items()},
            "silenced": alerts.silenced,
            "wide": wide,
        },
    )


def _headline(
    ours: set[str],
    others: Mapping[str, str] | None,
    unwell: list[str],
    further: _HeldAlerts,
) -> str:
    """Return the line; None is what is not known. ``further``: what fires beside the incident's own alert."""
    other = "other " if ours else ""
    running = [bot for bot, state in (others or {}).items() if state == "running"]
    if others is None:
        text = f"states of the {other}bots are not known"
    elif unwell:
        bots = listed([f"{bot} {state_in_words(others[bot])}" for bot in unwell])
        text = f"{other}bots not well: {bots}"
    elif ours and not others:
        text = "the desk has no other bots"
    elif len(ours) == 1:
        text = f"{next(iter(ours))} only ({counted(len(running), 'other bot')} running)"
    else:
        text = f"{counted(len(running), f'{other}bot')} running"
    if further.firing is None:
        more = "what else fires is not known"
    elif further.firing:
        more = f"{listed(sorted(further.firing))} {'fires' if len(further.firing) == 1 else 'fire'} too"
    else:
        more = f"no other alert {'that can be read ' if further.unread else ''}fires"
    return f"{text} · {more}"


def _details(others: Mapping[str, str], further: Mapping[str, list[str]], silenced: int) -> tuple[str, ...]:
    lines = [f"{name}: {listed(who)}" for name, who in sorted(further.items()) if who][:8]
    dark = [bot for bot, state in others.items() if state == "no data"]
    if dark:
        lines.append(f"no data of {listed(dark)}")
    if silenced:
        lines.append(f"{counted(silenced, 'alert')} silenced or inhibited")
    return tuple(lines)

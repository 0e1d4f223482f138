"""How wide is it: the other bots now, the other alerts that fire, one bot or the whole desk.

``data``: ``{"bots": {bot: "running"|"soft_pause"|"hard_stop"|"frozen"|"no data"} (all bots of the desk),
"others_unwell": [bot], "alerts": {alertname: [who]} (what fires now, silenced ones too),
"silenced": int, "wide": bool}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from triage.concurrency import together
from triage.diagnosis.checks.base import EMPTY, CheckContext, in_time, worst_status
from triage.diagnosis.checks.exporters import BY, age_query, newest
from triage.errors import SourceError
from triage.model import Finding, FindingStatus
from triage.ports.sources import QueryResult
from triage.signals.guard_reasons import URGENCY, state_in_words
from triage.wording import counted, listed

NAME = "scope"
TITLE = "Scope"
SOURCE = "Prometheus, Alertmanager"

_MANY_ALERTS = 10


async def run(ctx: CheckContext) -> Finding:
    """Ask Prometheus for every bot of the desk, and Alertmanager (or the rules) for what fires."""
    query = ctx.sources.metrics.query
    states, ages, held, ruled = await together(
        in_time(ctx, "Prometheus", query(f"max by ({BY}, state) (hbot_bot_state) == 1")),
        in_time(ctx, "Prometheus", query(age_query())),
        in_time(ctx, "Alertmanager", _alertmanager(ctx)),
        in_time(ctx, "Prometheus", _rules(ctx)),
    )
    alerts = held if not isinstance(held, SourceError) else ruled
    if isinstance(states, SourceError) and isinstance(alerts, SourceError):
        raise states
    bots = {} if isinstance(states, SourceError) else _bots(ctx, states, ages)
    firing, silenced = (None, 0) if isinstance(alerts, SourceError) else _grouped(alerts)
    errors = [
        f"{error.source}: {error.why}" for error in (states, ages, held) if isinstance(error, SourceError)
    ]
    if isinstance(held, SourceError) and not isinstance(ruled, SourceError):
        errors.append("alerts as Prometheus' rules hold them")
    return _finding(ctx, bots, firing, silenced, "; ".join(dict.fromkeys(errors)))


_Alert = tuple[str, str, bool]
"""Name, whom it is about, silenced."""


async def _alertmanager(ctx: CheckContext) -> list[_Alert]:
    return [
        (each.labels.get("alertname", "?"), _who(each.labels), each.state == "suppressed")
        for each in await ctx.sources.alerts.alerts()
    ]


async def _rules(ctx: CheckContext) -> list[_Alert]:
    return [
        (each.labels.get("alertname", "?"), _who(each.labels), False)
        for each in await ctx.sources.metrics.alerts()
        if each.state == "firing"
    ]


def _who(labels: Mapping[str, str]) -> str:
    return labels.get("bot") or labels.get("name") or labels.get("service") or labels.get("instance") or ""


def _bots(ctx: CheckContext, states: QueryResult, ages: QueryResult | SourceError) -> dict[str, str]:
    found: dict[str, str] = {bot.name: "no data" for bot in ctx.desk.bots}
    exporters = newest(EMPTY if isinstance(ages, SourceError) else ages, states.samples)
    for sample in exporters.of_chosen(states.samples):
        bot, state = sample.labels.get("bot", ""), sample.labels.get("state", "")
        ranked = [name for name in URGENCY if name in (found.get(bot), state)]
        if bot:
            found[bot] = ranked[0] if ranked else state
    old = exporters.ages
    stale = ctx.desk.triage.snapshot_stale_seconds
    return {
        bot: "frozen" if state != "no data" and old.get(bot, 0.0) > stale else state
        for bot, state in found.items()
    }


def _grouped(alerts: Iterable[_Alert]) -> tuple[dict[str, list[str]], int]:
    firing: dict[str, list[str]] = {}
    silenced = 0
    for name, who, quiet in alerts:
        silenced += quiet
        names = firing.setdefault(name, [])
        if who and who not in names:
            names.append(who)
    return firing, silenced


def _finding(
    ctx: CheckContext,
    bots: Mapping[str, str],
    alerts: Mapping[str, list[str]] | None,
    silenced: int,
    caveat: str,
) -> Finding:
    """``alerts`` None: what fires is not known."""
    firing = alerts or {}
    ours = set(ctx.bots) if ctx.incident is not None and ctx.incident.bots else set[str]()
    others = {bot: state for bot, state in bots.items() if bot not in ours}
    unwell = [bot for bot, state in others.items() if state in {"hard_stop", "soft_pause", "frozen"}]
    watchdog = ctx.desk.watchdog.alertname
    names = {ctx.incident.name} if ctx.incident is not None else set[str]()
    further = {name: who for name, who in firing.items() if name != watchdog and name not in names}
    dark = [bot for bot, state in others.items() if state == "no data"]
    wide = bool(unwell) and len(unwell) + len(ours) > 1
    statuses = [
        FindingStatus.OK if bots and alerts is not None else FindingStatus.UNKNOWN,
        FindingStatus.WARNING if unwell or further else FindingStatus.OK,
        FindingStatus.CRITICAL
        if (wide and len(unwell) == len(others) > 0) or len(further) >= _MANY_ALERTS
        else FindingStatus.OK,
    ]
    return Finding(
        name=NAME,
        status=worst_status(statuses),
        headline=_headline(ours, others if bots else None, unwell, further if alerts is not None else None),
        source=SOURCE,
        why=caveat,
        details=_details(others, further, silenced),
        data={
            "bots": dict(bots),
            "others_unwell": unwell,
            "no_data": dark,
            "alerts": {name: list(who) for name, who in firing.items()},
            "silenced": silenced,
            "wide": wide,
        },
    )


def _headline(
    ours: set[str],
    others: Mapping[str, str] | None,
    unwell: list[str],
    further: Mapping[str, list[str]] | None,
) -> str:
    """Return the line; None is what is not known."""
    other = "other " if ours else ""
    running = [bot for bot, state in (others or {}).items() if state == "running"]
    if others is None:
        text = f"states of the {other}bots are not known"
    elif unwell:
        bots = listed([f"{bot} {state_in_words(others[bot])}" for bot in unwell])
        text = f"{other}bots not well: {bots}"
    elif len(ours) == 1:
        text = f"{next(iter(ours))} only ({counted(len(running), 'other bot')} running)"
    else:
        text = f"{counted(len(running), f'{other}bot')} running"
    if further is None:
        more = "what else fires is not known"
    elif further:
        more = f"{listed(sorted(further))} {'fires' if len(further) == 1 else 'fire'} too"
    else:
        more = "no other alert fires"
    return f"{text} · {more}"


def _details(others: Mapping[str, str], further: Mapping[str, list[str]], silenced: int) -> tuple[str, ...]:
    lines = [f"{name}: {listed(who)}" for name, who in sorted(further.items()) if who][:8]
    dark = [bot for bot, state in others.items() if state == "no data"]
    if dark:
        lines.append(f"no data of {listed(dark)}")
    if silenced:
        lines.append(f"{counted(silenced, 'alert')} silenced or inhibited")
    return tuple(lines)

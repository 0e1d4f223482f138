"""``status``: the desk at a glance, a line a bot: state, how long, net edge, fees, errors, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from triage.actions.degraded import banner
from triage.diagnosis.checks.bot_words import WORTH_TELLING
from triage.errors import SourceError
from triage.model import Finding, FindingStatus, Incident, Json
from triage.ports.chat import Answer, Line, Mark, Section, section
from triage.ports.sources import Silence, Silences
from triage.ports.store import Tx
from triage.reports.answers.context import AnswerContext
from triage.signals.guard_reasons import in_words, state_in_words
from triage.wording import counted, duration, listed, percent

NAMED = 3
CHECKS = ("bot_state", "fee_source", "error_logs", "container")


async def status(ctx: AnswerContext, bots: Sequence[str]) -> Answer:
    """Answer for some bots, with what is open, silenced and degraded."""
    found, (silences, not_asked), (incidents, degraded) = await asyncio.gather(
        ctx.findings(CHECKS, bots), _silences(ctx), ctx.store.read(lambda tx: _open(tx, ctx.clock.now()))
    )
    lines, unknown, word = glance(ctx, bots, found)
    word = headline(lines, unknown, incidents, degraded=bool(degraded)) or word
    sections = [
        section([_degraded(degraded)] if degraded else ()),
        section([_incident(incident) for incident in incidents[:10]], "Open incidents"),
        lines,
        section([_silence(silence) for silence in silences[:5]], "Silenced"),
        section([*unknown.lines, *not_asked], unknown.title),
    ]
    title = f"{ctx.desk.name}: {word}"
    at = ctx.clock.now()
    return Answer(
        title,
        tuple(part for part in sections if part.lines),
        note=f"as of {at:%H:%M:%S} UTC",
        preview=title if incidents else f"{title} · no open incident",
    )


def headline(bots: Section, unknown: Section, incidents: Sequence[Incident], *, degraded: bool) -> str:
    """Return what is wrong, the gravest first; empty where nothing is: ``bot1 stands · 2 open incidents, one Sev-1``."""
    parts = []
    for mark, word in (
        (Mark.BAD, "needs somebody"),
        (Mark.WARN, "paused"),
        (Mark.UNKNOWN, "not known"),
    ):
        names = [line.name for line in bots.lines if line.mark is mark]
        if names:
            verb = "need somebody" if mark is Mark.BAD and len(names) > 1 else word
            parts.append(f"{listed(names, NAMED)} {verb}")
    if incidents:
        worst = min(incident.severity.rank for incident in incidents)
        grave = sum(incident.severity.rank == worst for incident in incidents)
        parts.append(f"{counted(len(incidents), 'open incident')} ({grave} Sev-{worst})")
    if degraded:
        parts.append("degraded mode")
    if unknown.lines:
        parts.append(f"{counted(len(unknown.lines), 'source')} silent")
    return " · ".join(parts)


def glance(ctx: AnswerContext, bots: Sequence[str], found: Sequence[Finding]) -> tuple[Section, Section, str]:
    """Return a line a bot, what could not be found out, and the whole in a word."""
    facts = {finding.name: finding for finding in found}
    lines = [_bot(ctx, bot, facts) for bot in bots]
    unknown = [
        Line(f"{finding.why}", name=_NAMES[finding.name], mark=Mark.UNKNOWN)
        for finding in found
        if _silent(finding)
    ]
    worst = min((line.mark for line in lines), key=_URGENCY.index, default=Mark.UNKNOWN)
    return section(lines), section(unknown, "Not known"), _WORDS[worst]


_URGENCY = [Mark.BAD, Mark.WARN, Mark.UNKNOWN, Mark.GOOD, Mark.PLAIN]
_WORDS = {
    Mark.BAD: "needs somebody",
    Mark.WARN: "look at it",
    Mark.UNKNOWN: "not fully known",
    Mark.GOOD: "all bots run",
    Mark.PLAIN: "nothing to say",
}
_NAMES = {"bot_state": "state", "fee_source": "fees", "error_logs": "errors", "container": "restarts"}
_STATES = {"running": Mark.GOOD, "soft_pause": Mark.WARN, "hard_stop": Mark.BAD}


def _open(tx: Tx, now: datetime) -> tuple[list[Incident], str]:
    incidents = sorted(tx.incidents.open(), key=lambda incident: (incident.severity.rank, -incident.id))
    return incidents, banner(tx, now)


async def _silences(ctx: AnswerContext) -> tuple[tuple[Silence, ...], tuple[Line, ...]]:
    """Return the silences, and a line on why they, or some of them, are not known."""
    try:
        found = await ctx.sources.alerts.silences()
    except SourceError as error:
        found = Silences((), str(error))
    return found.held, (Line(found.unread, name="silences", mark=Mark.UNKNOWN),) if found.unread else ()


def _silent(finding: Finding) -> bool:
    return finding.status is FindingStatus.UNKNOWN and bool(finding.why)


def _bot(ctx: AnswerContext, bot: str, facts: Mapping[str, Finding]) -> Line:
    state = _fact(facts, "bot_state", "bots", bot)
    word, mark = _state(state)
    parts = [word, *_edge(state), *_fees(_fact(facts, "fee_source", "bots", bot))]
    parts += _errors(_fact(facts, "error_logs", "bots", bot))
    parts += _restarts(_fact(facts, "container", "containers", ctx.desk.container_of(bot)))
    return Line(" · ".join(parts), name=bot, mark=mark)


def _fact(facts: Mapping[str, Finding], check: str, group: str, name: str) -> Mapping[str, Json]:
    finding = facts.get(check)
    found = finding.data.get(group, {}).get(name) if finding is not None else None
    return found if isinstance(found, Mapping) else {}


def _state(now: Mapping[str, Json]) -> tuple[str, Mark]:
    state = now.get("state")
    if not state:
        return "state not known", Mark.UNKNOWN
    if now.get("frozen"):
        return (
            f"frozen, last seen {state_in_words(state)} {duration(float(now.get('age_seconds') or 0))} ago",
            Mark.BAD,
        )
    how_long = _held(now)
    reasons = now.get("reasons") or []
    why = f" ({in_words(reasons)})" if reasons and state != "running" else ""
    return f"{state_in_words(state)}{how_long}{why}", _STATES.get(str(state), Mark.UNKNOWN)


def _held(now: Mapping[str, Json]) -> str:
    """Return for how long; a history that has just begun tells nothing."""
    held = now.get("held_seconds")
    if held is None or (now.get("held_at_least") and float(held) < WORTH_TELLING):
        return ""
    return f" for {'over ' if now.get('held_at_least') else ''}{duration(float(held))}"


def _edge(now: Mapping[str, Json]) -> list[str]:
    edge = now.get("net_edge")
    return [f"net edge {percent(float(edge), 3, signed=True)}"] if edge is not None else []


def _fees(fees: Mapping[str, Json]) -> list[str]:
    kind = fees.get("kind")
    return [f"fees {kind}{' (changed)' if fees.get('changed') else ''}"] if kind else []


def _errors(errors: Mapping[str, Json]) -> list[str]:
    count = errors.get("count")
    if not isinstance(count, int | float):
        return []
    return [f"{'at least ' if errors.get('at_least') else ''}{counted(int(count), 'error')}"]


def _restarts(container: Mapping[str, Json]) -> list[str]:
    count = container.get("restarts")
    if not isinstance(count, int | float):
        return []
    return [f"{'at least ' if container.get('at_least') else ''}{counted(int(count), 'restart')}"]


def _degraded(text: str) -> Line:
    return Line(text, mark=Mark.WARN)


def _incident(incident: Incident) -> Line:
    return Line(f"{incident.severity} · {incident.title} · {incident.status}", name=incident.number)


def _silence(silence: Silence) -> Line:
    matchers = ", ".join(str(matcher) for matcher in silence.matchers)
    return Line(f"{matchers} until {silence.ends_at:%Y-%m-%d %H:%M} UTC by {silence.created_by}")

"""Which incident a signal belongs to: a pure decision that says why.

In the order in which they are asked:

1.  a resolve ends its episode, and any older one of the same alert that still fires; one whose firing we never
    saw ends nothing, and is remembered, so that the firing that arrives late is known for stale;
2.  the same thing on another bot or container, shortly after: that incident becomes desk-wide;
3.  an open incident is about this subject: join it;
4.  an open incident is about what this needs to work (an external service and Redis), or lately became one about
    what needs this: they are one trouble, and it is called after what the others need;
5.  this came back soon after its incident resolved: reopen that one (flapping);
6.  the same thing is part of another bot's open incident: a desk-wide incident that names both;
7.  too many new incidents at once, or the same thing on too many containers: one storm incident counts the rest for
    as long as they come that fast; the first few Sev-1 apart;
8.  else open an incident.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from triage.desk_sections.triage import CorrelationSettings
from triage.incidents.correlation_state import CorrelationState
from triage.incidents.storm import GATHERS
from triage.model import (
    Episode,
    Incident,
    IncidentShape,
    Severity,
    Signal,
    SignalStatus,
    Subject,
    SubjectKind,
)


class Move(StrEnum):
    """What a signal does: open, widen, join or reopen an incident, end episodes (clear), or nothing (the last three)."""

    OPEN = "open"
    OPEN_WIDE = "open_wide"
    OPEN_STORM = "open_storm"
    JOIN = "join"
    WIDEN = "widen"
    REOPEN = "reopen"
    CLEAR = "clear"
    REPEAT = "repeat"
    STALE = "stale"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Placement:
    """The decision: the move, the incident it goes to (None: a new one or none), and why.

    ``also`` names further subjects of a new desk-wide incident, ``related`` the incident they are in;
    ``ends`` the episodes that a resolve ends. ``leads``: the incident is called after this signal from now on.
    """

    move: Move
    why: str
    incident: Incident | None = None
    also: tuple[Subject, ...] = ()
    related: Incident | None = None
    ends: tuple[Episode, ...] = ()
    leads: bool = False


OWN_CARDS_SECONDS = 10.0
_SPREADS = frozenset({SubjectKind.BOT, SubjectKind.CONTAINER})


def place(state: CorrelationState, signal: Signal, policy: CorrelationSettings, now: datetime) -> Placement:
    """Decide where a signal belongs."""
    key = (signal.source, signal.episode)
    known = state.episodes.get(key)
    if signal.status is SignalStatus.RESOLVED:
        return _ending(state, signal, known)
    if known is not None:
        if known.firing:
            return Placement(Move.REPEAT, "known to fire", state.incidents.get(known.incident_id))
        return Placement(
            Move.STALE, "this episode has resolved already", state.incidents.get(known.incident_id)
        )
    if key in state.ended:
        return Placement(Move.STALE, "its resolve came before it")
    rules = (_same_elsewhere, _same_subject, _hang_together, _came_back, _part_elsewhere, _storm)
    for rule in rules:
        placement = rule(state, signal, policy, now)
        if placement is not None:
            leads = _leads(signal, placement.incident)
            return replace(placement, leads=True) if leads else placement
    return Placement(Move.OPEN, "nothing open is about this")


def _leads(signal: Signal, incident: Incident | None) -> bool:
    """What is graver than all that was seen before names the incident, so that nobody overlooks it."""
    if incident is None:
        return False
    return signal.severity.rank < incident.severity.rank


def _ending(state: CorrelationState, signal: Signal, known: Episode | None) -> Placement:
    ends = tuple(state.firing(signal))
    if ends:
        return Placement(Move.CLEAR, "its episode ends", state.incidents.get(ends[0].incident_id), ends=ends)
    if known is None:
        return Placement(Move.UNSEEN, "it resolved before we saw it fire")
    return Placement(Move.REPEAT, "this episode has resolved already", state.incidents.get(known.incident_id))


def _same_elsewhere(
    state: CorrelationState, signal: Signal, policy: CorrelationSettings, now: datetime
) -> Placement | None:
    if signal.subject.kind not in _SPREADS:
        return None
    for incident in _same_thing(state, signal, policy, now):
        if signal.subject not in incident.subjects and not _full(state, incident, policy):
            return Placement(
                Move.WIDEN, f"the same alert on {signal.subject} as on {incident.subject}", incident
            )
    return None


def _same_thing(
    state: CorrelationState, signal: Signal, policy: CorrelationSettings, now: datetime
) -> Iterator[Incident]:
    """Yield the open incidents that began with this alert, lately, on something that it can spread from."""
    window = timedelta(seconds=policy.wide_window_seconds)
    for incident in state.open():
        begun_lately = (window and now - incident.opened_at <= window) or incident.shape is IncidentShape.WIDE
        same = incident.name == signal.name and incident.shape is not IncidentShape.STORM
        if same and begun_lately and incident.subject.kind in _SPREADS:
            yield incident


def _full(state: CorrelationState, incident: Incident, policy: CorrelationSettings) -> bool:
    """The desk's own bots are few; containers and other bots an alert can name without end, and that is a storm."""
    unnamed = [
        one for one in incident.subjects if one.kind is not SubjectKind.BOT or one.name not in state.bots
    ]
    return len(unnamed) >= policy.storm_incidents


def _same_subject(
    state: CorrelationState, signal: Signal, policy: CorrelationSettings, now: datetime
) -> Placement | None:
    del policy, now
    about = [incident for incident in state.open() if signal.subject in incident.subjects]
    if not about:
        return None
    # Its own incident before a desk-wide one, and the one that holds this alert already before both.
    about.sort(key=lambda i: (not state.holds(i, signal.name), i.shape is not IncidentShape.SINGLE))
    return Placement(Move.JOIN, f"it is about {signal.subject} too", about[0])


def _hang_together(
    state: CorrelationState, signal: Signal, policy: CorrelationSettings, now: datetime
) -> Placement | None:
    window = timedelta(seconds=policy.wide_window_seconds)
    need = state.needs.get(signal.subject)
    if need is None and not state.needed(signal.subject):
        return None
    for incident in state.open():
        if incident.shape is IncidentShape.STORM:
            continue
        if need in incident.subjects:
            return Placement(Move.WIDEN, f"{signal.subject} needs {need}", incident)
        leaning = [subject for subject in incident.subjects if state.needs.get(subject) == signal.subject]
        if leaning and now - incident.opened_at <= window:
            return Placement(Move.WIDEN, f"{leaning[0]} needs {signal.subject}", incident)
    return None


def _came_back(
    state: CorrelationState, signal: Signal, policy: CorrelationSettings, now: datetime
) -> Placement | None:
    window = timedelta(seconds=policy.reopen_within_seconds)
    lately = [
        incident
        for incident in state.incidents.values()
        if incident.resolved_at is not None
        and now - incident.resolved_at <= window
        and signal.subject in incident.subjects
        and state.holds(incident, signal.name)
        and incident.shape is not IncidentShape.STORM
    ]
    if not lately:
        return None
    last = max(lately, key=lambda incident: incident.id)
    return Placement(Move.REOPEN, f"{signal.name} fires again", last)


def _part_elsewhere(
    state: CorrelationState, signal: Signal, policy: CorrelationSettings, now: datetime
) -> Placement | None:
    if signal.subject.kind is not SubjectKind.BOT:
        return None
    window = timedelta(seconds=policy.wide_window_seconds)
    for incident in state.open():
        lately = now - incident.changed_at <= window
        single = incident.shape is IncidentShape.SINGLE and incident.subject.kind is SubjectKind.BOT
        if single and lately and state.holds(incident, signal.name):
            return Placement(
                Move.OPEN_WIDE,
                f"the same alert is part of {incident.number} on {incident.subject}",
                also=(incident.subject,),
                related=incident,
            )
    return None


def _storm(
    state: CorrelationState, signal: Signal, policy: CorrelationSettings, now: datetime
) -> Placement | None:
    storm, fresh = _lasting_storm(state, policy, now), _fresh(state, policy, now)
    full = next((one for one in _same_thing(state, signal, policy, now) if _full(state, one, policy)), None)
    if storm is None and any(_open_storms(state)):
        full = None  # its storm is long over: what trickles in since would make one after the other
    if going_on(state, policy, now) is None and fresh < policy.storm_incidents and full is None:
        return None
    if signal.severity is Severity.SEV1 and _may_stand_alone(state, policy, now):
        return None
    if storm is not None:
        return Placement(Move.JOIN, "part of the storm", storm)
    why = f"{full.number} names {len(full.subjects)} already" if full is not None else ""
    return Placement(
        Move.OPEN_STORM, why or f"{fresh} incidents opened within {policy.storm_window_seconds:g} s"
    )


def going_on(state: CorrelationState, policy: CorrelationSettings, now: datetime) -> Incident | None:
    """Return the storm that goes on: things come half as fast as they must to begin one. One a minute does not."""
    storm = _lasting_storm(state, policy, now)
    if storm is None:
        return None
    coming = _fresh(state, policy, now) + state.lately.get(storm.id, 0)
    return storm if coming >= max(2, policy.storm_incidents // 2) else None


def _lasting_storm(state: CorrelationState, policy: CorrelationSettings, now: datetime) -> Incident | None:
    """Return the open storm to which something came lately.

    One that is open for hours by its last alert takes nothing more: it would tell of all that began meanwhile.
    """
    since = now - max(GATHERS, timedelta(seconds=policy.storm_window_seconds))
    return next((one for one in _open_storms(state) if (one.last_seen_at or one.opened_at) >= since), None)


def _open_storms(state: CorrelationState) -> Iterator[Incident]:
    return (one for one in state.open() if one.shape is IncidentShape.STORM and not one.quiet)


def _fresh(state: CorrelationState, policy: CorrelationSettings, now: datetime) -> int:
    since = now - timedelta(seconds=policy.storm_window_seconds)
    return sum(1 for incident in state.incidents.values() if incident.opened_at >= since)


def _may_stand_alone(state: CorrelationState, policy: CorrelationSettings, now: datetime) -> bool:
    """Whether a Sev-1 gets a card of its own in a storm: the chat takes one post a second, and people must see each."""
    lately = now - timedelta(seconds=OWN_CARDS_SECONDS)
    own = [
        one for one in state.incidents.values() if one.severity is Severity.SEV1 and one.opened_at >= lately
    ]
    return sum(one.shape is not IncidentShape.STORM for one in own) < policy.storm_own_cards

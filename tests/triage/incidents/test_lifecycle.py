"""The transition table of an incident: what each step does from each status, and that twice is as once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from triage.incidents.lifecycle import (
    Transition,
    acknowledge,
    close_while_firing,
    join,
    mitigate,
    reopen,
    resolve,
)
from triage.model import Incident, IncidentStatus, Severity, Subject, SubjectKind, TimelineKind

Step = Callable[[Incident], Transition | None]
OPENED = datetime(2026, 2, 21, 9, 30, tzinfo=UTC)
NOW = OPENED + timedelta(minutes=5)
T, A = IncidentStatus.TRIGGERED, IncidentStatus.ACKNOWLEDGED
M, R = IncidentStatus.MITIGATED, IncidentStatus.RESOLVED
STEPS: dict[str, Step] = {
    "acknowledge": lambda incident: acknowledge(incident, actor="U0ANA", now=NOW),
    "mitigate": lambda incident: mitigate(incident, what="bot1 restarted", now=NOW),
    "resolve": lambda incident: resolve(incident, now=NOW),
    "close": lambda incident: close_while_firing(incident, actor="U0ANA", firing=2, now=NOW),
    "reopen": lambda incident: reopen(incident, why="BotHardStopActive fires again", now=NOW),
}
TABLE: dict[str, dict[IncidentStatus, IncidentStatus | None]] = {
    "acknowledge": {T: A, A: None, M: None, R: None},
    "mitigate": {T: M, A: M, M: None, R: None},
    "resolve": {T: R, A: R, M: R, R: None},
    "close": {T: A, A: A, M: M, R: None},
    "reopen": {T: None, A: None, M: None, R: T},
}
KINDS = {
    "acknowledge": TimelineKind.ACKNOWLEDGED,
    "mitigate": TimelineKind.MITIGATED,
    "resolve": TimelineKind.RESOLVED,
    "close": TimelineKind.CLOSED_WHILE_FIRING,
    "reopen": TimelineKind.REOPENED,
}


def incident(status: IncidentStatus = T) -> Incident:
    """Return an incident of bot1 in a status."""
    return Incident(
        id=42,
        title="bot1 hard_stop",
        name="BotHardStopActive",
        subjects=(Subject(SubjectKind.BOT, "bot1"),),
        severity=Severity.SEV2,
        status=status,
        opened_at=OPENED,
        changed_at=OPENED,
    )


def done(change: Transition | None) -> Transition:
    """Return a change that must have happened."""
    assert change is not None
    return change


@pytest.mark.parametrize("status", IncidentStatus)
@pytest.mark.parametrize("step", STEPS)
def test_each_step_leads_from_each_status_where_the_table_says(step: str, status: IncidentStatus) -> None:
    """Where there is nothing to change there is no change; else one line on the timeline, at that time."""
    change, expected = STEPS[step](incident(status)), TABLE[step][status]
    if expected is None:
        assert change is None
        return
    assert change is not None
    assert change.incident.status is expected
    assert change.incident.changed_at == NOW
    entry = change.entry
    assert (entry.incident_id, entry.at, entry.kind) == (42, NOW, KINDS[step])


@pytest.mark.parametrize("status", IncidentStatus)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_done_twice_is_done_once(step: str, status: IncidentStatus) -> None:
    """A double click or a repeated delivery leaves no second line."""
    change = STEPS[step](incident(status))
    assert change is None or STEPS[step](change.incident) is None


@pytest.mark.parametrize("status", IncidentStatus)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_leaves_what_it_was_given(step: str, status: IncidentStatus) -> None:
    """What an incident is about does not change with its status."""
    before = incident(status)
    change = STEPS[step](before)
    if change is not None:
        after = change.incident
        assert (after.id, after.title, after.subjects, after.opened_at, after.severity) == (
            *(before.id, before.title, before.subjects, before.opened_at, before.severity),
        )
    assert before == incident(status)


def test_who_acknowledged_is_kept_and_told() -> None:
    """The name and the time are on the incident, and the line is an operator's."""
    change = done(STEPS["acknowledge"](incident()))
    assert (change.incident.acknowledged_by, change.incident.acknowledged_at) == ("U0ANA", NOW)
    assert (change.entry.actor, change.entry.source) == ("U0ANA", "operator")


def test_the_first_to_acknowledge_keeps_it() -> None:
    """Closing by hand after somebody took it does not take it away from them."""
    mine = done(acknowledge(incident(), actor="U0BEN", now=OPENED)).incident
    closed = done(STEPS["close"](mine)).incident
    assert (closed.acknowledged_by, closed.acknowledged_at) == ("U0BEN", OPENED)


def test_closing_while_alerts_fire_makes_it_quiet_and_names_their_number() -> None:
    """It is not resolved: it waits for its alerts, and says how many there are."""
    change = done(STEPS["close"](incident()))
    assert change.incident.quiet
    assert change.entry.text == "closed by hand while 2 alerts still fire: quiet until they resolve"
    one = done(close_while_firing(incident(), actor="U0ANA", firing=1, now=NOW))
    assert "1 alert still fires" in one.entry.text


def test_a_resolve_ends_the_quiet() -> None:
    """The next time it opens it speaks."""
    quiet = done(STEPS["close"](incident())).incident
    resolved = done(resolve(quiet, now=NOW, actor="U0ANA", why="by hand")).incident
    assert not resolved.quiet
    assert (resolved.resolved_at, resolved.resolved_by) == (NOW, "U0ANA")


def test_a_reopened_incident_begins_anew_and_counts() -> None:
    """Nobody has acknowledged what came back; the second time the line says how often."""
    taken = done(STEPS["acknowledge"](incident())).incident
    resolved = done(resolve(done(STEPS["mitigate"](taken)).incident, now=NOW, actor="U0ANA")).incident
    first = done(STEPS["reopen"](resolved))
    again = first.incident
    assert (again.reopened, again.acknowledged_by, again.resolved_by) == (1, "", "")
    assert again.acknowledged_at is again.mitigated_at is again.resolved_at is None
    assert first.entry.text == "reopened: BotHardStopActive fires again"
    second = done(STEPS["reopen"](done(STEPS["resolve"](again)).incident))
    assert second.entry.text.endswith(", 2 times now")


@pytest.mark.parametrize(
    ("joins", "counts"),
    [
        (Severity.SEV1, Severity.SEV1),
        (Severity.SEV2, Severity.SEV2),
        (Severity.SEV3, Severity.SEV2),
    ],
)
def test_something_new_wakes_a_quiet_incident_and_the_worst_severity_counts(
    joins: Severity, counts: Severity
) -> None:
    """A milder signal that joins makes an incident no milder."""
    joined = join(replace(incident(A), quiet=True), severity=joins, now=NOW)
    assert (joined.quiet, joined.severity, joined.status, joined.changed_at) == (False, counts, A, NOW)
    assert join(joined, severity=joins, now=NOW) == joined


def test_what_joins_later_moves_when_the_incident_was_last_seen() -> None:
    """Also where it changes nothing else."""
    later = NOW + timedelta(seconds=1)
    first = join(incident(A), severity=Severity.SEV3, now=NOW)
    assert first.last_seen_at == NOW
    assert join(first, severity=Severity.SEV3, now=later) == replace(
        first, changed_at=later, last_seen_at=later
    )

"""What speaks against an action that a person asks for: shown in the plan as a warning, by the newest triage about it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.bot.slack.blocks.samples import OPENED, incident
from tests.triage.diagnosis.evidence import bot, box, finding
from triage.actions.fitness import is_about
from triage.actions.objections import objections
from triage.desk import Desk
from triage.model import (
    Cause,
    Episode,
    Finding,
    Incident,
    RunStatus,
    Subject,
    SubjectKind,
    TriageRun,
    Verdict,
)
from triage.plans.plan import Holds
from triage.plans.record import ActionRecord
from triage.ports.store import Tx

LIMIT = bot(state="hard_stop", reasons=["drawdown_hard_limit"])


def cause(name: str, subject: str = "bot1", *, stands: bool = True) -> Cause:
    """Make a cause of a verdict."""
    return Cause(name, name, 0.95, (), stands=stands, strength="certain", subject=subject)


def store(
    *incidents: Incident,
    findings: tuple[Finding, ...] = (),
    causes: tuple[Cause, ...] = (),
    episodes: tuple[Episode, ...] = (),
    triaged: bool = True,
) -> Tx:
    """Stand for a store with these incidents, each triaged alike."""

    def latest(incident_id: int, status: RunStatus) -> TriageRun | None:
        assert status is RunStatus.DONE
        run = TriageRun(
            id=7,
            incident_id=incident_id,
            reason="opened",
            requested_at=OPENED,
            status=RunStatus.DONE,
            findings=findings,
            verdict=Verdict(causes),
        )
        return run if triaged else None

    kept: Any = SimpleNamespace(
        runs=SimpleNamespace(latest=latest),
        incidents=SimpleNamespace(
            get=lambda number: next((each for each in incidents if each.id == number), None),
            open=lambda: list(incidents),
            notable_episodes=lambda _: list(episodes),
        ),
    )
    return cast("Tx", kept)


def asked(kind: str, target: str = "bot1", **changes: Any) -> ActionRecord:  # noqa: ANN401 - any field
    """Make an action that somebody asks for by name."""
    return ActionRecord(
        kind=kind,
        target=target,
        why="because",
        proposed_by="U1",
        proposed_at=OPENED,
        expires_at=OPENED,
        changed_at=OPENED,
        **changes,
    )


def told(tx: Tx, record: ActionRecord) -> list[str]:
    """Return what the plan says, without the words that all of it begins with; each is a warning."""
    found = objections(tx, Desk(), record)
    assert {each.holds for each in found} <= {Holds.WARNING}
    assert all(each.text.startswith("speaks against it, by the triage of INC-42: ") for each in found)
    return [each.text.partition(": ")[2] for each in found]


def test_a_guard_that_stopped_the_bot_speaks_against_a_restart() -> None:
    """The evidence of the newest triage says it, whether or not a cause was believed."""
    assert told(store(incident(), findings=(LIMIT, box())), asked("restart")) == [
        "a guard stopped the bot on purpose: a start would go past it"
    ]


def test_a_cause_that_stands_speaks_against_what_it_makes_useless() -> None:
    """Once, though the evidence and the cause may say the same; one that does not stand says nothing."""
    refused = (cause("credentials_refused"), cause("credentials_refused"))
    assert told(store(incident(), causes=refused, findings=(box(),)), asked("restart")) == [
        "it would ask with the same key"
    ]
    doubted = (cause("credentials_refused", stands=False),)
    assert told(store(incident(), causes=doubted, findings=(box(),)), asked("restart")) == []


@pytest.mark.parametrize(
    ("subject", "target", "speaks"),
    [
        ("bot3", "bot1", False),
        ("bot1, bot3", "bot1", True),
        ("hbot-bot1", "bot1", True),
        ("", "bot1", True),
        ("bot11", "bot1", False),
    ],
)
def test_a_cause_of_another_bot_does_not_speak_against_it(subject: str, target: str, *, speaks: bool) -> None:
    """In an incident of several, what is true of one is not said of the other; who names nobody means all."""
    tx = store(incident(), causes=(cause("credentials_refused", subject),), findings=(box(),))
    assert bool(told(tx, asked("restart", target))) is speaks


def test_the_incident_that_it_was_asked_in_counts_before_any_other() -> None:
    """The number stands in the record: another open one about the same bot is not looked at."""
    mine = incident(id=42)
    other = incident(id=43)
    tx = store(mine, other, causes=(cause("credentials_refused"),), findings=(box(),))
    assert told(tx, asked("restart", incident_id=42)) == ["it would ask with the same key"]


def test_without_an_incident_of_it_nothing_is_known_and_nothing_said() -> None:
    """Nor where it was never triaged, nor for what another action brought about by itself."""
    elsewhere = incident(subjects=(Subject(SubjectKind.BOT, "bot3"),))
    refused = (cause("credentials_refused"),)
    assert told(store(elsewhere, causes=refused), asked("restart")) == []
    assert told(store(incident(), causes=refused, triaged=False), asked("restart")) == []
    assert told(store(incident(), causes=refused), asked("restart", parent_id=3)) == []
    assert told(store(), asked("restart", incident_id=9)) == []


def test_what_is_about_the_container_is_about_its_bot_and_the_desk_is_about_all() -> None:
    """A container's incident is its bot's; a cause of one thing touches an action on the desk."""
    boxed = incident(subjects=(Subject(SubjectKind.CONTAINER, "hbot-bot1"),))
    full = finding("host", {"hosts": {"node-1": {"disk": 0.99}}})
    assert told(store(boxed, findings=(full, box())), asked("restart")) == [
        "the disk is full or almost: a start needs room too"
    ]
    assert is_about(Desk(), cause("redis_down", "hbot-redis"), "desk")
    assert not is_about(Desk(), cause("redis_down", "hbot-redis"), "bot1")

"""An incident written out: everything that was stored is in it, and nothing untrusted breaks it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.store import SqlStore
from tests.fakes.clock import ManualClock
from triage.desk import Desk
from triage.errors import Refused
from triage.incidents import operations
from triage.incidents.intake import Intake
from triage.memory.people import remember
from triage.model import (
    Cause,
    Finding,
    FindingStatus,
    RunStatus,
    Severity,
    Signal,
    SignalStatus,
    Source,
    Subject,
    SubjectKind,
    Verdict,
)
from triage.plans.record import ActionRecord, ActionStatus, Confirmation, StepRecord, StepStatus
from triage.ports.store import Tx
from triage.reports.postmortem.gather import Postmortem, StoryEvent, gather
from triage.reports.postmortem.markdown import as_markdown
from triage.reports.postmortem.story import story

HOSTILE = "bot1 | <script>alert(1)</script> `x` [link](http://evil) *b*\n# head"


def alert(clock: ManualClock, status: SignalStatus) -> Signal:
    """Return an alert whose summary is hostile."""
    now = clock.now()
    return Signal(
        source=Source.ALERTMANAGER,
        episode="f/1",
        status=status,
        name="BotHardStopActive",
        subject=Subject(SubjectKind.BOT, "bot1"),
        severity=Severity.SEV1,
        starts_at=now,
        received_at=now,
        ends_at=now if status is SignalStatus.RESOLVED else None,
        annotations={"summary": HOSTILE},
    )


def live_through(tx: Tx, clock: ManualClock) -> None:
    """Let an incident open, be triaged, taken, treated, and end."""
    intake = Intake(Desk(), lambda one: f"{one.subject} hard_stop")
    tx.signals.add([alert(clock, SignalStatus.FIRING)])
    intake.sort_inbox(tx, clock.now())
    run = tx.runs.latest(1)
    assert run is not None
    findings = (
        Finding("bot_state", FindingStatus.CRITICAL, "hard_stop for 4 min", "Prometheus"),
        Finding("streams", FindingStatus.UNKNOWN, "not known", "Redis", why="not configured"),
    )
    cause = Cause("drawdown_limit", "Drawdown passed the hard limit.", 0.92, ("risk reason", "equity −2.6 %"))  # noqa: RUF001
    done = replace(
        run, status=RunStatus.DONE, finished_at=clock.now(), findings=findings, verdict=Verdict((cause,))
    )
    tx.runs.finish(done)
    clock.move(minutes=20)
    remember(tx, "U0ANA00001", "ana")
    operations.acknowledge(tx, 1, actor="U0ANA00001", now=clock.now())
    operations.record_denied(tx, 1, actor="U0VIK00001", what="resolve incidents", now=clock.now())
    _act(tx, clock)
    clock.move(minutes=10)
    tx.signals.add([replace(alert(clock, SignalStatus.RESOLVED))])
    intake.sort_inbox(tx, clock.now())


def _act(tx: Tx, clock: ManualClock) -> None:
    now = clock.now()
    confirmed = Confirmation("U0ANA00001", now, "stale code after 02:55", "d")
    record = tx.actions.add(
        ActionRecord(
            kind="clear_cache",
            target="bot1",
            why="stale",
            proposed_by="verdict",
            proposed_at=now,
            expires_at=now + timedelta(minutes=30),
            changed_at=now,
            incident_id=1,
            status=ActionStatus.SUCCEEDED,
            confirmations=(confirmed,),
            started_at=now,
            finished_at=now,
            outcome="done",
        )
    )
    step = StepRecord(
        number=1,
        title="remove bytecode",
        shown="docker exec …",
        status=StepStatus.DONE,
        started_at=now,
        finished_at=now + timedelta(seconds=3),
    )
    tx.actions.put_steps(record.id, [step])
    tx.audit.append(
        at=now, actor="U0ANA00001", event="action.confirmed", target="clear_cache bot1",
        detail={"action": record.id, "incident": "INC-1"},
    )  # fmt: skip
    tx.audit.append(
        at=now,
        actor="U0BEN00001",
        event="action.confirmed",
        target="restart bot2",
        detail={"incident": "INC-11"},
    )


@pytest.fixture
async def post(store: SqlStore) -> Postmortem:
    """Give the postmortem of an incident that was lived through."""
    clock = ManualClock()
    await store.write(lambda tx: live_through(tx, clock))
    return await store.read(lambda tx: gather(tx, 1, clock.now()))


async def test_the_template_of_the_desk_is_filled(post: Postmortem) -> None:
    """Timeline, root cause, impact, corrective action, prevention tasks, in this order."""
    text = as_markdown(post)
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert heads == [
        "## Timeline",
        "## Root cause",
        "## Impact",
        "## Corrective action",
        "## Prevention tasks",
        "## Evidence",
        "## Audit trail",
    ]
    assert "| Acknowledged after | 20 min by @ana |" in text
    assert "| Lasted | 30 min |" in text


def test_a_restart_loop_is_one_line_and_what_people_did_stands_out() -> None:
    """A hundred turns of a loop hide nothing; a pause of an hour makes it another loop."""
    start = datetime(2026, 2, 20, 6, 31, tzinfo=UTC)
    moments: list[StoryEvent] = []
    for turn in range(34):
        at = start + timedelta(seconds=21 * turn)
        moments.append(StoryEvent(at, "", "container", f"hbot-redis died by itself (exit code 1{turn % 2})"))
        moments.append(StoryEvent(at + timedelta(seconds=2), "", "container", "hbot-redis started"))
    moments.append(StoryEvent(start + timedelta(minutes=5), "@ana", "operator", "acknowledged"))
    moments.append(StoryEvent(start + timedelta(hours=2), "", "container", "hbot-redis started"))
    told = story(sorted(moments, key=lambda moment: moment.at))
    assert [(f"{line.at:%H:%M:%S}", line.who, line.what, line.person) for line in told] == [
        ("06:31:00", "container", "hbot-redis died by itself (exit code 10): 34 times 06:31–06:42", False),  # noqa: RUF001
        ("06:31:02", "container", "hbot-redis started: 34 times 06:31–06:42", False),  # noqa: RUF001
        ("06:36:00", "@ana", "acknowledged", True),
        ("08:31:00", "container", "hbot-redis started", False),
    ]


async def test_people_are_bold_in_the_timeline(post: Postmortem) -> None:
    """Their rows are found at a glance."""
    assert "| **@ana** | **acknowledged** |" in as_markdown(post)


async def test_the_root_cause_is_the_verdicts_with_its_reasons(post: Postmortem) -> None:
    """Ranked, with how sure it is in words, to be confirmed by people."""
    text = as_markdown(post)
    assert "1. Almost certain: Drawdown passed the hard limit: risk reason; equity" in text
    assert "to be confirmed" in text


async def test_the_corrective_action_says_who_why_what_and_whether_it_helped(post: Postmortem) -> None:
    """Confirmations, reasons, steps with their time, verification."""
    text = as_markdown(post)
    assert "- **Clear cache on bot1**: succeeded, confirmed by @ana" in text
    assert "  - reason: stale code after 02:55" in text
    assert "  - step 1: remove bytecode: done, 3 s" in text
    assert "  - verified: not yet" in text


async def test_prevention_names_what_the_incident_itself_shows(post: Postmortem) -> None:
    """The unknown source, the slow acknowledgement, the denied person."""
    text = as_markdown(post)
    for task in (
        "streams (not configured)",
        "It took 20 min until somebody took it",
        "Somebody without the role",
    ):
        assert task in text
    assert text.count("- [ ] ") == len(post.prevention) + 1


async def test_the_audit_trail_is_this_incidents_alone(post: Postmortem) -> None:
    """INC-1 is not INC-11."""
    events = [(entry.event, entry.target) for entry in post.audit]
    assert ("action.confirmed", "clear_cache bot1") in events
    assert ("denied", "INC-1") in events
    assert all("bot2" not in target for _, target in events)


async def test_untrusted_text_breaks_no_table_and_makes_no_link(post: Postmortem) -> None:
    """Pipes, tags, links and heads of an annotation stay letters."""
    text = as_markdown(post)
    assert "<script>" not in text
    assert "[link](" not in text
    assert "\n# head" not in text
    [row] = [line for line in text.splitlines() if "script" in line]
    assert row.replace(r"\|", "").count("|") == 6


async def test_the_json_holds_the_same(post: Postmortem) -> None:
    """Plain JSON, with the chain's digests."""
    body = json.loads(json.dumps(post.to_json()))
    assert body["incident"]["number"] == "INC-1"
    assert body["timeline"][0]["at"].endswith("Z")
    assert body["actions"][0]["by"] == ["@ana"]
    assert len(body["audit"][0]["digest"]) == 64


async def test_an_unknown_incident_is_refused_with_where_to_look(store: SqlStore) -> None:
    """No empty postmortem of nothing."""
    with pytest.raises(Refused, match="There is no incident INC-7"):
        await store.read(lambda tx: gather(tx, 7, ManualClock().now()))

"""Who may confirm what and when: on both databases, first confirm wins, one action at a time per target."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from bot.store import SqlStore
from bot.store.audit import broken_links
from tests.bot.slack.blocks import samples
from tests.fakes.clock import START, ManualClock
from triage.actions import completion, confirmation, lifecycle, proposals
from triage.actions.authority import no_longer_allowed
from triage.actions.context import ActionServices
from triage.actions.runner import ActionRunner
from triage.desk import Desk
from triage.desk_sections.roles import ActionPolicy, Role, RoleSettings
from triage.errors import Refused, SourceUnreachable
from triage.incidents.notifications import tell_card
from triage.model import (
    ActionProposal,
    Cause,
    Finding,
    FindingStatus,
    Incident,
    IncidentStatus,
    RunStatus,
    Severity,
    Subject,
    SubjectKind,
    TriageRun,
    Verdict,
)
from triage.plans.operations import ComposeCall
from triage.plans.plan import Plan, Step
from triage.plans.record import ActionRecord, ActionStatus, Confirmation, Evidence
from triage.plans.verification import Verification, VerificationOutcome
from triage.ports.store import Tx
from triage.roles import Roles

pytest_plugins = ["tests.stores"]
DESK = Desk(actions={"rollback": ActionPolicy(confirmations=2)})


def plan(kind: str, target: str, word: str = "up") -> Plan:
    """Return a plan of one step."""
    return Plan(
        kind,
        target,
        f"{kind} {target}",
        (Step("do it", ComposeCall("restart", target, external=True, line=f"compose {word}")),),
    )


def proposed(tx: Tx, kind: str = "restart", target: str = "bot1") -> tuple[ActionRecord, str]:
    """Propose, keep a plan, and return both the record and the plan's digest."""
    record = proposals.propose(tx, DESK, ActionProposal(kind, target, "why"), by="U1", now=START)
    made = plan(kind, target)
    tx.actions.keep_plan(record.id, made)
    return record, made.digest


def confirm(
    handle: str, digest: str, actor: str = "U1", reason: str = "because"
) -> Callable[[Tx], ActionRecord]:
    """Return the unit of work that confirms."""
    return lambda tx: confirmation.confirm(
        tx, DESK, handle, digest=digest, actor=actor, reason=reason, now=START + timedelta(minutes=1)
    )


async def test_of_two_people_who_confirm_at_once_one_wins(store: SqlStore) -> None:
    """The other is told politely; there is one confirmation, one lock, one plan."""
    record, digest = await store.write(proposed)
    answers = await asyncio.gather(
        *(store.write(confirm(record.handle, digest, actor)) for actor in ("U1", "U2", "U3")),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, ActionRecord) for answer in answers) == 1
    assert all("already" in str(answer) for answer in answers if isinstance(answer, Refused))
    after = await store.read(lambda tx: tx.actions.get(record.id))
    assert after is not None
    assert (after.status, len(after.confirmations)) == (ActionStatus.CONFIRMED, 1)


async def test_two_actions_on_one_target_do_not_go_together(store: SqlStore) -> None:
    """While one holds bot1, another on bot1 or on the desk is refused; one on bot2 is not."""
    first, one = await store.write(proposed)
    await store.write(confirm(first.handle, one))
    second, two = await store.write(lambda tx: proposed(tx, "clear_cache", "bot1"))
    whole, three = await store.write(lambda tx: proposed(tx, "stop_desk", "desk"))
    other, four = await store.write(lambda tx: proposed(tx, "restart", "bot2"))
    for handle, digest in ((second.handle, two), (whole.handle, three)):
        with pytest.raises(Refused, match="restart on bot1 is under way"):
            await store.write(confirm(handle, digest))
    await store.write(confirm(other.handle, four))


async def test_the_desk_excludes_its_bots(store: SqlStore) -> None:
    """While the desk is held, no bot can be."""
    whole, digest = await store.write(lambda tx: proposed(tx, "stop_desk", "desk"))
    await store.write(confirm(whole.handle, digest))
    bot, two = await store.write(proposed)
    with pytest.raises(Refused, match="stop_desk on desk is under way"):
        await store.write(confirm(bot.handle, two))


async def test_two_people_means_two_different_ones_and_the_same_plan(store: SqlStore) -> None:
    """The first cannot be the second, and the second confirms exactly what the first saw."""
    record, digest = await store.write(lambda tx: proposed(tx, "rollback", "bot1"))
    first = await store.write(confirm(record.handle, digest))
    assert first.awaits_second
    with pytest.raises(Refused, match="second, different person"):
        await store.write(confirm(record.handle, digest))
    other = plan("rollback", "bot1", "down")
    await store.write(lambda tx: tx.actions.keep_plan(record.id, other))
    with pytest.raises(Refused, match="no longer the one"):
        await store.write(confirm(record.handle, other.digest, "U2"))
    second = await store.write(confirm(record.handle, digest, "U2"))
    assert second.status is ActionStatus.CONFIRMED


async def test_two_operators_at_once_do_not_make_up_for_the_approver(store: SqlStore) -> None:
    """Both were let in as the first of two; the faster one is, the other has to be looked at again."""
    record, digest = await store.write(lambda tx: proposed(tx, "rollback", "bot1"))

    def as_first(actor: str) -> Callable[[Tx], ActionRecord]:
        return lambda tx: confirmation.confirm(
            tx, DESK, record.handle, digest=digest, actor=actor, reason="now", now=START, seen=0
        )

    await store.write(as_first("U1"))
    with pytest.raises(Refused, match="at the same moment"):
        await store.write(as_first("U2"))
    after = await store.read(lambda tx: tx.actions.get(record.id))
    assert after is not None
    assert after.awaits_second


@dataclass
class Groups:
    """Who is in a group; not to be found out where ``away``."""

    members_now: set[str]
    away: bool = False

    async def members(self, group_id: str) -> frozenset[str]:
        """Return them."""
        if self.away:
            raise SourceUnreachable("Slack", f"{group_id} cannot be asked for")
        return frozenset(self.members_now)


TWO = Desk(
    roles=RoleSettings(
        operator=Role(groups=frozenset({"S0OPS00001"})), approver=Role(users=frozenset({"U2"}))
    ),
    actions={"rollback": ActionPolicy(confirmations=2)},
)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (Groups({"U1"}), {}),
        (Groups(set()), {"U1": "no longer operator"}),
        (Groups({"U1"}, away=True), {"U1": "the role could not be checked"}),
    ],
)
async def test_who_lost_the_role_meanwhile_does_not_count(
    store: SqlStore, groups: Groups, said: dict[str, str]
) -> None:
    """The first of two left the group before the last confirms, or before the first step: nothing is done by it."""
    roles = Roles(TWO.roles, groups)
    record, digest = await store.write(lambda tx: proposed(tx, "rollback", "bot1"))
    first = await store.write(confirm(record.handle, digest, "U1"))
    assert await no_longer_allowed(roles, TWO, first) == said
    both = await store.write(confirm(record.handle, digest, "U2"))
    assert await no_longer_allowed(roles, TWO, both) == said, (
        "the second is an approver, the first an operator"
    )

    services = ActionServices(
        store=store,
        desk=TWO,
        sources=cast("Any", None),
        access=cast("Any", None),
        clock=ManualClock(START),
        roles=roles,
    )
    runner = ActionRunner(services, cast("Any", None), owner="here", wake_sender=lambda: None)
    if said:
        refused, _ = await runner._look(both)
        assert refused == [f"the confirmation of U1 ({said['U1']}) does not count any more"]
    third, digest = await store.write(lambda tx: proposed(tx, "rollback", "bot2"))
    await store.write(confirm(third.handle, digest, "U1"))
    if said:
        await store.write(lambda tx: confirmation.withdraw(tx, third.handle, said, now=START))
        after = await store.read(lambda tx: tx.actions.get(third.id))
        assert after is not None
        assert (after.status, after.confirmations) == (ActionStatus.PROPOSED, ())


@pytest.mark.parametrize("handle", ["", "made-up", "x" * 5000, "' OR 1=1 --", "\0"])
async def test_a_forged_handle_finds_nothing(store: SqlStore, handle: str) -> None:
    """Whatever the button carries: nothing is found, nothing is done."""
    await store.write(proposed)
    with pytest.raises(Refused, match="do not know this button"):
        await store.write(confirm(handle, "0" * 64))


async def test_a_plan_that_was_never_shown_cannot_be_confirmed(store: SqlStore) -> None:
    """A forged digest, or one of another action, is refused."""
    record, _ = await store.write(proposed)
    _, foreign = await store.write(lambda tx: proposed(tx, "restart", "bot2"))
    for digest in ("0" * 64, foreign, ""):
        with pytest.raises(Refused, match="do not know the plan"):
            await store.write(confirm(record.handle, digest))


async def test_a_proposal_ends_after_thirty_minutes(store: SqlStore) -> None:
    """Late is refused with the time it was made; the job then marks it."""
    record, digest = await store.write(proposed)
    late = START + timedelta(minutes=31)
    with pytest.raises(Refused, match="expired"):
        await store.write(
            lambda tx: confirmation.confirm(
                tx, DESK, record.handle, digest=digest, actor="U1", reason="late", now=late
            )
        )
    assert await store.write(lambda tx: proposals.expire_due(tx, late, proposals.open_ids(tx))) == 1
    after = await store.read(lambda tx: tx.actions.get(record.id))
    assert after is not None
    assert after.status is ActionStatus.EXPIRED


def incident(tx: Tx, status: IncidentStatus = IncidentStatus.TRIGGERED) -> Incident:
    """Store an incident about bot1."""
    subject = Subject(SubjectKind.BOT, "bot1")
    return tx.incidents.save(
        Incident(
            id=0,
            title="t",
            name="n",
            subjects=(subject,),
            severity=Severity.SEV1,
            status=status,
            opened_at=START,
            changed_at=START,
        )
    )


def run(tx: Tx, about: Incident, status: FindingStatus) -> TriageRun:
    """Store a finished run whose verdict proposes a restart on one finding."""
    restart = ActionProposal("restart", "bot1", "it hangs")
    cause = Cause("hang", "It hangs.", 0.9, (), actions=(restart,), findings=("bot_state",))
    run_id = tx.runs.queue(about.id, "test", START)
    finding = Finding("bot_state", status, "frozen", "Prometheus")
    done = TriageRun(
        id=run_id,
        incident_id=about.id,
        reason="test",
        requested_at=START,
        status=RunStatus.DONE,
        finished_at=START,
        findings=(finding,),
        verdict=Verdict((cause,), (restart,)),
    )
    tx.runs.finish(done)
    proposals.propose_from_run(tx, DESK, about, done, START)
    return done


async def test_other_evidence_ends_a_proposal_and_the_same_renews_it(store: SqlStore) -> None:
    """A second triage that sees the same keeps the button; one that sees something else makes a new one."""
    about = await store.write(incident)
    await store.write(lambda tx: run(tx, about, FindingStatus.CRITICAL))
    await store.write(lambda tx: run(tx, about, FindingStatus.CRITICAL))
    [first] = await store.read(lambda tx: tx.actions.proposed())
    await store.write(lambda tx: run(tx, about, FindingStatus.WARNING))
    [second] = await store.read(lambda tx: tx.actions.proposed())
    assert second.handle != first.handle
    with pytest.raises(Refused, match="evidence changed"):
        await store.write(confirm(first.handle, "0" * 64))


async def test_a_click_on_a_closed_incident_does_nothing(store: SqlStore) -> None:
    """Its proposals are void, whatever message they stand in."""
    about = await store.write(incident)
    await store.write(lambda tx: run(tx, about, FindingStatus.CRITICAL))
    [record] = await store.read(lambda tx: tx.actions.proposed())
    await store.write(lambda tx: tx.incidents.save(replace(about, status=IncidentStatus.RESOLVED)))
    with pytest.raises(Refused, match="is resolved"):
        await store.write(confirm(record.handle, "0" * 64))


async def test_what_people_did_is_in_the_audit_trail_unbroken(store: SqlStore) -> None:
    """Proposed, confirmed with its reason and plan, rejected, expired: all chained."""
    record, digest = await store.write(proposed)
    await store.write(confirm(record.handle, digest, reason="the reason"))
    other, _ = await store.write(lambda tx: proposed(tx, "restart", "bot2"))
    await store.write(lambda tx: confirmation.reject(tx, other.handle, actor="U2", now=START))
    entries = await store.read(lambda tx: tx.audit.entries())
    assert [entry.event for entry in entries] == [
        "action.proposed", "action.confirmed", "action.proposed", "action.rejected",
    ]  # fmt: skip
    assert entries[1].detail["reason"] == "the reason"
    assert entries[1].detail["plan"] == digest
    assert broken_links(entries) == []


@pytest.mark.parametrize("again", [False, True])
async def test_an_action_that_helped_mitigates_its_incident_and_the_trail_says_so(
    store: SqlStore, *, again: bool
) -> None:
    """Recovered after it succeeded: the incident is mitigated, and the trail names the action and who confirmed it.

    Not where an alert of the incident fires that began after the action had ended.
    """
    about = await store.write(incident)

    def helped(tx: Tx) -> None:
        at = START + timedelta(minutes=20 if again else -5)
        tx.incidents.put_episode(replace(samples.episode(), incident_id=about.id, starts_at=at))
        tell_card(tx, about, START)
        proposal = ActionProposal("restart", "bot1", "why")
        record = proposals.propose(tx, DESK, proposal, by="U1", now=START, incident_id=about.id)
        record = replace(record, confirmations=(Confirmation("U1", START, "because", ""),))
        done = completion.finish(tx, DESK, record, ActionStatus.SUCCEEDED, outcome="", now=START)
        late = START + timedelta(hours=1)  # nothing is asked again by then
        completion.verified(tx, DESK, done, Verification(VerificationOutcome.RECOVERED, late, ()), late)

    await store.write(helped)
    after = await store.read(lambda tx: tx.incidents.get(about.id))
    entries = await store.read(lambda tx: tx.audit.entries())
    assert after is not None
    if again:
        assert after.status is IncidentStatus.TRIGGERED
        assert not [entry for entry in entries if entry.event == "incident.mitigate"]
        return
    assert after.status is IncidentStatus.MITIGATED
    [line] = [entry for entry in entries if entry.event == "incident.mitigate"]
    assert (line.actor, line.target) == ("engine", about.number)
    assert line.detail["why"] == "Restart on bot1 by @U1"
    assert broken_links(entries) == []


def test_a_reason_is_asked_for() -> None:
    """An empty one confirms nothing."""
    record = ActionRecord(
        kind="restart",
        target="bot1",
        why="",
        proposed_by="U1",
        proposed_at=START,
        expires_at=START + lifecycle.LIFE,
        changed_at=START,
        evidence=Evidence(),
    )
    with pytest.raises(Refused, match="reason"):
        lifecycle.confirm(record, plan("restart", "bot1"), actor="U1", reason="  ", needed=1, now=START)

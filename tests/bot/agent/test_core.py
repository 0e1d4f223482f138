"""What the agent judges by itself, whatever the bot says: plans, people, turns, times, limits; and what it remembers."""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.agent.core import LINES_PER_HOUR, LocalAgent
from bot.agent.people import why_not_known
from bot.agent.record import AgentRecord
from tests.fakes.clock import ManualClock
from triage.desk import Desk
from triage.desk_sections.roles import ActionPolicy, AgentPeople, AgentSettings, Role, RoleSettings
from triage.errors import DeskFailure, Refused, SettingError
from triage.plans import agent_orders
from triage.plans.agent_orders import ComposeOrder, Order
from triage.ports.actions import NightlySnapshot, Performed, ShownPlan

START = datetime(2026, 2, 20, 12, 0, tzinfo=UTC)
REST = "0" * 64
RESTART: tuple[Order, ...] = (ComposeOrder("restart", "bot1"),)
ROLLBACK: tuple[Order, ...] = (
    agent_orders.ExtractOrder("bot1", "20260219_040000", before_rollback=False, sha256="a" * 64),
    ComposeOrder("stop", "bot1"),
    agent_orders.TakeSnapshotOrder("bot1", "20260221_120000"),
    agent_orders.SwapOrder("bot1"),
    ComposeOrder("recreate", "bot1"),
    agent_orders.DiscardOrder("bot1"),
)


@dataclass
class FakeExecutor:
    """Notes what is done; fails where the test says so."""

    done: list[Order] = field(default_factory=list)
    nightly: list[str] = field(default_factory=list)
    fails: bool = False
    breaks: type[BaseException] | None = None

    async def do(self, order: Order, token: str, on_output: Callable[[str], None]) -> Performed:
        """Do it."""
        del token, on_output
        self.done.append(order)
        if self.breaks is not None:
            raise self.breaks
        if self.fails:
            raise DeskFailure("no room")
        return Performed(ok=True, note="exit 0")

    async def tidy(self, bot: str, token: str) -> None:
        """Nothing lies there."""

    async def keep_snapshot(self, bot: str, stamp: str) -> NightlySnapshot:
        """Take one."""
        self.nightly.append(f"{bot}_{stamp}")
        return NightlySnapshot(f"{bot}_{stamp}.tar.gz", "a" * 64, ())


@dataclass
class Ward:
    """An agent on fakes, whose record is a real file."""

    path: Path
    desk: Desk = field(default_factory=Desk)
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    executor: FakeExecutor = field(default_factory=FakeExecutor)
    agent: LocalAgent = field(init=False)
    record: AgentRecord = field(init=False)

    def __post_init__(self) -> None:
        """Start it."""
        self.begin()

    def begin(self) -> None:
        """Start an agent on the record as it is."""
        self.record = AgentRecord.opened(self.path)
        self.agent = LocalAgent(self.desk, cast("Any", self.executor), self.record, self.clock)

    def again(self) -> None:
        """Start anew, as after a kill."""
        self.record.close()
        self.begin()

    async def perform(self, token: str, number: int) -> Performed:
        """Ask for one step."""
        return await self.agent.perform(token, number, lambda _: None)

    def told(self) -> list[str]:
        """Return what the record tells, a word a line."""
        return [json.loads(line)["what"] for line in self.path.read_text().splitlines()]


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    """Give an agent of the desk of the runbooks."""
    return Ward(tmp_path / "record.jsonl")


def shown(
    kind: str = "restart",
    target: str = "bot1",
    steps: Sequence[Order] = RESTART,
    number: int = 1,
    actor: str = "U1",
) -> ShownPlan:
    """Return what the agent is shown when somebody confirms."""
    token = f"{number:024x}"
    return ShownPlan(
        token=token,
        kind=kind,
        target=target,
        orders=tuple(enumerate(steps, start=1)),
        rest=REST,
        actor=actor,
        reason="because",
    )


TOKEN = shown().token


async def test_a_step_of_a_confirmed_plan_is_done_once(ward: Ward) -> None:
    """Asked for again it is refused, by this process and by the next one that reads the record."""
    await ward.agent.confirm(shown())
    assert (await ward.perform(TOKEN, 1)).ok
    with pytest.raises(Refused, match="begun already"):
        await ward.perform(TOKEN, 1)
    ward.again()
    with pytest.raises(Refused, match="begun already"):
        await ward.perform(TOKEN, 1)
    with pytest.raises(Refused, match="begun already"):
        await ward.agent.confirm(shown())
    assert ward.executor.done == [*RESTART]
    assert ward.told()[:3] == ["confirmed", "begun", "done"]


async def test_what_was_not_confirmed_is_not_done(ward: Ward) -> None:
    """An action nobody showed, a step the plan does not have."""
    with pytest.raises(Refused, match="not shown the plan"):
        await ward.perform(TOKEN, 1)
    await ward.agent.confirm(shown())
    with pytest.raises(Refused, match="nothing for the agent in step 2"):
        await ward.perform(TOKEN, 2)
    assert ward.executor.done == []


@pytest.mark.parametrize(
    ("kind", "target", "steps"),
    [
        ("restart", "bot1", (ComposeOrder("restart", "bot2"),)),
        ("restart", "bot1", (ComposeOrder("down"),)),
        ("restart", "bot1", (*RESTART, ComposeOrder("down"))),
        ("restart", "bot9", (ComposeOrder("restart", "bot9"),)),
        ("restart", "desk", RESTART),
        ("format_disk", "bot1", RESTART),
        ("soft_pause", "bot1", RESTART),
        ("clear_cache", "bot1", (ComposeOrder("recreate", "bot1"), agent_orders.RemoveCachesOrder("bot1"))),
        ("clear_cache", "bot1", (agent_orders.RemoveCachesOrder("bot2"), ComposeOrder("recreate", "bot1"))),
        ("rollback", "bot1", (*ROLLBACK[:3], agent_orders.SwapOrder("bot2"), *ROLLBACK[4:])),
        ("rollback", "bot1", tuple(reversed(ROLLBACK))),
        (
            "disable_internal_paper",
            "bot1",
            (
                agent_orders.SetControllerOrder("bot1", "a" * 64, "internal_paper_enabled", value=True),
                ComposeOrder("recreate", "bot1"),
            ),
        ),
        ("degraded_mode", "desk", (ComposeOrder("stop", "redis"), ComposeOrder("up_rest", external=False))),
    ],
)
async def test_a_plan_that_the_catalogue_does_not_make_is_refused(
    ward: Ward, kind: str, target: str, steps: tuple[Order, ...]
) -> None:
    """Another service, another order, one more step, a kind or a target that is none."""
    with pytest.raises(Refused, match=r"no plan of|no .* of this desk|no action|Nothing was done"):
        await ward.agent.confirm(shown(kind, target, steps))
    with pytest.raises(Refused):
        await ward.perform(TOKEN, 1)
    assert ward.told()[0] == "refused"


async def test_steps_come_in_their_turn_and_not_after_a_failure(ward: Ward) -> None:
    """Nothing is put in place before the snapshot, nor after a step that failed."""
    await ward.agent.confirm(shown("rollback", "bot1", ROLLBACK))
    with pytest.raises(Refused, match="step 1 comes before"):
        await ward.perform(TOKEN, 4)
    assert (await ward.perform(TOKEN, 1)).ok
    ward.executor.fails = True
    assert await ward.perform(TOKEN, 2) == Performed(ok=False, note="no room")
    ward.executor.fails = False
    with pytest.raises(Refused, match="step 2 comes before, and it is failed"):
        await ward.perform(TOKEN, 3)


async def test_two_people_confirm_where_desk_yaml_asks_for_two(tmp_path: Path) -> None:
    """One person twice is one; and both must have confirmed the same plan."""
    ward = Ward(tmp_path / "r.jsonl", Desk(actions={"restart": ActionPolicy(confirmations=2)}))
    await ward.agent.confirm(shown())
    await ward.agent.confirm(shown())
    with pytest.raises(Refused, match="1 of 2 people"):
        await ward.perform(TOKEN, 1)
    await ward.agent.confirm(replace(shown(actor="U2"), rest="1" * 64))
    with pytest.raises(Refused, match="1 of 2 people"):
        await ward.perform(TOKEN, 1)
    await ward.agent.confirm(replace(shown(actor="U1"), rest="1" * 64))
    assert (await ward.perform(TOKEN, 1)).ok


async def test_people_without_a_role_are_refused_where_desk_yaml_names_people_alone(tmp_path: Path) -> None:
    """In the bot's own process it has asked Slack who is in a group."""
    named = Ward(tmp_path / "a.jsonl", Desk(roles=RoleSettings(operator=Role(users=frozenset({"U2"})))))
    with pytest.raises(Refused, match="U1 has not the role operator"):
        await named.agent.confirm(shown())
    await named.agent.confirm(shown(actor="U2"))
    group = Role(users=frozenset({"U2"}), groups=frozenset({"S1"}))
    grouped = Ward(tmp_path / "b.jsonl", Desk(roles=RoleSettings(operator=group)))
    await grouped.agent.confirm(shown())


def _apart(roles: RoleSettings, people: AgentPeople, *, proven: bool = False) -> LocalAgent:
    desk = Desk(roles=roles, agent=AgentSettings(people=people))
    proof = cast("Any", SimpleNamespace(why_not=lambda *_: "")) if proven else None
    return LocalAgent(desk, cast("Any", FakeExecutor()), AgentRecord(), ManualClock(START), proof, apart=True)


_GROUPED = RoleSettings(operator=Role(users=frozenset({"U2"}), groups=frozenset({"S1"})))


async def test_an_agent_apart_does_not_believe_a_group_of_anybody() -> None:
    """Its own list says who is in it; without one, people who are named alone may."""
    alone = _apart(_GROUPED, AgentPeople())
    with pytest.raises(Refused, match=r"U1 is named neither in roles\.operator\.users nor in agent\.people"):
        await alone.confirm(shown())
    await alone.confirm(shown(actor="U2"))
    listed = _apart(_GROUPED, AgentPeople(operator=frozenset({"U1"})))
    with pytest.raises(Refused, match="U7 is named neither"):
        await listed.confirm(shown(actor="U7"))
    await listed.confirm(shown())


async def test_a_group_counts_where_slacks_signature_proves_the_person() -> None:
    """Unless the agent has a list of its own, which then decides."""
    await _apart(_GROUPED, AgentPeople(), proven=True).confirm(shown())
    listed = _apart(_GROUPED, AgentPeople(operator=frozenset({"U7"})), proven=True)
    with pytest.raises(Refused, match="U1 is named neither"):
        await listed.confirm(shown())


@pytest.mark.parametrize(
    ("people", "by_group", "why"),
    [
        (AgentPeople(), False, "roles.approver names groups alone"),
        (AgentPeople(approver=frozenset({"U9"})), False, ""),
        (AgentPeople(), True, ""),
    ],
)
def test_a_role_of_groups_alone_needs_a_list_or_a_proof(
    people: AgentPeople, *, by_group: bool, why: str
) -> None:
    """Nobody could confirm otherwise, and that is found out at the start."""
    roles = RoleSettings(operator=_GROUPED.operator, approver=Role(groups=frozenset({"S2"})))
    found = why_not_known(Desk(roles=roles, agent=AgentSettings(people=people)), by_group=by_group)
    assert found.startswith(why)
    assert bool(found) is bool(why)


async def test_an_operator_is_no_approver(tmp_path: Path) -> None:
    """The kind's own role is asked for, and the second person's, as the bot itself asks."""
    roles = RoleSettings(operator=Role(users=frozenset({"U1", "U2"})), approver=Role(users=frozenset({"U9"})))
    policies = {"restart": ActionPolicy(confirmations=2)}
    ward = Ward(tmp_path / "a.jsonl", Desk(roles=roles, actions=policies))
    await ward.agent.confirm(shown())
    with pytest.raises(Refused, match="U2 has not the role approver"):
        await ward.agent.confirm(shown(actor="U2"))
    await ward.agent.confirm(shown(actor="U1"))  # the same person again, as after a lost answer
    await ward.agent.confirm(shown(actor="U9"))
    assert (await ward.perform(TOKEN, 1)).ok
    alone = Ward(tmp_path / "b.jsonl", Desk(roles=roles, actions={"restart": ActionPolicy(role="approver")}))
    with pytest.raises(Refused, match="U1 has not the role approver"):
        await alone.agent.confirm(shown())


async def test_an_agent_apart_lets_nobody_act_where_nobody_has_a_role(tmp_path: Path) -> None:
    """In the bot's own process the bot has asked already; behind a socket nobody has."""
    ward = Ward(tmp_path / "a.jsonl", Desk())
    apart = LocalAgent(Desk(), cast("Any", ward.executor), AgentRecord(), ward.clock, apart=True)
    with pytest.raises(Refused, match="gives the role operator to nobody"):
        await apart.confirm(shown())
    await ward.agent.confirm(shown())


async def test_a_step_that_is_being_done_holds_its_target_although_its_action_is_over(ward: Ward) -> None:
    """The bot was killed during a step and its next life ended the action: nothing else begins beside the step."""
    going, go_on = asyncio.Event(), asyncio.Event()
    usual = ward.executor.do

    async def slow(order: Order, token: str, on_output: Callable[[str], None]) -> Performed:
        going.set()
        await go_on.wait()
        return await usual(order, token, on_output)

    ward.executor.do = slow  # type: ignore[method-assign]
    await ward.agent.confirm(shown())
    step = asyncio.create_task(ward.perform(TOKEN, 1))
    await going.wait()
    await ward.agent.end(TOKEN)
    ward.clock.move(minutes=16)
    other = shown(number=2)
    await ward.agent.confirm(other)
    with pytest.raises(Refused, match="restart on bot1 is under way"):
        await ward.perform(other.token, 1)
    go_on.set()
    assert (await step).ok
    assert (await ward.perform(other.token, 1)).ok


async def test_a_step_whose_end_the_disk_does_not_take_is_not_told_as_undone(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was done: the service is told to verify it, and the record gets its end before anything else is written."""
    usual = ward.executor.do

    async def full(order: Order, token: str, on_output: Callable[[str], None]) -> Performed:
        def write(*_: object) -> None:
            raise DeskFailure("the disk is full")

        monkeypatch.setattr(AgentRecord, "_write", write)
        return await usual(order, token, on_output)

    ward.executor.do = full  # type: ignore[method-assign]
    await ward.agent.confirm(shown())
    performed = await ward.perform(TOKEN, 1)
    assert (performed.ok, performed.known) == (False, False)
    assert performed.note == "exit 0; the agent's disk did not take that down"
    other = shown(number=2)
    with pytest.raises(DeskFailure, match="full"):
        await ward.agent.confirm(other)
    monkeypatch.undo()
    ward.executor.do = usual  # type: ignore[method-assign]
    await ward.agent.end(TOKEN)
    await ward.agent.confirm(other)
    assert ward.told() == ["confirmed", "begun", "done", "over", "confirmed"]
    assert (await ward.perform(other.token, 1)).ok


async def test_a_step_that_we_fail_in_is_not_told_as_undone_where_the_disk_is_full_too(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk says of the record is another matter: the step may have been done, and is told as unknown."""

    async def breaks(order: Order, token: str, on_output: Callable[[str], None]) -> Performed:
        def write(*_: object) -> None:
            raise DeskFailure("the disk is full")

        monkeypatch.setattr(AgentRecord, "_write", write)
        raise ValueError((order, token, on_output))

    ward.executor.do = breaks  # type: ignore[method-assign]
    await ward.agent.confirm(shown())
    with pytest.raises(ValueError, match="compose"):
        await ward.perform(TOKEN, 1)
    monkeypatch.undo()
    await ward.agent.end(TOKEN)
    assert ward.told() == ["confirmed", "begun", "unknown", "over"]


async def test_one_action_at_a_time_on_a_target_until_it_is_over(ward: Ward) -> None:
    """The desk excludes every bot; an action that is over, or of which nothing is reported, excludes nobody."""
    await ward.agent.confirm(shown("rollback", "bot1", ROLLBACK))
    assert (await ward.perform(TOKEN, 1)).ok
    other, desk = shown(number=2), shown("stop_desk", "desk", (ComposeOrder("down"),), number=3)
    bot2 = shown("restart", "bot2", (ComposeOrder("restart", "bot2"),), number=4)
    for each in (other, desk, bot2):
        await ward.agent.confirm(each)
    for each in (other, desk):
        with pytest.raises(Refused, match="rollback on bot1 is under way"):
            await ward.perform(each.token, 1)
    assert (await ward.perform(bot2.token, 1)).ok
    await ward.agent.end(TOKEN)
    with pytest.raises(Refused, match="is over"):
        await ward.perform(TOKEN, 2)
    assert (await ward.perform(other.token, 1)).ok
    with pytest.raises(Refused, match="under way"):
        await ward.perform(desk.token, 1)
    ward.clock.move(16 * 60)
    await ward.agent.confirm(shown("stop_desk", "desk", (ComposeOrder("down"),), number=5))
    assert (await ward.perform(f"{5:024x}", 1)).ok, "who died must not lock the desk for ever"


async def test_a_confirmation_does_not_last(ward: Ward) -> None:
    """A plan that waited for ten minutes is not begun any more."""
    await ward.agent.confirm(shown())
    ward.clock.move(timedelta(minutes=11).total_seconds())
    with pytest.raises(Refused, match="nothing was reported of it for 11 min"):
        await ward.perform(TOKEN, 1)


async def test_a_clock_that_is_set_back_makes_no_confirmation_young_and_no_hour_new(tmp_path: Path) -> None:
    """What lies ahead was how long ago nobody knows: it counts against an action, never for one."""
    two = Desk(actions={"restart": ActionPolicy(confirmations=2)}, agent=AgentSettings(actions_per_hour=1))
    ward = Ward(tmp_path / "r.jsonl", two)
    await ward.agent.confirm(shown())
    ward.clock.move(hours=-3)
    await ward.agent.confirm(shown(actor="U2"))
    with pytest.raises(Refused, match="1 of 2 people"):
        await ward.perform(TOKEN, 1)
    await ward.agent.confirm(shown())
    ward.clock.move(minutes=-11)
    with pytest.raises(Refused, match="nothing was reported of it for 11 min"):
        await ward.perform(TOKEN, 1)
    ward.clock.move(minutes=11)
    assert (await ward.perform(TOKEN, 1)).ok
    ward.clock.move(days=-1)
    with pytest.raises(Refused, match="1 actions were begun within an hour"):
        await ward.agent.confirm(shown(number=2, actor="U2"))


async def test_so_many_actions_an_hour_and_of_the_kinds_that_are_allowed(tmp_path: Path) -> None:
    """A bot that was taken over cannot restart the desk for ever."""
    limits = AgentSettings(kinds=("restart",), actions_per_hour=2)
    ward = Ward(tmp_path / "r.jsonl", Desk(agent=limits))
    for number in (1, 2, 3):
        one = shown(number=number)
        if number == 3:
            ward.again()
            with pytest.raises(Refused, match="2 actions were begun within an hour"):
                await ward.agent.confirm(one)
        else:
            await ward.agent.confirm(one)
            await ward.perform(one.token, 1)
            await ward.agent.end(one.token)
    ward.clock.move(3601)
    await ward.agent.confirm(shown(number=3))
    with pytest.raises(Refused, match=r"not among agent\.kinds"):
        await ward.agent.confirm(shown("stop_desk", "desk", (ComposeOrder("down"),), number=4))


async def test_a_step_that_was_cut_off_is_unknown_and_is_never_done_again(ward: Ward) -> None:
    """The agent is killed within a step: its next life closes the action, and a new one may begin."""
    ward.executor.breaks = KeyboardInterrupt
    await ward.agent.confirm(shown())
    with pytest.raises(KeyboardInterrupt):
        await ward.perform(TOKEN, 1)
    lines = ward.path.read_text().splitlines()[:2]  # as a kill leaves it: begun, and no word of its end
    ward.record.close()
    ward.path.write_text("\n".join(lines) + '\n{"n": 3, "torn')
    ward.executor.breaks = None
    ward.begin()
    assert ward.told() == ["confirmed", "begun", "unknown", "over"]
    with pytest.raises(Refused, match="is over"):
        await ward.perform(TOKEN, 1)
    again = shown(number=2)
    await ward.agent.confirm(again)
    assert (await ward.perform(again.token, 1)).ok


async def test_a_nightly_snapshot_is_taken_twice_a_day_at_the_most(ward: Ward) -> None:
    """Whoever asks for more would push the good ones out."""
    assert (await ward.agent.keep_snapshot("bot1")).name == "bot1_20260220_120000.tar.gz"
    ward.again()
    with pytest.raises(Refused, match="one in 12 h"):
        await ward.agent.keep_snapshot("bot1")
    with pytest.raises(Refused, match=r"no bot of desk\.yaml"):
        await ward.agent.keep_snapshot("../../etc")
    ward.clock.move(13 * 3600)
    await ward.agent.keep_snapshot("bot1")
    assert len(ward.executor.nightly) == 2


async def test_the_head_of_the_audit_trail_only_goes_forward(ward: Ward) -> None:
    """A trail that was cut, or written anew, is told by the agent's own record."""
    await ward.agent.anchor(10, "a" * 64)
    await ward.agent.anchor(10, "a" * 64)
    await ward.agent.anchor(12, "b" * 64)
    ward.again()
    for sequence, digest in ((11, "c" * 64), (12, "c" * 64), (0, "a" * 64)):
        with pytest.raises(Refused, match="had 12 entries already"):
            await ward.agent.anchor(sequence, digest)
    assert ward.told().count("anchored") == 2


async def test_a_head_that_no_trail_can_have_reached_is_not_taken(ward: Ward) -> None:
    """Whoever took the bot over must not make the true trail look cut for ever, by one request or by many."""
    await ward.agent.anchor(500, "a" * 64)
    with pytest.raises(DeskFailure, match="further than 100000 lines an hour"):
        await ward.agent.anchor(2**53, "b" * 64)
    for sequence in (60_000, 100_500):
        await ward.agent.anchor(sequence, "c" * 64)
    ward.clock.move(1800)
    ward.again()
    with pytest.raises(DeskFailure, match="further"):
        await ward.agent.anchor(150_502, "d" * 64)
    ward.clock.move(5 * 3600)
    await ward.agent.anchor(600_000, "e" * 64)
    with pytest.raises(Refused, match="had 600000 entries already"):
        await ward.agent.anchor(599_999, "f" * 64)


async def test_a_first_confirmation_does_not_wait_for_days_for_the_second(tmp_path: Path) -> None:
    """Two people are two who confirm within one proposal's life, also where the first one's form is shown again."""
    two = ActionPolicy(confirmations=2)
    ward = Ward(tmp_path / "r.jsonl", Desk(actions={"restart": two}))
    await ward.agent.confirm(shown(actor="U1"))
    ward.clock.move(36 * 60)
    ward.again()
    await ward.agent.confirm(shown(actor="U2"))
    with pytest.raises(Refused, match="1 of 2 people"):
        await ward.perform(TOKEN, 1)
    ward.clock.move(5 * 60)
    await ward.agent.confirm(shown(actor="U1"))
    assert (await ward.perform(TOKEN, 1)).ok


async def test_plans_that_were_never_begun_are_forgotten(ward: Ward) -> None:
    """Whoever confirms without end does not fill the memory; what was begun is remembered."""
    await ward.agent.confirm(shown())
    await ward.perform(TOKEN, 1)
    for number in range(2, 40):
        ward.clock.move(60)
        await ward.agent.confirm(shown(number=number))
    ward.clock.move(36 * 60)
    await ward.agent.confirm(shown(number=99))
    assert len(ward.agent._known.actions) == 2
    ward.again()
    assert len(ward.agent._known.actions) == 2
    with pytest.raises(Refused, match="not shown the plan"):
        await ward.perform(f"{2:024x}", 1)
    with pytest.raises(Refused, match="begun already"):
        await ward.agent.confirm(shown())


async def test_requests_alone_do_not_fill_the_disk(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever took the bot over asks without end: past a number an hour nothing more is recorded, nor done."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    await ward.agent.confirm(shown())
    for number in range(1, LINES_PER_HOUR):
        with pytest.raises(Refused, match="was not shown the plan"):
            await ward.perform(f"{number:024x}"[::-1], 1)
    size = ward.path.stat().st_size
    with pytest.raises(DeskFailure, match="takes no more of them now"):
        await ward.perform("f" * 24, 1)
    with pytest.raises(DeskFailure, match="takes no more of them now"):
        await ward.agent.confirm(shown(number=2))
    assert ward.path.stat().st_size == size
    assert (await ward.perform(TOKEN, 1)).ok, "what was confirmed before is carried out"
    ward.clock.move(3601)
    await ward.agent.confirm(shown(number=2))


@pytest.mark.parametrize("how", ["changed", "removed", "moved", "forged"])
async def test_a_record_that_was_changed_stops_the_start(ward: Ward, how: str) -> None:
    """Each line is bound to all before it."""
    for number in (1, 2, 3):
        await ward.agent.confirm(shown(number=number))
    ward.record.close()
    lines = ward.path.read_text().splitlines()
    if how == "changed":
        lines[1] = lines[1].replace("U1", "U7")
    if how == "removed":
        del lines[1]
    if how == "moved":
        lines[0], lines[1] = lines[1], lines[0]
    if how == "forged":
        lines.append(lines[2].replace('"n":3', '"n":4'))
    ward.path.write_text("\n".join(lines) + "\n")
    with pytest.raises(SettingError, match=r"line \d was changed, lost or moved"):
        AgentRecord.opened(ward.path)


async def test_nothing_is_done_that_cannot_be_recorded(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk under the record refuses the step before it begins."""
    await ward.agent.confirm(shown())

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeskFailure, match="nothing is done that cannot be recorded"):
        await ward.perform(TOKEN, 1)
    monkeypatch.undo()
    assert ward.executor.done == []
    assert (await ward.perform(TOKEN, 1)).ok, "and the record is as it was"


def test_a_record_has_one_writer(ward: Ward) -> None:
    """Two agents on one record would each do what the other did."""
    with pytest.raises(SettingError, match="written by another process"):
        AgentRecord.opened(ward.path)
    assert ward.path.stat().st_mode & 0o777 == 0o600

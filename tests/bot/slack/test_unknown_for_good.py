"""What Slack never says it took: nothing waits for its word for ever, and what may stand twice says so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest

from bot.slack import failure_handling, probes
from bot.slack.errors import Misconfigured, OutcomeUnknown
from bot.slack.left_open import leave_open
from bot.slack.renderers import DOUBT
from bot.slack.unknown_outcomes import DeliveryTimes
from bot.store import SqlStore
from demo.slack import AppConfig, Fault, SlackServer
from demo.slack.settings import BOT_SCOPES
from tests.bot.slack.workbench import Bench, bench_on, new_incident, until
from triage.incidents.notifications import tell_card, tell_line
from triage.model import TimelineEntry, TimelineKind
from triage.ports.store import MessageKind, Tx

pytestmark = pytest.mark.slow

POST, HISTORY, REPLIES = "chat.postMessage", "conversations.history", "conversations.replies"
SHORT = DeliveryTimes(timeout=0.4, settle=0.2, after=(0.3, 1.2), look_every=0.1, patience=1.0)
NO_HISTORY = AppConfig(
    scopes=(*(one for one in BOT_SCOPES if not one.endswith(":history")), "channels:read", "groups:read")
)


@pytest.fixture
async def impatient(sqlite_store: SqlStore) -> AsyncIterator[Bench]:
    """A bench whose messages wait a second for Slack's word."""
    async with (
        SlackServer() as slack,
        bench_on(sqlite_store, slack, times=SHORT) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(bench.sender.run())
        yield bench
        bench.sender.stop()


def told_in(bench: Bench) -> str:
    """Return all that stands in the thread of the first card."""
    return str([each.blocks for each in bench.slack.thread(bench.cards()[0])])


async def test_a_line_that_stays_unknown_holds_its_thread_for_a_time_only(impatient: Bench) -> None:
    """The thread says what it goes on without; the line follows, and each stands there once."""
    bench = impatient
    incident = await bench.open()
    await bench.settled()
    fault = Fault.error(POST, "fatal_error", times=1000)
    fault.where = lambda args: "taken at 03:07" in str(args["blocks"])
    bench.slack.faults.add(fault)
    await bench.line(incident, "degraded mode taken at 03:07")
    await asyncio.sleep(0.3)
    await bench.line(incident, "later 1")
    await bench.line(incident, "later 2")
    told = partial(told_in, bench)
    await until(lambda: "later 2" in told(), 12)
    await until(lambda: "Slack has not said" in told(), 12)
    assert "s whether it took the line of " in told()
    assert told().index("later 1") < told().index("later 2")
    bench.slack.faults.clear()
    await bench.settled(25)
    assert [told().count(word) for word in ("later 1", "later 2", "Slack has not said")] == [1, 1, 1]
    assert bench.sender.problems == {}


async def test_what_went_on_without_a_line_is_taken_out_of_its_late_copy(impatient: Bench) -> None:
    """Slack does the first attempt, which held three lines, long after two of them were told by themselves."""
    bench = impatient
    incident = await bench.open()
    await bench.settled()
    late, refused = Fault.late(POST, 4.0), Fault.error(POST, "fatal_error", times=1000)
    late.where = refused.where = lambda args: "line 1" in str(args["blocks"])
    bench.slack.faults.add(late, refused)
    await bench.line(incident, "line 1", "line 2", "line 3")
    told = partial(told_in, bench)
    await until(lambda: "line 3" in told(), 12)
    assert "line 1" not in told()
    await until(lambda: "line 1" in told(), 12)
    await bench.settled(12)
    assert [told().count(f"line {number}") for number in (1, 2, 3)] == [1, 1, 1]


async def test_a_card_nobody_can_look_for_is_posted_once_more_and_says_so(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the scope to look, an answer that was lost would keep a Sev-1 from everybody."""
    monkeypatch.setattr(probes, "PROBE_SECONDS", 0.2)
    async with (
        SlackServer(NO_HISTORY) as slack,
        bench_on(sqlite_store, slack, times=SHORT) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(bench.sender.run())
        slack.faults.add(Fault.error(POST, "fatal_error", times=1))
        incident = await bench.open("bot3 stopped")
        await bench.line(incident, "what came next")
        await until(lambda: any("history" in one for one in bench.sender.problems.values()))
        await until(bench.cards, 12)
        await bench.settled(12)
        (card,) = bench.cards()
        assert DOUBT in str(card.blocks)
        assert "what came next" in told_in(bench)
        assert DOUBT not in told_in(bench)
        bench.sender.stop()


async def test_a_copy_whose_answer_is_lost_too_is_followed_by_one_after_as_long_a_wait(
    sqlite_store: SqlStore,
) -> None:
    """Slack does each post and says nothing, and nobody can look: the channel is not filled with copies."""
    times = replace(SHORT, patience=0.4)
    async with SlackServer(NO_HISTORY) as slack, bench_on(sqlite_store, slack, times=times) as bench:
        slack.faults.add(Fault.lost_answer(POST, times=1000))
        incident = await bench.open("bot3 stopped")
        card = await sqlite_store.read(lambda tx: tx.outbox.find(MessageKind.CARD, str(incident.id)))
        assert card is not None
        bench.delivery.uncertain.gave_up(card)
        for copies in (1, 2):
            await asyncio.sleep(0.45)
            with pytest.raises(OutcomeUnknown):
                await bench.delivery.settle(card)
            with pytest.raises(Misconfigured):
                await bench.delivery.settle(card)
            assert len(bench.cards()) == copies


async def test_no_line_tells_of_a_line_that_tells_of_another(sqlite_store: SqlStore) -> None:
    """Hours in which Slack answers nothing leave one such line, not one for every ten minutes."""
    now = datetime.now(UTC)

    def work(tx: Tx) -> list[tuple[str, bool]]:
        incident = tx.incidents.save(new_incident())
        tell_card(tx, incident, now)
        entry = TimelineEntry(incident.id, at=now, recorded_at=now, kind=TimelineKind.NOTE, text="a line")
        tell_line(tx, entry, now)
        for _ in range(3):
            for each in tx.timeline.of(incident.id):
                line = tx.outbox.find(MessageKind.LINE, str(each.id))
                assert line is not None
                leave_open(tx, line, now, 600)
        lines = [
            (each.text[:18], tx.outbox.find(MessageKind.LINE, str(each.id)))
            for each in tx.timeline.of(incident.id)
        ]
        return [(text, line is not None and line.aside) for text, line in lines]

    assert await sqlite_store.write(work) == [("a line", True), ("Slack has not said", True)]


async def test_looks_without_an_answer_hold_no_card_for_good(
    impatient: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack answers, but not what was posted: a lone card is posted once more; the copy is taken back once it says."""
    monkeypatch.setattr(failure_handling, "LONGEST_BACK_OFF", 0.3)
    bench = impatient
    await bench.open("another one")  # the channel's id is known then: its name needs no look
    await bench.settled()
    away = Fault.http("auth.test", 502, times=1000)
    bench.slack.faults.add(Fault.http(HISTORY, 502, times=1000), away, Fault.lost_answer(POST))
    await bench.open("bot3 stopped")
    await until(lambda: len(bench.cards()) == 2)
    await asyncio.sleep(SHORT.patience + 0.5)
    assert len(bench.cards()) == 2, "Slack is away, as far as we know"
    bench.slack.faults.clear()
    bench.slack.faults.add(Fault.http(HISTORY, 502, times=1000))
    await until(lambda: sum("bot3" in card.text for card in bench.cards()) == 2, 15)
    bench.slack.faults.clear()
    await until(lambda: sum("bot3" in card.text for card in bench.cards()) == 1, 15)


async def test_a_doubt_that_another_replica_has_settled_does_not_count_for_the_next_one(
    impatient: Bench,
) -> None:
    """We gave a card up, another replica found it: much later an answer of ours is lost, and waits its whole time."""
    bench = impatient
    incident = await bench.open()
    await bench.settled()
    card = await bench.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, str(incident.id)))
    assert card is not None
    uncertain = bench.delivery.uncertain
    async with asyncio.timeout(10):
        while not uncertain.past_patience(card):
            uncertain.gave_up(
                card
            )  # again, where the sender forgot it: it does so after the commit, for which we waited
            await asyncio.sleep(0.1)
    await bench.change(replace(incident, title="the last word"))
    await bench.settled()
    await until(
        lambda: not uncertain.past_patience(card)
    )  # forgotten after the commit, which is what settled asks for


async def test_eighty_lines_of_one_post_are_found_together(bench: Bench) -> None:
    """The answer to their message was lost: none of them is posted again."""
    incident = await bench.open()
    await bench.settled()
    bench.slack.faults.add(Fault.lost_answer(POST))
    await bench.line(incident, *(f"line {number:03}" for number in range(80)))
    await bench.settled(15)
    told = told_in(bench)
    assert {told.count(f"line {number:03}") for number in range(80)} == {1}

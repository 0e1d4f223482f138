"""Slack does a call after we gave it up: still one message each, and the latest truth. Times are some 20 times shorter."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.slack.client import open_client
from bot.slack.rendered import Rendered
from bot.slack.unknown_outcomes import AFTER, NEAR, DeliveryTimes, UncertainDeliveries
from bot.store import SqlStore
from bot.store.outbox_statements import FAR
from demo.slack import AppConfig, Fault, SlackServer
from demo.slack.settings import BOT_SCOPES
from tests.bot.slack.workbench import CHANNEL, QUICK, Bench, bench_on, until
from tests.fakes.clock import ManualClock
from triage.ports.store import Message, MessageKind, Recheck, Tx

pytestmark = pytest.mark.slow

POST, EDIT, COMPLETE = "chat.postMessage", "chat.update", "files.completeUploadExternal"
AFTER_TIMEOUT, AFTER_REPOST, MUCH_LATER = 0.6, 1.15, 1.9
"""When Slack does a call: after the client hung up, after we posted again, after the first time we made sure."""


async def sure(bench: Bench, seconds: float = 10.0) -> None:
    """Wait until nothing is owed, nothing is in doubt, and Slack has nothing left to do late."""

    def recheck(tx: Tx) -> list[Message]:
        found = [tx.outbox.get(number) for number in range(1, 60)]
        return [message for message in found if message is not None and message.recheck is not None]

    async def unsure() -> bool:
        doubtful = await bench.store.read(recheck)
        return bool(doubtful or bench.slack.faults.late or await bench.pending())

    async with asyncio.timeout(seconds):
        while await unsure():  # noqa: ASYNC110 - a database rings no bell
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("seconds", [AFTER_TIMEOUT, AFTER_REPOST, MUCH_LATER])
async def test_a_card_that_slack_posts_late_stands_there_once(bench: Bench, seconds: float) -> None:
    """Found before it is posted again, or the extra is taken back."""
    bench.slack.faults.add(Fault.late(POST, seconds))
    await bench.open()
    await bench.settled()
    await sure(bench)
    (card,) = bench.cards()
    stored = await bench.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, "1"))
    assert stored is not None
    assert stored.post_id == card.ts


async def test_several_attempts_that_all_come_late_leave_one_card(bench: Bench) -> None:
    """Slack hung for every attempt and then did them all."""
    bench.slack.faults.add(Fault.late(POST, 2.4), Fault.late(POST, 1.6))
    await bench.open()
    await bench.settled()
    await sure(bench)
    assert len(bench.cards()) == 1


async def test_the_first_attempt_is_found_while_the_second_is_still_under_way(bench: Bench) -> None:
    """What history shows may be one of two: the other one comes later, and is taken back."""
    bench.slack.faults.add(Fault.late(POST, 1.0), Fault.late(POST, 1.3))
    await bench.open()
    await bench.settled()
    await sure(bench)
    assert len(bench.cards()) == 1


async def test_the_copy_that_people_answered_stays(bench: Bench) -> None:
    """Somebody wrote below the late copy before it could be taken back: that one goes on, with the latest truth."""
    bench.slack.faults.add(Fault.late(POST, AFTER_REPOST))
    incident = await bench.open()
    await bench.settled()
    await until(lambda: len(bench.cards()) == 2)
    late = max(bench.cards(), key=lambda card: card.ts)
    bench.slack.member("ana").say(CHANNEL, "on it", late.ts)
    await bench.change(replace(incident, title="the last word"))
    await sure(bench)
    (card,) = bench.cards()
    assert card.ts == late.ts
    assert "the last word" in card.text


async def test_a_late_copy_of_a_card_that_somebody_deleted_is_taken_back(bench: Bench) -> None:
    """The card is posted anew, and what Slack does late of the deleted one is still known as its copy."""
    bench.slack.faults.add(Fault.late(POST, MUCH_LATER))
    incident = await bench.open()
    await bench.settled()
    bench.slack.delete(bench.cards()[0])
    await bench.change(replace(incident, title="the last word"))
    await bench.settled()
    await until(lambda: not bench.slack.faults.late)
    await sure(bench)
    (card,) = bench.cards()
    assert "the last word" in card.text


async def test_a_late_line_of_a_thread_whose_card_was_deleted_is_taken_back(bench: Bench) -> None:
    """Slack puts it into the channel, where it would stand alone beside the new card and its thread."""
    incident = await bench.open()
    await bench.settled()
    late = Fault.late(POST, MUCH_LATER)
    bench.slack.faults.add(late)
    await bench.line(incident, "told once")
    await until(lambda: late.used)
    bench.slack.delete(bench.cards()[0])
    await bench.settled()
    await until(lambda: not bench.slack.faults.late)
    assert len(bench.cards()) == 2
    await sure(bench)
    (card,) = bench.cards()
    (line,) = bench.slack.thread(card)
    assert "told once" in str(line.blocks)


@pytest.mark.parametrize("minutes", [-200, -40, -10, 10])
async def test_a_clock_of_slacks_that_differs_hides_no_message(sqlite_store: SqlStore, minutes: int) -> None:
    """Neither one that was posted before any answer told how far it is off, nor one after that."""
    scopes = (*BOT_SCOPES, "channels:read", "groups:read")
    async with (
        SlackServer(AppConfig(scopes=scopes), clock=lambda: time.time() + 60 * minutes) as slack,
        bench_on(sqlite_store, slack) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(bench.sender.run())
        slack.faults.add(Fault.lost_answer(POST))
        await bench.open()
        await bench.settled()
        await bench.open("another trouble")
        await bench.settled()
        slack.faults.add(Fault.lost_answer(POST))
        await bench.open("a third one")
        await bench.settled()
        assert len(bench.slack.calls.of(POST)) == 3
        assert len(bench.cards()) == 3
        bench.sender.stop()


def test_looks_go_on_for_a_day_and_none_is_so_far_off_that_it_is_taken_for_a_clock_set_back() -> None:
    """What Slack does within a day is found: each nine minutes in the first hour, then about every hour."""
    gaps = [after - before for before, after in zip((0.0, *AFTER), AFTER, strict=False)]
    assert max(gaps) < FAR.total_seconds()
    uncertain = UncertainDeliveries(ManualClock(), DeliveryTimes())
    looks = [
        seconds
        for number, seconds in enumerate(AFTER)
        if uncertain.is_look(Recheck(datetime.now(UTC), looks=number))
    ]
    assert [seconds for seconds in looks if seconds < 3600] == list(NEAR)
    assert max(after - before for before, after in pairwise(looks)) < 4000
    assert (looks[-1] > 23 * 3600, len(looks) < 40) == (True, True)


HOURLY = replace(QUICK, after=tuple(0.2 * turn for turn in range(1, 40)), near=2)
"""The first two looks are those of the first hour; then each seventh is one."""


async def test_a_copy_that_comes_after_the_first_hour_is_taken_back(
    store: SqlStore, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a look at what came since the last one; the card of then, which that does not show, stays."""
    monkeypatch.setattr("bot.slack.client.CLOCK_SKEW", timedelta())
    async with (
        bench_on(store, slack, times=HOURLY) as bench,
        open_client(slack.app.bot_token, url=slack.api_url, timeout_seconds=5) as client,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(bench.sender.run())
        bench.slack.faults.add(Fault.late(POST, AFTER_TIMEOUT))
        await bench.open()
        card = await first_hour_over(bench)
        payload = {"delivery_id": card.delivery_id, "incident_id": 1}
        await client.post(card.channel_id, Rendered(text="the same, late"), payload)
        assert len(slack.messages(CHANNEL)) == 2
        await until(lambda: len(slack.messages(CHANNEL)) == 1, 30)
        assert slack.messages(CHANNEL)[0].ts == card.post_id
        bench.sender.stop()


async def first_hour_over(bench: Bench) -> Message:
    """Wait until the card was looked at as often as in the first hour; return it."""
    async with asyncio.timeout(20):
        while True:
            card = await bench.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, "1"))
            if card is not None and card.recheck is not None and card.recheck.looks > HOURLY.near:
                return card
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("seconds", [AFTER_TIMEOUT, AFTER_REPOST])
async def test_an_edit_that_slack_does_late_does_not_bring_an_old_text_back(
    bench: Bench, seconds: float
) -> None:
    """The older edit lands after the newer one: what is true is shown again."""
    incident = await bench.open()
    await bench.settled()
    bench.slack.faults.add(Fault.late(EDIT, seconds))
    await bench.change(replace(incident, title="an old word"))
    await asyncio.sleep(0.1)
    await bench.change(replace(incident, title="the last word"))
    await bench.settled()
    await sure(bench)
    assert "the last word" in bench.cards()[0].text
    assert "an old word" not in str(bench.cards()[0].blocks)


async def test_lines_that_slack_posts_late_stand_there_once_and_whole(bench: Bench) -> None:
    """More lines came meanwhile and were posted with the second attempt: none is missing, none is doubled."""
    incident = await bench.open()
    await bench.settled()
    bench.slack.faults.add(Fault.late(POST, AFTER_REPOST))
    await bench.line(incident, "one", "two")
    await asyncio.sleep(0.2)
    await bench.line(incident, "three")
    await bench.settled()
    await sure(bench)
    told = str([message.blocks for message in bench.slack.thread(bench.cards()[0])])
    assert [told.count(word) for word in ("one", "two", "three")] == [1, 1, 1]


async def test_a_file_that_slack_shares_late_is_there_once(bench: Bench) -> None:
    """It is known by its id; an id that was shared already is not taken for a forgotten upload."""
    bench.slack.faults.add(Fault.late(COMPLETE, AFTER_REPOST))

    def ask(tx: Tx) -> None:
        now = datetime.now(UTC)
        data = {"name": "day.png", "comment": "the day"}
        document = tx.notes.save_document("digest", data, made_at=now, content=b"x" * 64)
        tx.outbox.want(MessageKind.FILE, str(document), channel="incidents", now=now)

    await bench.store.write(ask)
    bench.bell.ring()
    await bench.settled()
    await sure(bench)
    shown = [message for message in bench.slack.messages(CHANNEL) if message.files]
    assert len(shown) == 1


async def _nothing() -> None:
    return


@pytest.mark.parametrize("seconds", [AFTER_TIMEOUT, AFTER_REPOST])
async def test_killed_while_slack_is_late_the_next_process_leaves_one_card(
    sqlite_store: SqlStore, slack: SlackServer, seconds: float
) -> None:
    """The claim alone tells the next process that a post may be under way, and until when."""
    slack.faults.add(Fault.late(POST, seconds))
    async with bench_on(sqlite_store, slack) as first:
        await first.open("before the kill")
        await _killed_in_a_call(first)
    await sqlite_store.write(lambda tx: tx.outbox.release())
    async with bench_on(sqlite_store, slack) as second, asyncio.TaskGroup() as tasks:
        tasks.create_task(second.sender.run())
        await second.settled()
        await sure(second)
        second.sender.stop()
    assert len(slack.messages(CHANNEL)) == 1


async def test_killed_while_an_edit_is_late_the_next_process_shows_the_latest(
    sqlite_store: SqlStore, slack: SlackServer
) -> None:
    """The claim of an edit leaves its mark too: the old text that lands later is put right."""
    async with bench_on(sqlite_store, slack) as first:
        incident = await first.open("first word")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(first.sender.run())
            await first.settled()
            first.sender.stop()
        slack.faults.add(Fault.late(EDIT, 0.9))
        first.sender._stopping = False
        await first.change(replace(incident, title="old word"))
        await _killed_in_a_call(first)
    await sqlite_store.write(lambda tx: tx.outbox.release())
    async with bench_on(sqlite_store, slack) as second, asyncio.TaskGroup() as tasks:
        await second.change(replace(incident, title="last word"))
        tasks.create_task(second.sender.run())
        await second.settled()
        await sure(second)
        second.sender.stop()
    assert "last word" in slack.messages(CHANNEL)[0].text


async def _killed_in_a_call(bench: Bench) -> None:
    bench.sender._give_back = _nothing  # type: ignore[method-assign]  # a killed process gives nothing back
    sending = asyncio.create_task(bench.sender.run())
    await until(lambda: bench.slack.faults.late)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_two_replicas_and_a_late_slack_leave_one_of_each(store: SqlStore, slack: SlackServer) -> None:
    """What one replica gave up the other one finds; on each database."""
    slack.faults.add(Fault.late(POST, AFTER_REPOST), Fault.late(POST, AFTER_TIMEOUT, times=2))
    async with (
        bench_on(store, slack) as one,
        bench_on(store, slack, owner="other") as two,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(one.sender.run())
        tasks.create_task(two.sender.run())
        for number in range(5):
            incident = await one.open(f"incident {number}")
            await two.line(incident, "a change")
        await one.settled(20)
        await sure(one, 20)
        one.sender.stop()
        two.sender.stop()
    assert len(slack.messages(CHANNEL)) == 5
    assert set(slack.deliveries().values()) == {1}


async def test_an_extra_that_slack_keeps_for_good_says_what_it_is(bench: Bench) -> None:
    """Where no message may be deleted (exports for compliance), the copy points at the card; it is tried once."""
    delete = "chat.delete"
    bench.slack.faults.add(
        Fault.late(POST, AFTER_REPOST), Fault.error(delete, "compliance_exports_prevent_deletion", times=99)
    )
    await bench.open()
    await bench.settled()
    await sure(bench)
    assert sorted("A second copy of INC-1" in card.text for card in bench.cards()) == [False, True]
    assert len(bench.slack.calls.of(delete)) <= len(bench.delivery.uncertain.times.after)
    assert bench.sender.problems == {}


@pytest.mark.parametrize("first", ["one", "two"])
async def test_a_replica_that_stood_still_in_a_post_leaves_one_card(
    store: SqlStore, slack: SlackServer, first: str
) -> None:
    """It was taken for dead and the other one posts; then it goes on with its own post. Whoever is stored first stays."""
    async with bench_on(store, slack) as one, bench_on(store, slack, owner="two") as two:
        stopped = {name: asyncio.Event() for name in ("one", "two")}
        reached = {name: asyncio.Event() for name in ("one", "two")}
        for name, bench in (("one", one), ("two", two)):
            bench.client.post = _standing_still(bench, reached[name], stopped[name])  # type: ignore[method-assign]
        incident = await one.open("bot1 stopped")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(one.sender.run())
            await reached["one"].wait()
            await store.write(lambda tx: tx.outbox.release_of("test", datetime.now(UTC)))
            tasks.create_task(two.sender.run())
            await reached["two"].wait()
            stopped[first].set()
            await until(lambda: len(slack.messages(CHANNEL)) == 1)
            await two.settled()
            for event in stopped.values():
                event.set()
            await two.line(incident, "a change")
            await two.settled()
            await sure(two)
            one.sender.stop()
            two.sender.stop()
    (card,) = slack.messages(CHANNEL)
    assert len(slack.thread(card)) == 1
    assert set(slack.deliveries().values()) == {1}


def _standing_still(bench: Bench, reached: asyncio.Event, going_on: asyncio.Event) -> Any:  # noqa: ANN401 - as the client has it
    post = bench.client.post

    async def late(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - passed on
        reached.set()
        await going_on.wait()
        return await post(*arguments, **named)

    return late


@pytest.mark.parametrize("late", [2.4, 4.5])
async def test_what_must_be_noticed_is_told_while_a_line_is_in_doubt(
    sqlite_store: SqlStore, late: float
) -> None:
    """The line comes late, before or after it was given up twice: each stands there once, none is missing."""
    times = replace(QUICK, timeout=2.0, settle=2.0)
    async with (
        SlackServer() as slack,
        bench_on(sqlite_store, slack, times=times) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(bench.sender.run())
        incident = await bench.open()
        await bench.settled()
        slack.faults.add(Fault.late(POST, late))
        await bench.line(incident, "one", "two")
        await asyncio.sleep(0.2)
        await bench.line(incident, "three")
        began = time.monotonic()
        await bench.tell_in_channel(incident, "Sev-1 joined")

        def told() -> str:
            return str([message.blocks for message in slack.thread(bench.cards()[0])])

        await until(lambda: "Sev-1 joined" in told())
        assert time.monotonic() - began < 2.0
        assert "one" not in told()
        await bench.settled(15)
        await sure(bench, 15)
        assert [told().count(word) for word in ("one", "two", "three", "joined")] == [1, 1, 1, 1]
        bench.sender.stop()

"""The outbox is emptied: once each, to the latest truth, whatever Slack does."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import sqlalchemy as sa
from loguru import logger

from bot.slack.composition import Composition
from bot.slack.rate_limits import RateLimits
from bot.slack.rendered import Rendered
from bot.store import SqlStore, open_store
from bot.store.transaction import Transaction
from demo.slack import Fault, SlackServer
from tests.bot.slack.workbench import CHANNEL, Bench, bench_on, new_incident, until
from tests.contracts.test_store_outcomes import damaged_table
from tests.fakes.breaking import FAULTS
from triage.errors import NotStored, StoreUnavailable
from triage.incidents.notifications import tell_card
from triage.model import IncidentStatus, Subject, SubjectKind
from triage.ports.store import Message, MessageKind, Tx

pytestmark = pytest.mark.slow

POST, EDIT, HISTORY = "chat.postMessage", "chat.update", "conversations.history"


async def test_an_incident_is_posted_with_its_delivery_id(bench: Bench) -> None:
    """The message carries the metadata by which it is found again, and unfurls nothing."""
    incident = await bench.open()
    await bench.settled()
    (card,) = bench.cards()
    assert card.delivery_id == await bench.delivery_id(incident)
    assert card.metadata is not None
    assert card.metadata["event_type"] == "triage_delivery"
    assert card.metadata["event_payload"]["incident_id"] == incident.id
    assert incident.number in card.text
    (call,) = bench.slack.calls.of(POST)
    assert call.args["unfurl_links"] is False


async def test_a_change_edits_the_same_message(bench: Bench) -> None:
    """An acknowledged incident stays one message, which says so."""
    incident = await bench.open()
    await bench.settled()
    now = datetime.now(UTC)
    await bench.change(
        replace(
            incident, status=IncidentStatus.ACKNOWLEDGED, acknowledged_at=now, acknowledged_by="U0ANA00001"
        )
    )
    await bench.settled()
    (card,) = bench.cards()
    assert card.edited_ts is not None
    assert "acknowledged" in card.text


async def test_many_changes_are_few_edits_and_the_last_one_is_shown(bench: Bench) -> None:
    """Edits are latest-wins: fifty changes need far fewer calls, and none of the last is lost."""
    incident = await bench.open()
    await bench.settled()
    for number in range(50):
        await bench.change(replace(incident, title=f"title {number}"))
    await bench.settled()
    assert "title 49" in bench.cards()[0].text
    assert len(bench.slack.calls.of(EDIT)) < 25


async def test_a_thread_keeps_its_order_below_its_card(bench: Bench) -> None:
    """Lines stand in the thread in the order in which they were told, each once."""
    incident = await bench.open()
    await bench.line(incident, *(f"change {number}" for number in range(7)))
    await bench.settled()
    (card,) = bench.cards()
    told = "\n".join(str(message.blocks) for message in bench.slack.thread(card))
    places = [told.index(f"change {number}") for number in range(7)]
    assert places == sorted(places)
    assert all(told.count(f"change {number}") == 1 for number in range(7))


async def test_a_lost_answer_does_not_post_twice(bench: Bench) -> None:
    """The post took effect, its answer was lost: history says so, and nothing is posted again."""
    bench.slack.faults.add(Fault.lost_answer(POST))
    incident = await bench.open()
    await bench.settled()
    assert len(bench.slack.delivered(await bench.delivery_id(incident))) == 1
    assert len(bench.cards()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault.reset(POST),
        Fault.http(POST, 500),
        Fault.http(POST, 503, processed=True),
        Fault.error(POST, "fatal_error", processed=True),
        Fault.error(POST, "internal_error"),
        Fault.error(POST, "service_unavailable"),
        Fault.rate_limited(POST, retry_after=1),
    ],
    ids=lambda fault: (
        f"{fault.kind}-{fault.code or fault.status}-{'done' if fault.processed else 'not done'}"
    ),
)
async def test_whatever_befalls_a_post_it_is_there_once(bench: Bench, fault: Fault) -> None:
    """An outcome that is not known is looked up; the message is neither lost nor doubled."""
    bench.slack.faults.add(replace(fault))
    await bench.open()
    await bench.settled()
    await asyncio.sleep(0.1)
    assert len(bench.cards()) == 1


async def test_a_merged_line_with_a_lost_answer_is_not_repeated(bench: Bench) -> None:
    """Lines that were posted in one message are all known to be there when one is found."""
    incident = await bench.open()
    await bench.settled()
    bench.slack.faults.add(Fault.lost_answer(POST))
    await bench.line(incident, "one", "two", "three")
    await bench.settled()
    thread = bench.slack.thread(bench.cards()[0])
    assert len(thread) == 1
    assert all(word in str(thread[0].blocks) for word in ("one", "two", "three"))


async def test_an_incomplete_scan_never_leads_to_a_second_post(bench: Bench) -> None:
    """While history cannot be read nothing is resent; once it can, the message is found."""
    bench.slack.faults.add(Fault.lost_answer(POST), Fault.http(HISTORY, 500, times=3))
    await bench.open()
    await bench.settled(20)
    assert len(bench.cards()) == 1
    assert len(bench.slack.calls.of(POST)) == 1


@pytest.mark.parametrize(
    "body", ['{"ok": true}', '{"ok": true, "messages": null}', '{"ok": true, "messages": "none"}']
)
async def test_a_history_without_messages_is_no_history(bench: Bench, body: str) -> None:
    """Taken for an empty channel it would have the card posted twice."""
    bench.slack.faults.add(Fault.lost_answer(POST), Fault.raw(HISTORY, body))
    await bench.open()
    await bench.settled()
    assert len(bench.slack.calls.of(POST)) == 1


async def test_messages_of_another_shape_hide_no_message_of_ours(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read beside it is passed over."""
    odd = [None, 5, {}, {"ts": 5}, {"ts": "1.0", "metadata": "text"}, {"ts": "1.1", "files": 5}]
    read = bench.client.read

    async def with_odd_ones(method: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - any argument
        answer = await read(method, **arguments)
        return {**answer, "messages": [*odd, *answer.get("messages", ())]}

    monkeypatch.setattr(bench.client, "read", with_odd_ones)
    bench.slack.faults.add(Fault.lost_answer(POST))
    await bench.open()
    await bench.settled()
    assert len(bench.cards()) == 1
    assert len(bench.slack.calls.of(POST)) == 1


async def test_a_failed_edit_is_tried_until_it_is_shown(bench: Bench) -> None:
    """No edit is dropped, whichever way it fails."""
    incident = await bench.open()
    await bench.settled()
    bench.slack.faults.add(Fault.lost_answer(EDIT), Fault.http(EDIT, 502), Fault.rate_limited(EDIT, 1))
    await bench.change(replace(incident, title="the last word"))
    await bench.settled()
    assert "the last word" in bench.cards()[0].text


async def test_a_deleted_card_is_posted_anew_and_its_thread_follows(bench: Bench) -> None:
    """Somebody deletes the message: the next change posts it again, and lines go below the new one."""
    incident = await bench.open()
    await bench.settled()
    bench.slack.delete(bench.cards()[0])
    await bench.change(replace(incident, title="still here"))
    await bench.line(incident, "after the deletion")
    await bench.settled()
    card = next(message for message in bench.cards() if "still here" in message.text)
    assert "after the deletion" in str([message.blocks for message in bench.slack.thread(card)])


async def test_a_line_below_a_deleted_card_brings_the_card_back(bench: Bench) -> None:
    """A thread whose parent is gone gets a parent first."""
    incident = await bench.open()
    await bench.settled()
    bench.slack.delete(bench.cards()[0])
    await bench.line(incident, "a line")
    await bench.settled()
    card = next(message for message in bench.cards() if not message.tombstone)
    assert len(bench.slack.thread(card)) == 1


async def test_refused_blocks_are_sent_as_plain_text(bench: Bench) -> None:
    """Content that Slack does not take costs the looks, not the message."""
    bench.slack.faults.add(Fault.error(POST, "invalid_blocks"))
    incident = await bench.open()
    await bench.settled()
    (card,) = bench.cards()
    assert incident.number in card.text
    assert not card.blocks
    assert bench.meters.plain._value.get() == 1


async def test_a_renderer_that_fails_does_not_lose_the_message(bench: Bench) -> None:
    """A mistake in rendering one message is said in its place, and stops no other."""

    def broken(_tx: Tx, _message: Message, _now: datetime) -> Rendered | None:
        raise ZeroDivisionError

    bench.delivery._renderers = {**bench.delivery._renderers, MessageKind.CARD: broken}
    incident = await bench.open()
    await bench.settled()
    assert f"{incident.number}: a card could not be shown" in bench.cards()[0].text


async def test_a_wrong_channel_is_said_and_nothing_is_dropped(bench: Bench) -> None:
    """A setting that a person must mend shows as a problem; the message waits for the mend."""
    bench.slack.faults.add(Fault.error(POST, "not_in_channel"))
    await bench.open()
    await until(lambda: bench.sender.problems)
    assert "/invite" in bench.sender.problems["incidents"]
    assert await bench.pending() == 1


async def test_a_crash_after_the_post_repeats_nothing(idle_bench: Bench) -> None:
    """Posted, then killed before it was stored: the next start finds it by its delivery id."""
    incident = await idle_bench.open()

    def claim_and_die(tx: Tx) -> list[Message]:
        return tx.outbox.claim(datetime.now(UTC), owner="dead", lease_seconds=-1, limit=5)

    (message,) = await idle_bench.store.write(claim_and_die)
    payload = {"delivery_id": message.delivery_id, "incident_id": incident.id, "revision": 1}
    await idle_bench.client.post(CHANNEL, Rendered("posted before the crash"), payload)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(idle_bench.sender.run())
        await idle_bench.settled()
        idle_bench.sender.stop()
    assert len(idle_bench.slack.delivered(message.delivery_id)) == 1


async def test_a_crash_before_the_post_loses_nothing(idle_bench: Bench) -> None:
    """Claimed, then killed before anything was sent: the next start looks, finds nothing and posts."""
    await idle_bench.open()
    await idle_bench.store.write(
        lambda tx: tx.outbox.claim(datetime.now(UTC), owner="dead", lease_seconds=-1, limit=5)
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(idle_bench.sender.run())
        await idle_bench.settled()
        idle_bench.sender.stop()
    assert len(idle_bench.cards()) == 1
    assert idle_bench.slack.calls.of(HISTORY)


async def test_a_stop_in_the_middle_of_a_post_gives_it_back(idle_bench: Bench) -> None:
    """Shutdown ends in time, and what was cut off is of unknown outcome for the next start."""
    idle_bench.sender._drain = 0.2
    idle_bench.slack.faults.add(Fault.delay(POST, 5))
    await idle_bench.open()
    async with asyncio.timeout(3), asyncio.TaskGroup() as tasks:
        tasks.create_task(idle_bench.sender.run())
        await asyncio.sleep(0.2)
        idle_bench.sender.stop()
    left = await idle_bench.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, "1"))
    assert left is not None
    assert left.attempted_at is not None


async def test_a_slow_channel_does_not_hold_up_another(bench: Bench) -> None:
    """Posts that hang in one channel leave room for the others."""
    bench.slack.faults.add(
        Fault(
            "chat.postMessage",
            "delay",
            30,
            seconds=2,
            processed=True,
            where=lambda a: a["channel"] == CHANNEL,
        )
    )
    for number in range(30):
        await bench.open(f"slow {number}")
    now = datetime.now(UTC)
    document = await bench.store.write(
        lambda tx: tx.notes.save_document("checklist", {"title": "Startup", "text": "all well"}, made_at=now)
    )
    await bench.store.write(
        lambda tx: tx.outbox.want(MessageKind.DOCUMENT, str(document), channel="digests", now=now)
    )
    bench.bell.ring()
    found = await bench.slack.message(lambda m: "Startup" in m.text, "desk-digest", seconds=2)
    assert "all well" in str(found.blocks)
    bench.slack.faults.clear()


async def test_a_thousand_lines_become_few_messages_in_order(bench: Bench) -> None:
    """When Slack is slower than the desk, lines are posted together; none is lost, repeated or out of order."""
    incident = await bench.open()
    await bench.settled()
    await bench.line(incident, *(f"line-{number:04d}" for number in range(1000)))
    await bench.settled(30)
    thread = bench.slack.thread(bench.cards()[0])
    told = "".join(str(message.blocks) for message in thread)
    seen = [told.index(f"line-{number:04d}") for number in range(1000)]
    assert seen == sorted(seen)
    assert len(thread) <= 60
    assert all(told.count(f"line-{number:04d}") == 1 for number in (0, 19, 20, 500, 999))


async def test_a_file_is_shared_in_the_thread_once_though_the_answer_was_lost(bench: Bench) -> None:
    """The upload is remembered, so an unknown outcome is settled by looking for that file."""
    incident = await bench.open()
    await bench.settled()
    bench.slack.faults.add(Fault.lost_answer("files.completeUploadExternal"))
    now = datetime.now(UTC)
    data = {"name": "day.png", "title": "The day of bot1", "alt_text": "Equity rises"}

    def ask(tx: Tx) -> None:
        document = tx.notes.save_document("picture", data, made_at=now, content=b"\x89PNG picture")
        tx.outbox.want(
            MessageKind.FILE,
            str(document),
            channel="incidents",
            now=now,
            incident_id=incident.id,
            in_thread=True,
        )

    await bench.store.write(ask)
    bench.bell.ring()
    await bench.settled()
    shared = [message for message in bench.slack.thread(bench.cards()[0]) if message.files]
    assert len(shared) == 1
    assert shared[0].files[0]["title"] == "The day of bot1"


async def test_nothing_is_refused_when_slack_enforces_its_limits(sqlite_store: SqlStore) -> None:
    """Against real limits: posts and edits are paced, so few or no answers are 429, and all arrive."""
    async with (
        SlackServer(rate_limits=True) as slack,
        bench_on(sqlite_store, slack, limits=RateLimits()) as made,
    ):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(made.sender.run())
            incident = await made.open()
            for number in range(4):
                await made.line(incident, f"line {number}")
                await made.settled(15)
            made.sender.stop()
        assert [call for call in slack.calls.of(POST) if call.result != "ok"] == []


async def test_a_channel_name_needs_no_scope_once_a_post_told_its_id(sqlite_store: SqlStore) -> None:
    """An app without channels:read posts by name; the id that Slack answers is kept for looking back."""
    async with SlackServer() as slack:
        async with bench_on(sqlite_store, slack) as first, asyncio.TaskGroup() as tasks:
            tasks.create_task(first.sender.run())
            await first.open("first")
            await first.settled()
            first.sender.stop()
        async with bench_on(sqlite_store, slack) as second, asyncio.TaskGroup() as tasks:
            slack.faults.add(Fault.lost_answer(POST))
            tasks.create_task(second.sender.run())
            await second.open("second")
            await second.settled()
            second.sender.stop()
        assert len(slack.messages(CHANNEL)) == 2


async def test_without_the_scope_a_first_post_of_unknown_outcome_waits_and_says_why(
    sqlite_store: SqlStore,
) -> None:
    """Rather held than doubled: a person is told to write the channel's id."""
    async with SlackServer() as slack, bench_on(sqlite_store, slack) as bench, asyncio.TaskGroup() as tasks:
        slack.faults.add(Fault.lost_answer(POST))
        tasks.create_task(bench.sender.run())
        await bench.open()
        await until(lambda: bench.sender.problems)
        assert any("TRIAGE_CHANNEL as an id" in problem for problem in bench.sender.problems.values())
        assert len(bench.cards()) == 1
        bench.sender.stop()


async def test_what_a_damaged_database_keeps_from_being_shown_is_not_sent_as_if_it_were_ours(
    sqlite_url: str, slack: SlackServer
) -> None:
    """The card in Slack stays what it was: the message waits for the store."""
    async with open_store(sqlite_url) as store, bench_on(store, slack) as bench:
        sending = asyncio.create_task(bench.sender.run())
        incident = await bench.open("as it was")
        await bench.settled()
        bench.sender.stop()
        await sending
        await bench.change(replace(incident, title="another title"))
    damaged_table(sqlite_url, "incidents")
    async with open_store(sqlite_url) as store, bench_on(store, slack) as bench:
        sending = asyncio.create_task(bench.sender.run())
        await until(store.health.problem)
        await asyncio.sleep(0.3)
        bench.sender.stop()
        await sending
        assert "as it was" in bench.cards()[0].text
        assert await bench.pending() == 1


async def test_a_lone_new_card_is_composed_in_the_transaction_that_claims_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first post waits for one commit and for no reading after it."""
    reads: list[object] = []

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(bench.store, name)

        async def read(self, work: Callable[[Tx], object]) -> object:
            reads.append(work)
            return await bench.store.read(work)

    monkeypatch.setattr(bench.delivery, "_store", Counting())
    incident = await bench.open()
    await bench.settled()
    assert (len(bench.cards()), reads) == (1, [])
    await bench.change(replace(incident, title="another title"))
    await bench.settled()
    assert "another title" in bench.cards()[0].text
    assert len(reads) == 1


async def test_a_new_card_goes_before_an_edit_that_is_as_urgent(bench: Bench) -> None:
    """It is composed when it is claimed, and an older card's edit need not be composed before it."""
    older = await bench.open("older", subjects=(Subject(SubjectKind.BOT, "bot2"),))
    await bench.settled()

    def both(tx: Tx) -> None:
        tell_card(tx, tx.incidents.save(replace(older, title="older, changed")), datetime.now(UTC))
        tell_card(tx, tx.incidents.save(new_incident("newer")), datetime.now(UTC))

    await bench.store.write(both)
    bench.bell.ring()
    await bench.settled()
    (edit,) = bench.slack.calls.of(EDIT)
    post = bench.slack.calls.of(POST)[-1]
    assert "newer" in post.args["text"]
    assert post.at < edit.at


async def test_a_card_that_cannot_be_composed_keeps_nothing_from_being_claimed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database refuses a part of what it shows, the claim is made anew without it."""
    composed = bench.delivery.composed

    def refusing(tx: Transaction, message: Message, now: datetime) -> Composition:
        if tx.writing:
            raise sa.exc.DatabaseError("SELECT", None, sqlite3.DatabaseError("disk image is malformed"))
        return composed(tx, message, now)

    monkeypatch.setattr(bench.delivery, "composed", refusing)
    await bench.open()
    await bench.settled()
    assert len(bench.cards()) == 1
    assert len(bench.slack.calls.of(POST)) == 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_delivery_that_we_fail_on_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """The message stays owed, says why, as `/readyz` does, and holds none of the places of those under way."""

    async def cancelled(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(bench.delivery, "post", cancelled)
    incident = await bench.open()

    async def owed() -> Message:
        found = await bench.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, str(incident.id)))
        assert found is not None
        return found

    async with asyncio.timeout(5):
        while not (await owed()).last_error:  # noqa: ASYNC110 - a database rings no bell
            await asyncio.sleep(0.02)
    assert (await owed()).next_at > datetime.now(UTC)
    await until(lambda: not bench.sender._under_way)
    if not isinstance(fault, TimeoutError):  # of a call that is of unknown outcome
        assert f"a fault of ours ({type(fault).__name__}" in "; ".join(bench.sender.problems.values())


async def test_a_claim_that_fails_ends_no_delivery_under_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had cancelled them all, and their outcome was not known."""
    begun, go = asyncio.Event(), asyncio.Event()
    usual = bench.delivery.post

    async def slow(message: Message, *, composition: Composition | None = None) -> object:
        begun.set()
        await go.wait()
        return await usual(message, composition=composition)

    async def fails() -> None:
        raise ValueError("broken")

    monkeypatch.setattr(bench.delivery, "post", slow)
    await bench.open()
    await asyncio.wait_for(begun.wait(), 5)
    with monkeypatch.context() as patched:
        patched.setattr(bench.sender, "_claim", fails)
        bench.sender._bell.ring()
        await until(lambda: "no messages are claimed" in "; ".join(bench.sender.problems.values()))
    go.set()
    await bench.settled()
    assert len(bench.cards()) == 1
    await until(lambda: not bench.sender.problems)  # nothing is owed and nobody rings


async def test_a_damaged_index_that_new_cards_need_is_said_until_a_newer_card_is_posted(bench: Bench) -> None:
    """Who brings an alert is answered 503 then; one older card that cannot be composed holds no webhook up."""
    broken: set[str] = set()
    composed = bench.delivery.composed

    def compose(tx: Tx, message: Message, now: datetime) -> object:
        if message.ref in broken:
            raise StoreUnavailable("disk image is malformed", damaged=True)
        return composed(tx, message, now)

    bench.delivery.composed = compose  # type: ignore[method-assign,assignment] # as a damaged page of an index does
    before = await bench.open("the one before")
    await bench.settled()
    broken.add(str(before.id + 1))
    await bench.open("nobody learns of it")
    await until(lambda: "malformed" in bench.sender.blocked)
    await bench.open("the next one")
    await until(lambda: len(bench.cards()) == 2)
    await until(lambda: not bench.sender.blocked)
    broken.clear()
    await until(lambda: len(bench.cards()) == 3)


async def test_a_store_that_is_away_is_said_once_until_it_is_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not each second: the state is one."""
    monkeypatch.setattr("bot.slack.sender.AWAY_SECONDS", 0.05)

    class Away:
        asked = 0

        def __getattr__(self, name: str) -> object:
            return getattr(bench.store, name)

        async def write(self, *_: object, **__: object) -> None:
            self.asked += 1
            raise NotStored("away")

        def asked_often(self) -> bool:
            return self.asked > 3

    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="WARNING")
    try:
        for times in (1, 2):
            away = Away()
            bench.sender._store = cast("SqlStore", away)
            await bench.open(f"number {times}")
            await until(away.asked_often)
            bench.sender._store = bench.store
            await bench.settled(8)
            assert lines == ["the outbox cannot be read, trying again"] * times
    finally:
        logger.remove(sink)


async def test_an_outbox_that_a_damaged_database_keeps_is_said_until_it_gives_it_out(bench: Bench) -> None:
    """Whoever brings an alert then is told that nobody learns of it; a store that is only away is no such thing."""

    class Damaged:
        def __init__(self, *, damaged: bool) -> None:
            self._damaged = damaged

        def __getattr__(self, name: str) -> object:
            return getattr(bench.store, name)

        async def write(self, *_: object, **__: object) -> None:
            raise NotStored("disk image is malformed", damaged=self._damaged)

    sender = bench.sender
    sender._store = cast("SqlStore", Damaged(damaged=False))
    await bench.open()
    await asyncio.sleep(0.3)
    assert sender.blocked == ""
    sender._store = cast("SqlStore", Damaged(damaged=True))
    await until(lambda: "malformed" in sender.blocked)
    sender._store = bench.store
    await until(lambda: not sender.blocked)
    await bench.settled(8)
    assert len(bench.cards()) == 1

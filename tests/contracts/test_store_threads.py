"""Threads of the outbox at their edges: parents that are gone, lines that wait, what is due next."""

from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest

from bot.store import SqlStore
from tests.contracts.store_samples import NOW, incident, later, open_incident, want_card, want_line
from triage.model import Incident
from triage.ports.store import Message, MessageKind, Tx


def claiming(tx: Tx, *, seconds: float = 0, limit: int = 10) -> list[Message]:
    """Claim for thirty seconds what is due so many seconds after the start."""
    return tx.outbox.claim(later(seconds), owner="me", lease_seconds=30, limit=limit)


def post(tx: Tx, *messages: Message, seconds: float = 0) -> None:
    """Record that Slack has the newest revision of messages."""
    for message in messages:
        _post(tx, message, later(seconds))


def _post(tx: Tx, message: Message, now: datetime) -> None:
    ts = message.post_id or f"{message.id}.1"
    tx.outbox.posted(message.id, post_id=ts, channel_id="C1", revision=message.wanted_revision, now=now)


def post_all(tx: Tx) -> list[Message]:
    """Send everything that is due, in turns; gives it in the order in which it went."""
    sent: list[Message] = []
    while turn := claiming(tx):
        for message in turn:
            post(tx, message)
        sent += turn
    return sent


def shown(messages: list[Message]) -> list[tuple[str, str]]:
    """Name messages by what they show."""
    return [(message.kind.value, message.ref) for message in messages]


async def test_a_line_of_an_incident_without_a_card_is_a_mistake_that_shows(store: SqlStore) -> None:
    """Posted at the top it would be a message of its own; nothing of the unit stays."""

    def work(tx: Tx) -> None:
        tx.notes.put("half", "done")
        want_line(tx, replace(tx.incidents.save(incident()), id=77), "1")

    with pytest.raises(LookupError, match="incident 77, which has no card"):
        await store.write(work)
    assert await store.read(lambda tx: tx.notes.get("half")) is None


async def test_a_message_below_another_message_waits_for_it(store: SqlStore) -> None:
    """An action's progress below what asked for it, not below a card."""

    def ask(tx: Tx) -> tuple[int, int]:
        above = tx.outbox.want(MessageKind.ACTION, "1", channel="ops", now=NOW)
        below = tx.outbox.want(MessageKind.DOCUMENT, "9", channel="ops", now=NOW, parent_id=above, urgency=1)
        return above, below

    above, below = await store.write(ask)
    assert [message.id for message in await store.write(claiming)] == [above], (
        "however urgent the lower one is"
    )
    await store.write(lambda tx: post(tx, tx.outbox.get(above) or pytest.fail("it is gone")))
    [message] = await store.write(claiming)
    assert (message.id, message.parent_id, message.parent_post_id) == (below, above, f"{above}.1")


async def test_threads_go_side_by_side_each_in_its_order(store: SqlStore) -> None:
    """One incident's waiting line holds up no other's thread."""

    def ask(tx: Tx) -> None:
        one, two = open_incident(tx), open_incident(tx)
        for ref in ("a1", "a2", "a3"):
            want_line(tx, one, ref)
        want_line(tx, two, "b1")

    await store.write(ask)
    cards = await store.write(claiming)
    await store.write(lambda tx: post(tx, *cards))
    first = await store.write(claiming)
    assert [message.ref for message in first] == ["a1", "b1"]
    stuck, other = first
    await store.write(lambda tx: tx.outbox.defer(stuck.id, until=later(100), error="ratelimited"))
    await store.write(lambda tx: post(tx, other))
    assert await store.write(partial(claiming, seconds=99)) == []
    waiting = await store.read(lambda tx: tx.outbox.unposted_in_thread(cards[0].id, limit=2))
    assert [message.ref for message in waiting] == ["a1", "a2"]
    assert await store.read(lambda tx: tx.outbox.next_at()) == later(100), (
        "those behind it are not due before it"
    )


async def test_an_edit_in_a_thread_waits_for_no_new_line(store: SqlStore) -> None:
    """What is posted has its place already: only posts are in order."""

    def ask(tx: Tx) -> Incident:
        one = open_incident(tx)
        want_line(tx, one, "1")
        post_all(tx)
        return one

    one = await store.write(ask)
    await store.write(lambda tx: (want_line(tx, one, "2"), want_line(tx, one, "1")))
    assert {(message.ref, message.sent_revision) for message in await store.write(claiming)} == {
        ("1", 1),
        ("2", 0),
    }


async def test_a_thread_waits_while_its_deleted_parent_is_posted_anew(store: SqlStore) -> None:
    """New lines go below the new card, and lines that were there are not sent again."""

    def ask(tx: Tx) -> Incident:
        one = open_incident(tx)
        want_line(tx, one, "old")
        post_all(tx)
        want_line(tx, one, "new")
        card = tx.outbox.find(MessageKind.CARD, str(one.id))
        assert card is not None
        tx.outbox.forget(card.id, later(1))
        return one

    one = await store.write(ask)
    assert await store.write(claiming) == [], "a deleted card is due from when it was missed"
    [card] = await store.write(partial(claiming, seconds=1))
    assert (card.kind, card.attempted_at, card.sent_revision) == (MessageKind.CARD, None, 0)
    await store.write(lambda tx: post(tx, replace(card, post_id="9.9")))
    await store.write(lambda tx: want_card(tx, one))
    [edit, line] = sorted(await store.write(partial(claiming, seconds=3)), key=lambda message: message.id)
    assert shown([edit, line]) == [("card", str(one.id)), ("line", "new")]
    assert line.parent_post_id == "9.9"


async def test_a_wish_may_make_a_message_more_urgent_and_never_less(store: SqlStore) -> None:
    """An incident that became Sev-1 overtakes; a later wish of less urgency does not hold it back."""

    def ask(tx: Tx) -> list[int]:
        first, second = open_incident(tx), open_incident(tx)
        return [
            want_card(tx, one, urgency=urgency) for one, urgency in ((first, 3), (second, 0), (second, 3))
        ]

    _, urgent, again = await store.write(ask)
    assert urgent == again
    [message] = await store.write(partial(claiming, limit=1))
    assert (message.id, message.urgency, message.wanted_revision) == (urgent, 0, 3)


async def test_a_mark_of_an_attempt_is_the_first_one_s_and_goes_when_it_is_posted(store: SqlStore) -> None:
    """History is read from when the first attempt began, however many followed; so it is with an edit."""
    one = await store.write(open_incident)
    for seconds in (0, 31, 62):
        [message] = await store.write(partial(claiming, seconds=seconds))
        assert message.attempted_at == (NOW if seconds else None)
    stored = await store.read(lambda tx: tx.outbox.get(message.id))
    assert stored is not None
    assert stored.attempted_at == NOW
    await store.write(lambda tx: post(tx, message, seconds=63))
    await store.write(lambda tx: want_card(tx, one))
    [edit] = await store.write(partial(claiming, seconds=64))
    [same] = await store.write(partial(claiming, seconds=95))
    assert (edit.attempted_at, same.attempted_at) == (None, later(64))


async def test_what_was_refused_counts_until_it_is_posted(store: SqlStore) -> None:
    """Attempts make the next wait longer; a pause that is nobody's fault is not counted, a success starts anew."""
    await store.write(open_incident)
    [message] = await store.write(claiming)
    for counted in (True, True, False):
        await store.write(partial(_defer, message_id=message.id, counted=counted))
    stored = await store.read(lambda tx: tx.outbox.get(message.id))
    assert stored is not None
    assert (stored.attempts, stored.next_at, stored.last_error) == (2, later(7), "why")
    await store.write(lambda tx: post(tx, message))
    stored = await store.read(lambda tx: tx.outbox.get(message.id))
    assert stored is not None
    assert (stored.attempts, stored.last_error) == (0, "")


def _defer(tx: Tx, *, message_id: int, counted: bool) -> None:
    tx.outbox.defer(message_id, until=later(7), error="why", counted=counted)


def want_shown(tx: Tx, saved: Incident, ref: str, seconds: float) -> int:
    """Ask, so many seconds after the start, for a line that people must notice."""
    return tx.outbox.want(
        MessageKind.LINE,
        ref,
        channel="incidents",
        now=later(seconds),
        incident_id=saved.id,
        in_thread=True,
        urgency=0,
    )


async def below_one_in_doubt(store: SqlStore, kind: MessageKind = MessageKind.LINE) -> Incident:
    """Have a message of a posted card's thread under way since the second second; gives the incident."""
    saved = await store.write(open_incident)
    await store.write(post_all)
    await store.write(
        lambda tx: tx.outbox.want(
            kind, "doubt", channel="incidents", now=NOW, incident_id=saved.id, in_thread=True, urgency=3
        )
    )
    assert [one.ref for one in await store.write(partial(claiming, seconds=1))] == ["doubt"]
    return saved


async def test_what_must_be_noticed_passes_what_is_in_doubt(store: SqlStore) -> None:
    """The answer is waited for a moment; then the first of those goes, and the others of them with it or behind it."""
    saved = await below_one_in_doubt(store)
    for ref in ("aloud", "and this"):
        await store.write(partial(want_shown, saved=saved, ref=ref, seconds=1.2))
    assert await store.write(partial(claiming, seconds=2.4)) == []
    assert await store.read(lambda tx: tx.outbox.next_at()) == later(2.5)
    [passes] = await store.write(partial(claiming, seconds=2.5))
    assert passes.ref == "aloud"
    assert await store.write(partial(claiming, seconds=2.6)) == [], "its own answer is waited for, too"
    await store.write(lambda tx: post(tx, passes))
    assert [one.ref for one in await store.write(partial(claiming, seconds=2.7))] == ["and this"]


async def test_what_the_attempt_in_doubt_may_have_told_does_not_pass_it(store: SqlStore) -> None:
    """Lines that wait go in one message: what was owed when it began may stand in it."""
    saved = await store.write(open_incident)
    await store.write(post_all)
    await store.write(lambda tx: want_line(tx, saved, "doubt"))
    await store.write(partial(want_shown, saved=saved, ref="aloud", seconds=0.9))
    assert [one.ref for one in await store.write(partial(claiming, seconds=1))] == ["doubt"]
    assert await store.write(partial(claiming, seconds=9)) == []


async def test_a_file_in_doubt_holds_no_line_that_must_be_noticed(store: SqlStore) -> None:
    """No line goes with a file, whenever it was asked for."""
    saved = await store.write(open_incident)
    await store.write(post_all)
    await store.write(
        lambda tx: tx.outbox.want(
            MessageKind.FILE, "7", channel="incidents", now=NOW, incident_id=saved.id, in_thread=True
        )
    )
    await store.write(partial(want_shown, saved=saved, ref="aloud", seconds=0.9))
    assert [one.ref for one in await store.write(partial(claiming, seconds=1))] == ["7"]
    assert [one.ref for one in await store.write(partial(claiming, seconds=3))] == ["aloud"]


async def test_what_only_explains_keeps_its_place_behind_what_is_in_doubt(store: SqlStore) -> None:
    """A thread is read in its order; only what people must notice is worth breaking it."""
    saved = await below_one_in_doubt(store)
    await store.write(lambda tx: want_line(tx, saved, "explains", now=later(1.2)))
    assert await store.write(partial(claiming, seconds=9)) == []


async def test_what_must_be_noticed_does_not_wait_with_a_line_that_waits_for_others(store: SqlStore) -> None:
    """A line that was to be one message with later ones goes as soon as the grave one behind it; one refused does not."""
    saved, other = await store.write(open_incident), await store.write(open_incident)
    await store.write(post_all)

    def quiet(tx: Tx, incident: Incident, ref: str) -> int:
        return tx.outbox.want(
            MessageKind.LINE,
            ref,
            channel="incidents",
            now=NOW,
            incident_id=incident.id,
            in_thread=True,
            urgency=3,
            wait_seconds=10,
        )

    await store.write(lambda tx: quiet(tx, saved, "quiet"))
    refused = await store.write(lambda tx: quiet(tx, other, "refused"))
    await store.write(lambda tx: tx.outbox.defer(refused, until=later(9), error="fatal"))
    for one in (saved, other):
        await store.write(partial(want_shown, saved=one, ref=f"aloud {one.id}", seconds=1))
    assert [one.ref for one in await store.write(partial(claiming, seconds=1))] == ["quiet"]

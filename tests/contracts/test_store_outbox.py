"""The outbox: never dropped, never doubled, the latest wins; on SQLite and on PostgreSQL."""

from collections.abc import Callable

from bot.store import SqlStore
from tests.contracts.store_samples import HOSTILE, NOW, incident, later, open_incident, want_card, want_line
from triage.incidents.notifications import INCIDENT_CHANNEL
from triage.ports.store import Message, MessageKind, Recheck, Tx


async def claim(store: SqlStore, seconds: float = 0, *, limit: int = 10) -> list[Message]:
    """Claim what is due so many seconds after the start."""
    return await store.write(
        lambda tx: tx.outbox.claim(later(seconds), owner="me", lease_seconds=30, limit=limit)
    )


async def post(store: SqlStore, message: Message, ts: str, seconds: float = 0) -> None:
    """Record that Slack has a message."""
    await store.write(
        lambda tx: tx.outbox.posted(
            message.id, post_id=ts, channel_id="C1", revision=message.wanted_revision, now=later(seconds)
        )
    )


async def test_what_is_wanted_is_claimed_once(store: SqlStore) -> None:
    """A lease keeps it from others; when the lease ends it is due again, marked as attempted."""
    await store.write(open_incident)
    [first] = await claim(store)
    assert (first.kind, first.attempted_at, first.post_id, first.wanted_revision) == (
        MessageKind.CARD,
        None,
        "",
        1,
    )
    assert await claim(store, 29) == []
    [again] = await claim(store, 31)
    assert again.delivery_id == first.delivery_id
    assert again.attempted_at == NOW, "whoever finds this mark looks before posting"


async def test_wanting_again_is_one_edit_of_the_latest(store: SqlStore) -> None:
    """Ten wishes while one is owed are one message with the newest revision."""
    one = await store.write(open_incident)
    for _ in range(10):
        await store.write(lambda tx: want_card(tx, one))
    [message] = await claim(store)
    assert message.wanted_revision == 11
    await post(store, message, "1.1")
    assert await claim(store, 60) == []
    await store.write(lambda tx: want_card(tx, one, now=later(61)))
    [edit] = await claim(store, 61)
    assert (edit.post_id, edit.sent_revision, edit.wanted_revision) == ("1.1", 11, 12)
    assert edit.attempted_at is None, "an edit may be done twice: nobody has to look"


async def test_a_wish_during_the_post_is_not_lost(store: SqlStore) -> None:
    """The last flush: what was asked for while an older revision went out is still due."""
    one = await store.write(open_incident)
    [message] = await claim(store)
    await store.write(lambda tx: want_card(tx, one))
    await post(store, message, "1.1")
    [edit] = await claim(store, 1)
    assert (edit.sent_revision, edit.wanted_revision) == (1, 2)


async def test_a_thread_waits_for_its_parent_and_keeps_its_order(store: SqlStore) -> None:
    """Nothing of a thread is claimed before its card has a ts, nor before what stands above it."""
    one = await store.write(open_incident)
    await store.write(lambda tx: [want_line(tx, one, ref) for ref in ("1", "2")])
    [card] = await claim(store)
    await post(store, card, "1.1")
    [first] = await claim(store)
    assert (first.ref, first.parent_post_id, first.parent_id) == ("1", "1.1", card.id)
    waiting = await store.read(lambda tx: tx.outbox.unposted_in_thread(card.id))
    assert [message.ref for message in waiting] == ["1", "2"]
    await post(store, first, "1.2")
    [second] = await claim(store)
    assert second.ref == "2"


async def test_the_message_of_an_action_does_not_wait_for_the_lines_before_it(store: SqlStore) -> None:
    """Somebody is watching for it; the thread's other lines keep their order behind it."""
    one = await store.write(open_incident)

    def ask(tx: Tx) -> None:
        want_line(tx, one, "1")
        tx.outbox.want(
            MessageKind.ACTION,
            "7",
            channel=INCIDENT_CHANNEL,
            now=NOW,
            incident_id=one.id,
            in_thread=True,
            urgency=1,
        )

    await store.write(ask)
    [card] = await claim(store)
    await post(store, card, "1.1")
    assert [message.ref for message in await claim(store)] == ["7", "1"]


async def test_the_urgent_go_first_and_new_posts_before_edits(store: SqlStore) -> None:
    """A Sev-1 that comes last is claimed first."""

    def ask(tx: Tx) -> None:
        for urgency in (3, 2, 1):
            want_card(tx, open_incident(tx), urgency=urgency)

    await store.write(ask)
    assert [message.urgency for message in await claim(store, limit=2)] == [1, 1]


async def test_an_unknown_outcome_keeps_its_mark_a_refusal_takes_it_off(store: SqlStore) -> None:
    """Only what may have been posted is looked for."""
    await store.write(open_incident)
    [message] = await claim(store)
    await store.write(
        lambda tx: tx.outbox.defer(message.id, until=later(5), error="timeout", unknown=True, counted=False)
    )
    assert await claim(store, 4) == []
    [unknown] = await claim(store, 5)
    assert (unknown.attempted_at, unknown.attempts, unknown.last_error) == (NOW, 0, "timeout")
    await store.write(lambda tx: tx.outbox.defer(message.id, until=later(9), error="refused"))
    [refused] = await claim(store, 9)
    assert (refused.attempted_at, refused.attempts) == (None, 1)


async def test_what_waits_for_a_mend_is_due_when_its_reason_is_gone(store: SqlStore) -> None:
    """All that has the same error, and nothing else."""
    for _ in range(3):
        await store.write(open_incident)
    for message, error in zip(await claim(store), ("no scope", "no scope", "no room"), strict=True):
        await store.write(lambda tx, m=message, e=error: tx.outbox.defer(m.id, until=later(60), error=e))  # type: ignore[misc]
    assert await claim(store, 5) == []
    await store.write(lambda tx: tx.outbox.hasten("no scope", later(5)))
    assert len(await claim(store, 5)) == 2


async def test_what_is_gone_from_slack_is_posted_anew_under_another_id(store: SqlStore) -> None:
    """A deleted message: the old delivery id may still be found in history, so a new one."""
    one = await store.write(open_incident)
    [card] = await claim(store)
    await post(store, card, "1.1")
    await store.write(lambda tx: want_card(tx, one))
    await store.write(lambda tx: tx.outbox.forget(card.id, later(1)))
    [anew] = await claim(store, 1)
    assert (anew.post_id, anew.sent_revision) == ("", 0)
    assert anew.delivery_id != card.delivery_id


async def test_what_is_gone_while_a_copy_of_it_may_come_keeps_its_id_and_is_looked_at_again(
    store: SqlStore,
) -> None:
    """By its delivery id the late copy is found, which is asked for once the message stands anew."""
    one = await store.write(open_incident)
    [card] = await claim(store)
    recheck = Recheck(later(20), post=True)
    await store.write(
        lambda tx: tx.outbox.posted(
            card.id, post_id="1.1", channel_id="C1", revision=1, now=NOW, recheck=recheck
        )
    )
    await store.write(lambda tx: want_card(tx, one))
    await store.write(lambda tx: tx.outbox.forget(card.id, later(1), doubted=True))
    [anew] = await claim(store, 1)
    assert (anew.post_id, anew.sent_revision, anew.delivery_id) == ("", 0, card.delivery_id)
    assert anew.recheck == recheck
    assert anew.attempted_at is None
    await store.write(
        lambda tx: tx.outbox.posted(
            anew.id,
            post_id="1.2",
            channel_id="C1",
            revision=anew.wanted_revision,
            now=later(2),
            recheck=anew.recheck,
        )
    )
    assert await claim(store, 19) == []
    [due] = await claim(store, 20)
    assert (due.post_id, due.recheck) == ("1.2", recheck)


async def test_a_recheck_that_is_claimed_is_given_back_like_what_is_owed(store: SqlStore) -> None:
    """By its owner, or by all at a start: what is looked for is what is claimed, owed or not."""
    await store.write(open_incident)
    [card] = await claim(store)
    recheck = Recheck(later(1), post=True)
    await store.write(
        lambda tx: tx.outbox.posted(
            card.id, post_id="1.1", channel_id="C1", revision=1, now=NOW, recheck=recheck
        )
    )
    gives_back: list[Callable[[Tx], object]] = [
        lambda tx: tx.outbox.release(),
        lambda tx: tx.outbox.release_of("me", NOW),
        lambda tx: tx.outbox.give_back("me", but=[0, 5], now=later(2), error="stopped"),
    ]
    for give_back in gives_back:
        taken = await store.write(
            lambda tx: tx.outbox.claim(later(2), owner="me", lease_seconds=300, limit=5)
        )
        assert [one.id for one in taken] == [card.id]
        assert await store.write(lambda tx: tx.outbox.held_until(card.id, "me")) is not None
        await store.write(give_back)
        assert await store.write(lambda tx: tx.outbox.held_until(card.id, "me")) is None


async def test_messages_are_found_by_what_they_show_and_by_their_ts(store: SqlStore) -> None:
    """A reaction or a click names the ts; a change names what is shown."""
    one = await store.write(open_incident)
    [card] = await claim(store)
    await post(store, card, "1.1")
    read = store.read
    for found in (
        await read(lambda tx: tx.outbox.get(card.id)),
        await read(lambda tx: tx.outbox.find(MessageKind.CARD, str(one.id))),
        await read(lambda tx: tx.outbox.by_post_id("C1", "1.1")),
    ):
        assert found is not None
        assert found.id == card.id
    assert await read(lambda tx: tx.outbox.by_post_id("C2", "1.1")) is None
    assert await read(lambda tx: tx.outbox.get(99)) is None


async def test_release_frees_every_claim_and_keeps_the_marks(store: SqlStore) -> None:
    """At a start where no other process can be alive."""
    await store.write(open_incident)
    await claim(store)
    await store.write(lambda tx: tx.outbox.release())
    [again] = await claim(store, 1)
    assert again.attempted_at == NOW


async def test_the_state_says_how_much_is_owed_and_since_when(store: SqlStore) -> None:
    """An edit wanted anew while one is owed keeps the older time."""
    one = await store.write(open_incident)
    await store.write(lambda tx: want_card(tx, one, now=later(50)))
    state = await store.read(lambda tx: tx.outbox.state())
    assert (state.pending, state.oldest_at, state.failing) == (1, NOW, 0)
    assert await store.read(lambda tx: tx.outbox.next_at()) == NOW
    [card] = await claim(store, 50)
    assert await store.read(lambda tx: tx.outbox.next_at()) == later(80), "when the lease ends"
    await store.write(lambda tx: tx.outbox.defer(card.id, until=later(99), error="ratelimited\0"))
    state = await store.read(lambda tx: tx.outbox.state())
    assert (state.failing, state.last_error.startswith("ratelimited")) == (1, True)
    await post(store, card, "1.1", 100)
    assert await store.read(lambda tx: tx.outbox.next_at()) is None
    assert (await store.read(lambda tx: tx.outbox.state())).pending == 0


async def test_hostile_names_are_found_again(store: SqlStore) -> None:
    """NUL and half a pair in what comes from outside: asked for and found by the same words."""
    wanted = await store.write(
        lambda tx: tx.outbox.want(MessageKind.DOCUMENT, HOSTILE, channel=HOSTILE, now=NOW)
    )
    again = await store.write(
        lambda tx: tx.outbox.want(MessageKind.DOCUMENT, HOSTILE, channel=HOSTILE, now=NOW)
    )
    assert again == wanted
    [message] = await claim(store)
    await store.write(
        lambda tx: tx.outbox.posted(message.id, post_id=HOSTILE, channel_id=HOSTILE, revision=2, now=NOW)
    )
    found = await store.read(lambda tx: tx.outbox.find(MessageKind.DOCUMENT, HOSTILE))
    known = await store.read(lambda tx: tx.outbox.by_post_id(HOSTILE, HOSTILE))
    assert found is not None
    assert found == known
    assert (found.id, found.channel) == (wanted, found.post_id)
    assert found.post_id.startswith("nul \ufffd")


async def test_unposted_cards_wait_behind_what_tells_of_them_already(store: SqlStore) -> None:
    """Not those that stand there, nor other messages; what asks for a person at once waits for no time."""

    def want(tx: Tx) -> None:
        for urgency in (1, 2, 3, 2, 2):
            want_card(tx, tx.incidents.save(incident()), urgency=urgency)
        card = tx.outbox.find(MessageKind.CARD, "4")
        assert card is not None
        tx.outbox.posted(card.id, post_id="1.1", channel_id="C1", revision=1, now=NOW)
        tx.outbox.put_behind([1, 2, 3, 4], 3, now=NOW, wait_seconds=10)

    await store.write(want)

    def read(tx: Tx) -> list[tuple[int, bool]]:
        cards = [tx.outbox.find(MessageKind.CARD, str(number)) for number in range(1, 6)]
        return [(one.urgency, one.next_at == later(10)) for one in cards if one is not None]

    assert await store.read(read) == [(3, False), (3, True), (3, True), (2, False), (2, False)]

"""Texts from outside come back as texts that can be sent on, and what else the memory promises at its edges."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pytest

from bot.store import SqlStore
from bot.store.audit import broken_links
from bot.store.text import json_value
from bot.store.transaction import Transaction
from tests.contracts.store_samples import HOSTILE, NOW, episode, finding, incident, later, line, signal
from triage.model import Incident, RunStatus, SignalStatus, Source, Subject, SubjectKind, TriageRun, Verdict
from triage.ports.store import MessageKind, StoredSignal, Tx


def texts(value: object) -> Iterator[str]:
    """Give every text inside a value, keys included."""
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from texts(getattr(value, each.name))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from texts(key)
            yield from texts(each)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for each in value:
            yield from texts(each)


def assert_sound(*values: object) -> None:
    """Hold every text to what Slack, a page and the databases take; the hostile ones kept their rest."""
    found = [text for value in values for text in texts(value)]
    for text in found:
        assert "\0" not in text
        assert text.isascii() or text.encode(), (
            "half a pair cannot be encoded: it would stop whoever sends it on"
        )
    hostile = [text for text in found if "emoji" in text]
    assert hostile, "what was written is found again"
    assert all("🦜 · right to left \u202e · quote ' \" \\ ; -- %s {x} \\u0000" in text for text in hostile)


@pytest.mark.parametrize("text", [r'["\ud800"]', "[" * 300 + "]" * 300, '[1e999, "\\u20ac", NaN]'])
def test_json_that_the_quick_reader_may_refuse_is_read_as_ever(text: str) -> None:
    """A version before may have stored half a surrogate pair, or what is nested deep."""
    assert str(json_value(text)) == str(json.loads(text))


def test_what_is_no_json_is_refused() -> None:
    """Its record is then unreadable, and costs only itself."""
    with pytest.raises(ValueError, match="Expecting"):
        json_value("{'a': 1}")


async def test_hostile_texts_of_signals_and_incidents_come_back_sound(store: SqlStore) -> None:
    """NUL and half a surrogate pair are replaced, in fields and in JSON; everything else is kept."""
    hostile = {HOSTILE: HOSTILE}
    subject = Subject(SubjectKind.BOT, HOSTILE)
    sent = signal(
        HOSTILE, name=HOSTILE, subject=subject, labels=hostile, annotations=hostile, generator_url=HOSTILE,
        fingerprint=HOSTILE, data={"deep": [HOSTILE, {HOSTILE: [HOSTILE]}]},
    )  # fmt: skip
    assert await store.keep([sent]) == 1
    assert await store.keep([sent]) == 0, "a repeat is known by its replaced key"

    def write(tx: Tx) -> Incident:
        one = tx.incidents.save(
            incident(
                title=HOSTILE, name=HOSTILE, subjects=(subject,), acknowledged_by=HOSTILE, resolved_by=HOSTILE
            )
        )
        tx.incidents.put_episode(
            episode(
                one.id, HOSTILE, name=HOSTILE, subject=subject, labels=hostile, annotations=hostile,
                generator_url=HOSTILE, fingerprint=HOSTILE,
            )
        )  # fmt: skip
        return one

    one = await store.write(write)

    def read(tx: Tx) -> tuple[object, ...]:
        found = tx.incidents.episode(Source.ALERTMANAGER, HOSTILE)
        assert found is not None
        assert tx.incidents.firing_of([HOSTILE]) == [found]
        return (
            one,
            tx.incidents.get(one.id),
            found,
            tx.signals.inbox(9),
            list(tx.incidents.names([one.id]).values()),
        )

    inbox: list[StoredSignal] = await store.read(lambda tx: tx.signals.inbox(9))
    assert_sound(*await store.read(read))
    assert_sound(inbox[0])
    assert len(inbox) == 1


async def test_hostile_texts_of_stories_runs_notes_and_audit_come_back_sound(store: SqlStore) -> None:
    """The audit's chain is whole over them, too."""
    hostile = {HOSTILE: HOSTILE}

    def write(tx: Tx) -> tuple[int, int]:
        one = tx.incidents.save(incident())
        tx.timeline.add(line(one.id, HOSTILE, actor=HOSTILE, source=HOSTILE, key=HOSTILE, data=hostile))
        assert tx.timeline.add(line(one.id, HOSTILE, key=HOSTILE)) is None
        run_id = tx.runs.queue(one.id, HOSTILE, NOW)
        found = finding(
            name=HOSTILE, headline=HOSTILE, why=HOSTILE, source=HOSTILE, details=(HOSTILE,), data=hostile
        )
        verdict = Verdict(unknowns=(HOSTILE,))
        tx.runs.finish(
            TriageRun(
                id=run_id,
                incident_id=one.id,
                reason=HOSTILE,
                requested_at=NOW,
                status=RunStatus.DONE,
                playbook=HOSTILE,
                findings=(found,),
                verdict=verdict,
            )
        )
        tx.notes.put(HOSTILE, HOSTILE)
        assert tx.notes.get(HOSTILE) == tx.notes.all(HOSTILE[:5]).popitem()[1]
        assert tx.notes.once(HOSTILE, HOSTILE, NOW)
        assert not tx.notes.once(HOSTILE, HOSTILE, NOW)
        tx.audit.append(at=NOW, actor=HOSTILE, event=HOSTILE, target=HOSTILE, detail=hostile)
        return run_id, tx.notes.save_document(HOSTILE, hostile, made_at=NOW, content=b"\0")

    run_id, document_id = await store.write(write)
    await store.write(lambda tx: tx.notes.rewrite_document(document_id, {"again": hostile}))

    def read(tx: Tx) -> tuple[object, ...]:
        return (
            tx.timeline.of(1),
            tx.runs.get(run_id),
            tx.notes.all(HOSTILE[:5]),
            tx.notes.document(document_id),
        )

    for value in await store.read(read):
        assert_sound(value)
    entries = await store.read(lambda tx: tx.audit.entries())
    assert broken_links(entries) == []
    assert_sound(entries)


async def test_a_hostile_error_and_ref_of_a_message_come_back_sound(store: SqlStore) -> None:
    """Slack's error is a text from outside."""
    asked = await store.write(
        lambda tx: tx.outbox.want(MessageKind.DOCUMENT, "1", channel="desk-alerts", now=NOW)
    )
    await store.write(lambda tx: tx.outbox.defer(asked, until=NOW, error=HOSTILE))
    assert_sound(
        await store.read(lambda tx: tx.outbox.get(asked)), await store.read(lambda tx: tx.outbox.state())
    )


async def test_json_is_kept_to_the_letter_where_it_is_sound(store: SqlStore) -> None:
    """Emoji are pairs in JSON's escapes, and a backslash before "u0000" or "ud800" is just a text."""
    facts = {
        "emoji": "🦜",
        "slash": "\\u0000 \\ud800 \\\\u0000",
        "deep": [1, 2.5, None, True, {"é": "\u2028"}],
    }
    kept = await store.write(lambda tx: tx.notes.save_document("facts", facts, made_at=NOW))
    document = await store.read(lambda tx: tx.notes.document(kept))
    assert document is not None
    assert json.dumps(document.data) == json.dumps(facts)


async def test_a_resolve_that_ended_at_another_time_is_another_signal(store: SqlStore) -> None:
    """An alert may end, fire on and end again: both ends count, behind the firing they came with."""
    ends = [signal("e1", SignalStatus.RESOLVED, ends_at=later(seconds)) for seconds in (10, 20)]
    assert await store.keep([signal("e2"), signal("e1"), *ends]) == 4
    assert await store.keep(ends) == 0
    inbox = await store.read(lambda tx: tx.signals.inbox(10))
    mine = [each.signal for each in inbox if each.signal.episode == "e1"]
    assert [one.ends_at for one in mine] == [None, later(10), later(20)]


def _ended(tx: Tx, keys: list[tuple[Source, str]]) -> set[tuple[Source, str]]:
    return tx.signals.ended(keys)


async def test_two_sources_may_name_an_episode_alike(store: SqlStore) -> None:
    """The end of one is not the end of the other, in whatever order they are asked for."""
    key, elsewhere = (Source.ALERTMANAGER, "e1"), (Source.AUDIT, "e1")
    await store.keep([signal("e1", SignalStatus.RESOLVED)])
    await store.write(lambda tx: tx.signals.sort([(tx.signals.inbox(1)[0].id, None, "over")]))
    for asked in ([key, elsewhere], [elsewhere, key]):
        assert await store.read(partial(_ended, keys=asked)) == {key}


async def test_a_handle_can_not_be_guessed_and_stays(store: SqlStore) -> None:
    """It holds 96 random bits: nothing of the id, nothing of another's, no shorter or longer one."""
    several = [await store.write(lambda tx: tx.incidents.save(incident())) for _ in range(30)]
    handles = await store.read(lambda tx: [tx.incidents.handle(one.id) for one in several])
    assert len({handle[:8] for handle in handles}) == len(handles)
    await store.write(lambda tx: tx.incidents.save(replace(several[3], title="changed")))
    assert await store.read(lambda tx: tx.incidents.handle(several[3].id)) == handles[3]
    guesses = ("", "4", "%", handles[3][:-1], handles[3] + "A", handles[3].swapcase())
    found = await store.read(lambda tx: [tx.incidents.by_handle(guess) for guess in guesses])
    assert found == [None] * len(guesses)


async def test_a_run_that_two_owners_finished_has_the_later_findings_once(store: SqlStore) -> None:
    """The first owner was slow, not dead: its run was taken again, both finish, one answer stands."""
    run_id = await store.write(lambda tx: tx.runs.queue(tx.incidents.save(incident()).id, "opened", NOW))
    slow = await store.write(lambda tx: tx.runs.take(NOW, owner="slow", lease_seconds=60))
    quick = await store.write(lambda tx: tx.runs.take(later(61), owner="quick", lease_seconds=60))
    assert slow is not None
    assert quick is not None
    await store.write(lambda tx: tx.runs.finish(replace(quick, findings=(finding(), finding(name="host")))))
    await store.write(lambda tx: tx.runs.finish(replace(slow, findings=(finding(name="late"),))))
    done = await store.read(lambda tx: tx.runs.get(run_id))
    assert done is not None
    assert ([found.name for found in done.findings], done.status) == (["late"], RunStatus.DONE)
    await store.write(lambda tx: tx.runs.release())
    assert await store.write(lambda tx: tx.runs.take(later(999), owner="other", lease_seconds=60)) is None


async def test_a_line_deleted_or_moved_in_the_table_shows(store: SqlStore) -> None:
    """Whoever has the database's password cannot take a line out, nor change two lines' places, unseen."""
    await store.write(
        lambda tx: [tx.audit.append(at=NOW, actor="a", event=f"e{n}", target="t") for n in range(5)]
    )

    def faults(tx: Tx, *statements: str) -> list[str]:
        assert isinstance(tx, Transaction)
        for statement in statements:
            tx.connection.exec_driver_sql(statement)
        return broken_links(tx.audit.entries())

    assert await store.write(faults) == []
    moved = [
        "UPDATE audit SET seq = -seq WHERE seq IN (2, 3)",
        "UPDATE audit SET seq = 5 + seq WHERE seq < 0",
    ]
    assert await store.write(lambda tx: faults(tx, *moved)) != []
    assert await store.write(lambda tx: faults(tx, *moved)) == [], "and is whole again when they are put back"
    deleted = await store.write(lambda tx: faults(tx, "DELETE FROM audit WHERE seq = 3"))
    assert deleted == [
        "line 3 is missing: line 4 follows line 2",
        "line 4 does not follow the line before it",
    ]

"""The store's promise, method by method, on SQLite and on PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa

from bot.store import SqlStore, tables
from bot.store.tables import UtcTime
from tests.contracts.store_samples import (
    BOT1,
    BOT2,
    NOW,
    episode,
    finding,
    incident,
    later,
    line,
    open_incident,
    signal,
)
from triage.model import (
    Incident,
    IncidentShape,
    IncidentStatus,
    RunStatus,
    Severity,
    SignalStatus,
    Source,
    Subject,
    SubjectKind,
    TimelineKind,
    Verdict,
)
from triage.ports.store import MessageKind, Tx


async def test_a_signal_comes_back_as_it_went_in(store: SqlStore) -> None:
    """Every field of it, from the inbox."""
    sent = signal(ends_at=later(60), status=SignalStatus.RESOLVED)
    assert await store.keep([sent]) == 1
    [stored] = await store.read(lambda tx: tx.signals.inbox(10))
    assert stored.signal == sent


async def test_a_repeat_moves_last_seen_alone(store: SqlStore) -> None:
    """Dedupe is on source, episode and status; a repeat is counted as no new signal."""
    first = signal()
    assert await store.keep([first]) == 1
    assert await store.keep([replace(first, received_at=later(9), labels={"bot": "other"})]) == 0
    await store.write(lambda tx: tx.signals.sort([(1, tx.incidents.save(incident()).id, "open")]))
    assert await store.read(lambda tx: tx.signals.last_seen(1)) == later(9)
    [stored] = await store.read(lambda tx: tx.signals.of(1))
    assert stored.signal == first


async def test_one_webhook_may_name_a_signal_twice(store: SqlStore) -> None:
    """The database refuses that within one statement: it must not cost the webhook."""
    assert await store.keep([signal(), signal(), signal("e2")]) == 2
    assert await store.read(lambda tx: tx.signals.waiting()) == 2


async def test_thousands_of_alerts_fit_in_one_webhook(store: SqlStore) -> None:
    """4 MiB hold more alerts than a statement may name values."""
    many = [signal(f"e{number}") for number in range(1300)]
    assert await store.keep(many) == 1300
    assert await store.keep([*many, signal("another")]) == 1


async def test_nothing_to_store_is_stored(store: SqlStore) -> None:
    """A webhook of the Watchdog alone leaves no signal."""
    assert await store.keep([]) == 0


async def test_the_inbox_is_in_the_order_of_arrival_and_sorting_empties_it(store: SqlStore) -> None:
    """Ids grow with arrival; an outcome takes a signal out of the inbox and keeps it with its incident."""
    for name in ("c", "a", "b"):
        await store.keep([signal(name)])
    inbox = await store.read(lambda tx: tx.signals.inbox(2))
    assert [stored.signal.episode for stored in inbox] == ["c", "a"]
    one = await store.write(lambda tx: tx.incidents.save(incident()))
    outcomes = [(inbox[0].id, one.id, "open: it is new"), (inbox[1].id, None, "unseen: it ended before")]
    await store.write(lambda tx: tx.signals.sort(outcomes))
    left = await store.read(lambda tx: tx.signals.inbox(10))
    assert [stored.signal.episode for stored in left] == ["b"]
    assert [stored.signal.episode for stored in await store.read(lambda tx: tx.signals.of(one.id))] == ["c"]
    assert await store.read(lambda tx: tx.signals.waiting()) == 1


async def test_an_episode_has_ended_once_its_resolve_was_sorted(store: SqlStore) -> None:
    """A resolve that still waits in the inbox ends nothing yet."""
    key = (Source.ALERTMANAGER, "e1")
    await store.keep([signal(status=SignalStatus.RESOLVED)])
    assert await store.read(lambda tx: tx.signals.ended([key])) == set()
    await store.write(lambda tx: tx.signals.sort([(1, None, "unseen")]))
    asked = [key, (Source.ALERTMANAGER, "e2"), (Source.AUDIT, "e1")]
    assert await store.read(lambda tx: tx.signals.ended(asked)) == {key}


async def test_an_incident_comes_back_as_it_was_saved(store: SqlStore) -> None:
    """Insert gives it an id and a handle, update keeps both."""
    first = await store.write(lambda tx: tx.incidents.save(incident()))
    changed = replace(
        first,
        subjects=(BOT1, BOT2),
        shape=IncidentShape.WIDE,
        status=IncidentStatus.ACKNOWLEDGED,
        acknowledged_at=later(5),
        acknowledged_by="U0ANA00001",
        reopened=2,
        quiet=True,
        last_seen_at=later(6),
        mitigated_at=later(7),
    )
    await store.write(lambda tx: tx.incidents.save(changed))
    assert await store.read(lambda tx: tx.incidents.get(first.id)) == changed
    handle = await store.read(lambda tx: tx.incidents.handle(first.id))
    assert len(handle) >= 12
    assert await store.read(lambda tx: tx.incidents.by_handle(handle)) == changed
    assert await store.read(lambda tx: tx.incidents.by_handle("forged\0")) is None
    assert await store.read(lambda tx: tx.incidents.get(99)) is None


async def test_open_and_recent_incidents_are_told_apart(store: SqlStore) -> None:
    """Open ones always count, resolved ones while their change is recent; the newest win the limit."""
    resolved = {"status": IncidentStatus.RESOLVED, "resolved_at": NOW}

    def save(tx: Tx) -> None:
        tx.incidents.save(incident(title="old and open"))
        tx.incidents.save(incident(title="old", **resolved))
        tx.incidents.save(incident(title="recent", changed_at=later(100), **resolved))
        tx.incidents.save(incident(title="new"))

    await store.write(save)
    assert [i.title for i in await store.read(lambda tx: tx.incidents.open())] == ["old and open", "new"]
    recent = await store.read(lambda tx: tx.incidents.recent(later(50)))
    assert [one.title for one in recent] == ["old and open", "recent", "new"]
    assert [i.title for i in await store.read(lambda tx: tx.incidents.recent(later(50), 2))] == [
        "recent",
        "new",
    ]


async def test_episodes_are_kept_once_and_counted(store: SqlStore) -> None:
    """Insert or update by source and episode; events never count as firing."""

    def save(tx: Tx) -> None:
        one, two = tx.incidents.save(incident()), tx.incidents.save(incident())
        tx.incidents.put_episodes(
            [
                episode(one.id, "a", starts_at=later(2), severity=Severity.SEV3),
                episode(one.id, "b", name="Other", starts_at=later(1)),
                episode(one.id, "c", name="Event", is_event=True, starts_at=later(3)),
            ]
        )
        tx.incidents.put_episodes([])
        tx.incidents.put_episode(episode(one.id, "a", firing=False, ends_at=later(9), starts_at=later(2)))
        tx.incidents.put_episode(episode(two.id, "d"))

    await store.write(save)
    read = store.read
    assert [e.episode for e in await read(lambda tx: tx.incidents.episodes([1]))] == ["b", "a", "c"]
    assert len(await read(lambda tx: tx.incidents.episodes([1, 2, 3]))) == 4
    assert await read(lambda tx: tx.incidents.episodes([])) == []
    assert await read(lambda tx: tx.incidents.counts(1)) == (1, 3)
    assert await read(lambda tx: tx.incidents.names([1, 2])) == {
        1: {"BotHardStopActive", "Other", "Event"},
        2: {"BotHardStopActive"},
    }
    pairs = [(Source.ALERTMANAGER, "a"), (Source.ALERTMANAGER, "d"), (Source.AUDIT, "b")]
    assert {e.episode for e in await read(lambda tx: tx.incidents.episodes_named(pairs))} == {"a", "d"}
    seen = (await read(lambda tx: tx.incidents.episodes([1])))[0].last_seen_at
    assert await read(lambda tx: [tx.incidents.lately(1, seen, most) for most in (9, 2, 1)]) == [2, 2, 1]
    tally = await read(lambda tx: tx.incidents.tally(1))
    assert tally == {"BotHardStopActive": (1, 0), "Other": (1, 1), "Event": (1, 0)}
    one = await read(lambda tx: tx.incidents.episode(Source.ALERTMANAGER, "a"))
    assert one is not None
    assert (one.firing, one.ends_at) == (False, later(9))
    assert await read(lambda tx: tx.incidents.episode(Source.AUDIT, "a")) is None
    named = [(Source.ALERTMANAGER, "a"), (Source.ALERTMANAGER, "d"), (Source.AUDIT, "b")]
    assert {e.episode for e in await read(lambda tx: tx.incidents.episodes_named(named))} == {"a", "d"}
    assert await read(lambda tx: tx.incidents.episodes_named([])) == []
    assert [e.episode for e in await read(lambda tx: tx.incidents.firing_of(["a", "d", "zz"]))] == ["d"]


async def test_what_is_shown_of_a_storm_fires_is_urgent_and_is_old(store: SqlStore) -> None:
    """A bounded number of episodes, those that matter, in the order they began."""

    def save(tx: Tx) -> None:
        storm = tx.incidents.save(incident())
        tx.incidents.put_episodes(
            [
                episode(storm.id, "ended", firing=False, starts_at=later(-9)),
                episode(storm.id, "minor", severity=Severity.SEV3, starts_at=later(-8)),
                episode(storm.id, "young", starts_at=later(2)),
                episode(storm.id, "old", starts_at=later(1)),
            ]
        )

    await store.write(save)
    told = await store.read(lambda tx: tx.incidents.notable_episodes(1, 3))
    assert [each.episode for each in told] == ["minor", "old", "young"]


async def test_the_episodes_of_one_alert_about_one_subject_are_found_alone(store: SqlStore) -> None:
    """Of a thousand in the incident; in the order they began."""
    other = Subject(SubjectKind.BOT, "bot2")

    def save(tx: Tx) -> None:
        one = tx.incidents.save(incident())
        tx.incidents.put_episodes(
            [
                episode(one.id, "later", starts_at=later(2)),
                episode(one.id, "first", firing=False),
                episode(one.id, "elsewhere", subject=other),
                episode(one.id, "else", name="OtherAlert"),
            ]
        )

    await store.write(save)

    def found(tx: Tx, subject: Subject) -> list[str]:
        made = episode(1, "asked", subject=subject)
        return [each.episode for each in tx.incidents.episodes_of(1, made.name, made.subject)]

    about = episode(1, "asked").subject
    assert await store.read(lambda tx: found(tx, about)) == ["first", "later"]
    assert await store.read(lambda tx: found(tx, other)) == ["elsewhere"]


async def test_a_timeline_is_in_the_order_of_what_happened(store: SqlStore) -> None:
    """Not in the order of learning it; a key makes an entry once only."""

    def save(tx: Tx) -> list[int | None]:
        one = tx.incidents.save(incident())
        ids = [
            tx.timeline.add(line(one.id, "second", at=later(2), key="k")),
            tx.timeline.add(line(one.id, "again", at=later(2), key="k")),
            tx.timeline.add(
                line(one.id, "first", at=later(1), kind=TimelineKind.SILENCED, data={"until": "x"})
            ),
        ]
        tx.timeline.add_all([line(one.id, "third", at=later(3)), line(one.id, "again", key="k")])
        tx.timeline.add_all([])
        return ids

    ids = await store.write(save)
    assert ids[1] is None
    entries = await store.read(lambda tx: tx.timeline.of(1))
    assert [entry.text for entry in entries] == ["first", "second", "third"]
    assert ids[0] is not None
    assert await store.read(lambda tx: tx.timeline.get(ids[0] or 0)) == entries[1]
    assert await store.read(lambda tx: tx.timeline.get(77)) is None
    silenced = await store.read(lambda tx: tx.timeline.of(1, TimelineKind.SILENCED, TimelineKind.DENIED))
    assert [entry.data for entry in silenced] == [{"until": "x"}]


async def test_a_run_is_queued_once_taken_once_and_finished(store: SqlStore) -> None:
    """A second wish joins the queued one; a taken one comes back with its findings and its verdict."""

    def queue(tx: Tx) -> tuple[int, int]:
        one = tx.incidents.save(incident())
        return tx.runs.queue(one.id, "opened", NOW), tx.runs.queue(one.id, "joined", NOW)

    first, second = await store.write(queue)
    assert first == second
    run = await store.write(lambda tx: tx.runs.take(NOW, owner="me", lease_seconds=60))
    assert run is not None
    assert (run.id, run.reason, run.status, run.started_at) == (first, "opened", RunStatus.RUNNING, NOW)
    assert await store.write(lambda tx: tx.runs.take(later(59), owner="you", lease_seconds=60)) is None
    verdict = Verdict(unknowns=("streams",))
    done = replace(
        run,
        status=RunStatus.DONE,
        playbook="BotHardStopActive",
        finished_at=later(1),
        findings=(finding(), finding(name="host")),
        verdict=verdict,
    )
    await store.write(lambda tx: tx.runs.finish(done))
    await store.write(lambda tx: tx.runs.finish(done))
    assert await store.read(lambda tx: tx.runs.get(first)) == done
    assert await store.read(lambda tx: tx.runs.latest(1)) == done
    assert await store.read(lambda tx: tx.runs.latest(1, RunStatus.QUEUED)) is None
    assert await store.read(lambda tx: tx.runs.get(9)) is None


async def test_a_run_whose_owner_died_is_taken_again(store: SqlStore) -> None:
    """When its lease ended, or at once when it is given back."""
    await store.write(lambda tx: tx.runs.queue(tx.incidents.save(incident()).id, "opened", NOW))
    await store.write(lambda tx: tx.runs.take(NOW, owner="dead", lease_seconds=60))
    again = await store.write(lambda tx: tx.runs.take(later(61), owner="me", lease_seconds=60))
    assert again is not None
    await store.write(lambda tx: tx.runs.release(again.id + 1))
    assert await store.write(lambda tx: tx.runs.take(later(62), owner="you", lease_seconds=60)) is None
    await store.write(lambda tx: tx.runs.release(again.id))
    assert await store.write(lambda tx: tx.runs.take(later(62), owner="you", lease_seconds=60)) is not None
    await store.write(lambda tx: tx.runs.release())
    assert await store.write(lambda tx: tx.runs.take(later(62), owner="you", lease_seconds=60)) is not None


async def test_notes_are_set_read_and_listed(store: SqlStore) -> None:
    """A prefix is taken as it is written: its wildcards are none."""

    def put(tx: Tx) -> None:
        for key, value in {"a/1": "x", "a/2": "y", "a%": "z", "b": "w"}.items():
            tx.notes.put(key, value)
        tx.notes.put("a/1", "new")

    await store.write(put)
    assert await store.read(lambda tx: tx.notes.get("a/1")) == "new"
    assert await store.read(lambda tx: tx.notes.get("none")) is None
    assert await store.read(lambda tx: tx.notes.all("a/")) == {"a/1": "new", "a/2": "y"}
    assert await store.read(lambda tx: tx.notes.all("a%")) == {"a%": "z"}


async def test_a_period_is_claimed_by_the_first_who_asks(store: SqlStore) -> None:
    """Exactly once a period, whatever asks again."""
    claim = [
        await store.write(lambda tx: tx.notes.once("digest", "2026-02-20", NOW)),
        await store.write(lambda tx: tx.notes.once("digest", "2026-02-20", later(99))),
        await store.write(lambda tx: tx.notes.once("digest", "2026-02-21", NOW)),
        await store.write(lambda tx: tx.notes.once("drill", "2026-02-20", NOW)),
    ]
    assert claim == [True, False, True, True]


async def test_a_document_comes_back_with_its_bytes(store: SqlStore) -> None:
    """Pictures are bytes, their facts JSON."""
    content = bytes(range(256)) * 40
    kept = await store.write(
        lambda tx: tx.notes.save_document("digest", {"a": [1, "ü"]}, made_at=NOW, content=content)
    )
    document = await store.read(lambda tx: tx.notes.document(kept))
    assert document is not None
    assert (document.kind, document.data, document.content, document.made_at) == (
        "digest",
        {"a": [1, "ü"]},
        content,
        NOW,
    )
    assert await store.read(lambda tx: tx.notes.document(kept + 1)) is None


async def test_a_reader_cannot_write(store: SqlStore) -> None:
    """A reading unit that would change something fails, and changes nothing."""
    with pytest.raises(Exception, match=r"(?i)read.?only|readonly"):
        await store.read(lambda tx: tx.notes.put("a", "b"))
    assert await store.read(lambda tx: tx.notes.get("a")) is None


async def test_a_read_sees_one_moment(store: SqlStore) -> None:
    """What is written while it reads is not there for it, not even later in the same reading."""
    loop = asyncio.get_running_loop()

    def reading(tx: Tx) -> list[str | None]:
        before = tx.notes.get("k")
        asyncio.run_coroutine_threadsafe(store.write(lambda tx: tx.notes.put("k", "v")), loop).result(5)
        return [before, tx.notes.get("k")]

    assert await store.read(reading) == [None, None]
    assert await store.read(lambda tx: tx.notes.get("k")) == "v"


def test_a_naive_time_is_refused() -> None:
    """It would be silently shifted by the machine's time zone."""
    with pytest.raises(ValueError, match="naive"):
        UtcTime().process_bind_param(datetime(2026, 2, 20), sa.create_engine("sqlite://").dialect)  # noqa: DTZ001 - the point


def _save(tx: Tx, *, new: Incident) -> Incident:
    return tx.incidents.save(new)


def _get(tx: Tx, *, which: int) -> Incident | None:
    return tx.incidents.get(which)


async def test_times_keep_their_microseconds_and_their_zone(store: SqlStore) -> None:
    """From before 1970 to the year 9999."""
    for moment in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)):
        new = incident(opened_at=moment)
        saved = await store.write(partial(_save, new=new))
        again = await store.read(partial(_get, which=saved.id))
        assert again is not None
        assert again.opened_at == moment


async def test_an_open_incident_has_a_card_to_hang_a_thread_below(store: SqlStore) -> None:
    """A thread line for an incident without a card is a mistake of ours and must show."""
    saved = await store.write(lambda tx: tx.incidents.save(incident()))
    with pytest.raises(LookupError, match="no card"):
        await store.write(
            lambda tx: tx.outbox.want(
                MessageKind.LINE, "1", channel="incidents", now=NOW, incident_id=saved.id, in_thread=True
            )
        )
    assert await store.write(lambda tx: open_incident(tx).id) > saved.id


async def test_the_roll_of_a_storm_is_read_by_pages(store: SqlStore) -> None:
    """A page of the list costs its own episodes, not all that the storm holds."""

    def work(tx: Tx) -> None:
        tx.incidents.save(incident())
        tx.incidents.put_episodes([episode(1, f"e{number}", name=f"Alert{number}") for number in range(10)])

    await store.write(work)
    everything = await store.read(lambda tx: tx.incidents.roll([1], first=0, most=10))
    page = await store.read(lambda tx: tx.incidents.roll([1], first=4, most=3))
    assert [entry.name for entry in everything] == [f"Alert{number}" for number in range(10)]
    assert page == everything[4:7]
    odd = sa.update(tables.episodes).where(tables.episodes.c.name == "Alert5").values(severity="Sev-x")
    await store.write(lambda tx: tx.connection.execute(odd))  # type: ignore[attr-defined] # the SQL store's own
    page = await store.read(lambda tx: tx.incidents.roll([1], first=4, most=3))
    assert [entry.name for entry in page] == ["Alert4", "Alert6"], "what cannot be read costs itself alone"


async def test_a_storm_is_counted_by_what_is_alike(store: SqlStore) -> None:
    """However many containers it is about; what is grave comes by name, what fires first, the gravest first."""
    boxes = [
        episode(
            1, f"c{n}", name="Load", severity=Severity.SEV3, subject=Subject(SubjectKind.CONTAINER, f"box{n}")
        )
        for n in range(50)
    ]
    paged = episode(1, "p", name="Disk", severity=Severity.SEV2, labels={"severity": "P1"})
    ended = episode(1, "e", name="Stop", severity=Severity.SEV1, firing=False)
    grave = episode(1, "g", name="Stop", severity=Severity.SEV1)

    def work(tx: Tx) -> None:
        tx.incidents.save(incident())
        tx.incidents.put_episodes([*boxes, paged, ended, grave])

    await store.write(work)
    counts = await store.read(lambda tx: tx.incidents.roll_counts([1]))
    found = [(one.name, one.severity, one.word, one.firing, one.bot, one.count) for one in counts]
    assert found == [
        ("Load", Severity.SEV3, "", True, "", 50),
        ("Disk", Severity.SEV2, "P1", True, "bot1", 1),
        ("Stop", Severity.SEV1, "", False, "bot1", 1),
        ("Stop", Severity.SEV1, "", True, "bot1", 1),
    ]
    leading = await store.read(lambda tx: tx.incidents.leading([1], {"P1"}, most=3))
    assert [(entry.name, entry.firing) for entry in leading] == [
        ("Stop", True),
        ("Disk", True),
        ("Stop", False),
    ]
    assert await store.read(lambda tx: tx.incidents.leading([1], (), most=1)) == leading[:1]
    odd = sa.update(tables.episodes).where(tables.episodes.c.name == "Disk").values(severity="Sev-x")
    await store.write(lambda tx: tx.connection.execute(odd))  # type: ignore[attr-defined] # the SQL store's own
    assert len(await store.read(lambda tx: tx.incidents.roll_counts([1]))) == 3, "as on a page of its list"

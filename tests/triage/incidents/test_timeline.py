"""An incident's timeline: whose events stand on it, in which order, how many, and what is also shown in the channel."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.store import SqlStore
from tests.triage.incidents.desk_story import Story
from tests.triage.signals.happening import BOT1, DESK, INFO, NOW, audit, told
from triage.desk import Desk
from triage.desk_events import DeskEvent
from triage.desk_sections.triage import ListeningSettings
from triage.incidents.timeline import TEXT_MAX, belongs, entry_of, recall_changes, tell_events
from triage.model import Incident, IncidentStatus, Severity, Subject, SubjectKind, TimelineKind

EVERYBODY = Subject(SubjectKind.DESK, DESK.name)


def incident_about(*subjects: Subject) -> Incident:
    """Make an open incident."""
    return Incident(
        id=1,
        title="t",
        name="n",
        subjects=subjects,
        severity=Severity.SEV2,
        status=IncidentStatus.TRIGGERED,
        opened_at=NOW,
        changed_at=NOW,
    )


@pytest.mark.parametrize(
    ("event", "mine"),
    [
        (audit("x", INFO), True),
        (audit("x", INFO, bot="bot2"), False),
        (told("create"), True),
        (told("create", container="hbot-bot2"), False),
        (audit("env", INFO)._replace(subject=EVERYBODY, change=True), True),
        (audit("env", INFO)._replace(subject=EVERYBODY), False),
    ],
    ids=["its bot's", "another bot's", "its container's", "another's", "the desk changed", "the desk spoke"],
)
def test_an_event_is_its_subjects_and_a_change_of_the_desk_is_everybodys(
    event: DeskEvent,
    mine: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """An incident about bot1."""
    assert belongs(event, incident_about(BOT1)) is mine


def test_a_line_says_what_happened_once() -> None:
    """The category is put before words that do not name it; a change speaks for itself; long texts are cut."""
    incident = incident_about(BOT1)
    for event, text in (
        (audit("risk_decision", INFO)._replace(text="Signal rejected"), "risk_decision: Signal rejected"),
        (audit("risk_decision", INFO)._replace(text="risk_decision was made"), "risk_decision was made"),
        (told("create"), "hbot-bot1 created from hbot/bot:1"),
        (audit("long", INFO)._replace(text="x" * 999), f"long: {'x' * 999}"[:TEXT_MAX]),
    ):
        assert entry_of(incident, event, NOW, in_thread=False).text == text


class Pages:
    """An open incident about bot1 in a store, and what is written on it."""

    def __init__(self, store: SqlStore, desk: Desk = DESK) -> None:
        self.story = Story(store, desk=desk)

    async def open(self) -> Incident:
        """A kill switch opens it."""
        await self.story.happen("kill_switch")
        return await self.story.incident()

    async def tell(
        self, events: Sequence[DeskEvent], *, told: Sequence[str] = (), raised: Sequence[str] = ()
    ) -> None:
        """Put events where they belong."""
        incident = await self.story.incident()
        await self.story.store.write(
            lambda tx: tell_events(
                tx, self.story.desk, events, incidents=[incident], now=self.story.clock.now(), in_thread=told, raised=raised
            )
        )  # fmt: skip

    async def lines(self) -> list[str]:
        """Return the events and changes that stand there, in their order."""
        entries = await self.story.store.read(lambda tx: tx.timeline.of(1))
        kinds = {TimelineKind.EVENT, TimelineKind.CHANGE}
        return [entry.text for entry in entries if entry.kind in kinds]


def happened(name: str, *, ago: float, story: Story) -> DeskEvent:
    """Make an event of bot1, so many seconds before the story's now."""
    at = story.clock.now() - timedelta(seconds=ago)
    return audit(name, INFO, key=name)._replace(text=name, at=at)


async def test_the_order_is_that_in_which_things_happened(store: SqlStore) -> None:
    """Not that in which they arrived; and what arrived twice stands there once."""
    pages = Pages(store)
    await pages.open()
    await pages.tell([happened("third", ago=1, story=pages.story)])
    await pages.tell(
        [happened(name, ago=ago, story=pages.story) for name, ago in (("second", 5), ("first", 9))]
    )
    await pages.tell([happened("first", ago=9, story=pages.story)])
    assert await pages.lines() == ["first", "second", "third"]


async def test_only_what_is_worth_it_is_told_in_the_thread(sqlite_store: SqlStore) -> None:
    """The rest stands on the timeline; what made a signal is put there by correlation."""
    pages = Pages(sqlite_store)
    await pages.open()
    events = [happened(name, ago=3, story=pages.story) for name in ("quiet", "told", "raised")]
    await pages.tell(events, told=["audit/told"], raised=["audit/raised"])
    assert sorted(await pages.lines()) == ["quiet", "told"]
    assert await pages.story.told() == ["told"]


async def test_a_timeline_has_room_for_so_many_events(sqlite_store: SqlStore) -> None:
    """Over several batches, a repeat taking no room."""
    pages = Pages(sqlite_store, Desk(listening=ListeningSettings(timeline_max=3)))
    await pages.open()
    for batch in (["a", "b"], ["a", "c", "d"], ["e"]):
        await pages.tell([happened(name, ago=9, story=pages.story) for name in batch])
    assert sorted(await pages.lines()) == ["a", "b", "c"]


async def test_what_changed_shortly_before_stands_on_it_from_the_start(store: SqlStore) -> None:
    """Changes of its subjects and of the desk, of the last half hour; no other events, nobody else's."""
    pages = Pages(store)
    minutes = DESK.listening.changes_before_minutes

    def change(name: str, ago: float, subject: Subject = BOT1, *, is_change: bool = True) -> DeskEvent:
        event = happened(name, ago=ago * 60, story=pages.story)
        return event._replace(subject=subject, change=is_change)

    events = [
        change("deployed", minutes - 1), change("env changed", 5, EVERYBODY), change("too long ago", minutes + 2),
        change("of bot2", 5, Subject(SubjectKind.BOT, "bot2")), change("no change", 5, is_change=False),
    ]  # fmt: skip
    await store.write(lambda tx: tx.events.add(events, now=pages.story.clock.now()))
    incident = await pages.open()
    assert await pages.lines() == ["deployed", "env changed"]
    await store.write(lambda tx: recall_changes(tx, DESK, incident, pages.story.clock.now()))
    assert await pages.lines() == ["deployed", "env changed"], "recalled once"

"""Nobody is forgotten: steps in their order, each once, across restarts; one line in a storm; reminders; quiet hours."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.slack_ids import READ_WITH
from bot.store import SqlStore
from schedules.escalation import EscalationJob
from tests.triage.incidents.desk_story import Story
from triage.desk import Desk
from triage.incidents.notifications import IN_CHANNEL, MENTIONS
from triage.model import Severity, TimelineEntry, TimelineKind
from triage.paging import notices
from triage.paging.escalation import reminder_turn

ANA, BEN = "U0ANA00001", "U0BEN00001"
STEPS = [
    {"after_minutes": 5, "mention": ["oncall"]},
    {"after_minutes": 10, "mention": ["S0DESK0001"]},
    {"after_minutes": 15, "fallback": True},
]
ONCALL = {"rota": {"people": [ANA], "starts": "2026-01-05"}}


class Watch:
    """A desk whose escalation is looked at every half a minute."""

    def __init__(self, store: SqlStore, **escalation: object) -> None:
        settings: Mapping[str, Any] = {"steps": STEPS, "gather_minutes": 0, **escalation}
        self.desk = Desk.model_validate({"escalation": settings, "oncall": ONCALL})
        self.story = Story(store, desk=self.desk)
        self.store, self.rung = store, 0

    def _ring(self) -> None:
        self.rung += 1

    async def passes(self, minutes: float) -> None:
        """Let time pass; every look is of a process that has just started."""
        for _ in range(int(minutes * 2)):
            await self.looks_after(0.5)

    async def looks_after(self, minutes: float) -> None:
        """Let nobody look for so long, then look once."""
        self.story.clock.move(minutes * 60)
        await EscalationJob(
            store=self.store,
            desk=self.desk,
            clock=self.story.clock,
            channels=("webhook", "e-mail"),
            wake_sender=self._ring,
        ).run()

    async def lines(self, incident: int = 1) -> list[TimelineEntry]:
        """Return what was told."""
        return await self.store.read(lambda tx: tx.timeline.of(incident, TimelineKind.ESCALATED))

    async def mentions(self, incident: int = 1) -> list[Any]:
        """Return whom each line mentions."""
        return [entry.data[MENTIONS] for entry in await self.lines(incident)]


async def test_three_steps_each_once_in_their_order(sqlite_store: SqlStore) -> None:
    """On call first, the group then, the fallback channels last; each look is of a process that just started."""
    watch = Watch(sqlite_store)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await watch.passes(4.5)
    assert await watch.lines() == []
    await watch.passes(0.5)
    assert await watch.mentions() == [[ANA]]
    await watch.passes(60)
    assert await watch.mentions() == [[ANA], ["S0DESK0001"], []]
    lines = await watch.lines()
    assert all(entry.data[IN_CHANNEL] for entry in lines)
    assert "nobody has acknowledged INC-1 for 5 min" in lines[0].text
    assert "sent over webhook, e-mail" in lines[2].text
    assert watch.rung == 3
    assert len(await sqlite_store.read(notices.pending)) == 1


@pytest.mark.parametrize(
    ("looked_before", "away", "line", "mentions"),
    [
        (0, 40, "INC-1 for 40 min: step 3, and with it steps 1 and 2, not told in time", [ANA, "S0DESK0001"]),
        (0, 12, "INC-1 for 12 min: step 2, and with it step 1, not told in time", ["S0DESK0001", ANA]),
        (6, 30, "INC-1 for 36 min: step 3, and with it step 2, not told in time", ["S0DESK0001"]),
    ],
)
async def test_after_the_service_was_away_the_highest_due_step_speaks_for_those_before_it(
    sqlite_store: SqlStore, looked_before: float, away: float, line: str, mentions: list[str]
) -> None:
    """One line that names what was not told in time and wakes all of them; later looks tell nothing again."""
    watch = Watch(sqlite_store)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await watch.passes(looked_before)
    told = len(await watch.lines())
    await watch.looks_after(away)
    await watch.looks_after(0.5)
    lines = await watch.lines()
    assert len(lines) == told + 1
    assert line in lines[-1].text
    assert lines[-1].data[MENTIONS] == mentions
    assert len(await sqlite_store.read(notices.pending)) == ("step 3" in line)


async def test_an_acknowledged_incident_does_not_escalate_further(sqlite_store: SqlStore) -> None:
    """Somebody has it."""
    watch = Watch(sqlite_store)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await watch.passes(6)
    await watch.story.acknowledge(1)
    await watch.passes(30)
    assert await watch.mentions() == [[ANA]]


async def test_a_milder_incident_does_not_escalate(sqlite_store: SqlStore) -> None:
    """Only the severities that are named."""
    watch = Watch(sqlite_store)
    await watch.story.fire("BotSoftPauseTooLong", severity=Severity.SEV2)
    await watch.passes(30)
    assert await watch.lines() == []


async def test_a_reopened_incident_begins_again(sqlite_store: SqlStore) -> None:
    """Counted from when it was triggered again."""
    watch = Watch(sqlite_store)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await watch.passes(6)
    await watch.story.clear("BotHardStopActive")
    await watch.passes(5)
    await watch.story.fire("BotHardStopActive", began="t1", severity=Severity.SEV1)
    await watch.passes(4.5)
    assert await watch.mentions() == [[ANA]]
    await watch.passes(1)
    assert await watch.mentions() == [[ANA], [ANA]]
    assert "nobody has acknowledged INC-1 for 5 min" in (await watch.lines())[-1].text


async def test_what_becomes_grave_later_goes_step_by_step_from_then_on(sqlite_store: SqlStore) -> None:
    """It had stood for an hour as one that wakes nobody: not all of them are woken at the same moment."""
    watch = Watch(sqlite_store)
    await watch.story.fire("BotSoftPauseTooLong", severity=Severity.SEV3)
    await watch.passes(60)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await watch.passes(4)
    assert await watch.mentions() == []
    await watch.passes(2)
    assert await watch.mentions() == [[ANA]]
    assert "nobody has acknowledged INC-1 for 5 min" in (await watch.lines())[0].text


@pytest.mark.parametrize("between", [(), (Severity.SEV2,)])
async def test_what_passes_over_the_mildest_of_the_severities_is_counted_from_then_on_too(
    sqlite_store: SqlStore, between: tuple[Severity, ...]
) -> None:
    """From a Sev-3 to a Sev-1 at once, or by a Sev-2 a minute before: the first of those that are named counts."""
    watch = Watch(sqlite_store, severities=["Sev-1", "Sev-2"])
    await watch.story.fire("BotSoftPauseTooLong", severity=Severity.SEV3)
    await watch.passes(60)
    for severity in between:
        await watch.story.fire("OrderBookStale", severity=severity)
        await watch.passes(1)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await watch.passes(4 - len(between))
    assert await watch.mentions() == []
    await watch.passes(1)
    assert await watch.mentions() == [[ANA]]


async def test_a_name_that_says_what_another_alert_did_begins_nothing_anew(sqlite_store: SqlStore) -> None:
    """The words of an alert are whoever wrote its rule's: only what was stored of the severity counts."""
    watch = Watch(sqlite_store)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await watch.passes(4)
    await watch.story.fire("Latency, now Sev-1", severity=Severity.SEV3)
    await watch.passes(1)
    assert await watch.mentions() == [[ANA]]


async def test_several_incidents_at_once_are_one_line(sqlite_store: SqlStore) -> None:
    """A night with many incidents wakes with one line a step, which names the others."""
    watch = Watch(sqlite_store, gather_minutes=5, steps=STEPS[:1])
    names = ("BotHardStopActive", "OrderBookStale", "MarginRatioLow", "ContainerDown")
    for bot, name in enumerate(names):
        await watch.story.fire(name, f"bot{bot + 1}", severity=Severity.SEV1)
        watch.story.clock.move(10)
    await watch.passes(10.5)
    told = [entry for incident in range(1, 5) for entry in await watch.lines(incident)]
    assert [entry.data[MENTIONS] for entry in told] == [[ANA], [ANA]]
    assert "INC-1 (and INC-2)" in told[0].text
    assert "INC-3 (and INC-4)" in told[1].text


async def test_whoever_acknowledged_is_reminded_while_it_fires(sqlite_store: SqlStore) -> None:
    """Every hour, until it clears; not when it is quiet."""
    watch = Watch(sqlite_store, steps=[], remind_acknowledged_minutes=60)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await watch.story.acknowledge(1)
    await watch.passes(150)
    assert len(await watch.lines()) == 2
    assert "acknowledged 60 min ago and still firing" in (await watch.lines())[0].text
    await watch.story.clear("BotHardStopActive")
    await watch.passes(150)
    assert len(await watch.lines()) == 2


@pytest.mark.parametrize(
    ("now", "waits"), [("21:30", False), ("22:00", True), ("23:30", True), ("05:59", True), ("06:01", False)]
)
async def test_quiet_hours_over_midnight(sqlite_store: SqlStore, now: str, waits: bool) -> None:  # noqa: FBT001 - a table
    """From 22:00 to 06:00 the milder ones wait; the window goes over midnight."""
    hours = {"start": "22:00", "end": "06:00", "severities": ["Sev-2"]}
    watch = Watch(
        sqlite_store,
        steps=[{"after_minutes": 0.1, "mention": [BEN]}],
        severities=["Sev-1", "Sev-2"],
        quiet_hours=hours,
    )
    hour, minute = map(int, now.split(":"))
    at = watch.story.clock.now()
    seconds = ((hour - at.hour) * 60 + minute - at.minute) * 60 - at.second
    watch.story.clock.move(seconds % 86400 - 10)
    await watch.story.fire("BotSoftPauseTooLong", severity=Severity.SEV2)
    watch.story.clock.move(10)
    await EscalationJob(
        store=watch.store, desk=watch.desk, clock=watch.story.clock, channels=(), wake_sender=lambda: None
    ).run()
    assert (await watch.lines() == []) is waits


async def test_after_the_night_one_goes_step_by_step_and_nobody_is_mentioned_in_it(
    sqlite_store: SqlStore,
) -> None:
    """What came at 02:00 wakes nobody, and does not wake all of them at six: minutes of quiet hours do not count."""
    watch = Watch(
        sqlite_store,
        steps=[{"after_minutes": 5, "mention": [ANA]}, {"after_minutes": 15, "mention": [BEN]}],
        severities=["Sev-1", "Sev-2"],
        quiet_hours={"start": "22:00", "end": "06:00", "severities": ["Sev-2"]},
    )
    clock = watch.story.clock
    clock.moment = clock.moment.replace(hour=2, minute=0, second=0, microsecond=0)
    await watch.story.fire("BotSoftPauseTooLong", severity=Severity.SEV2)
    await watch.passes(4 * 60 + 4)
    assert await watch.mentions() == []
    await watch.passes(2)
    assert await watch.mentions() == [[ANA]]
    await watch.passes(7)
    assert await watch.mentions() == [[ANA]]
    await watch.passes(3)
    assert await watch.mentions() == [[ANA], [BEN]]


async def test_a_grave_one_is_told_in_quiet_hours_that_are_not_its_own(sqlite_store: SqlStore) -> None:
    """Quiet hours of Sev-2 hold no Sev-1 back; a reminder waits only where Sev-1 is among them."""
    hours = {"start": "00:00", "end": "23:59", "severities": ["Sev-2"]}
    watch = Watch(sqlite_store, steps=STEPS[:1], remind_acknowledged_minutes=10, quiet_hours=hours)
    watch.story.clock.moment = watch.story.clock.moment.replace(hour=3, minute=0)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await watch.passes(6)
    assert await watch.mentions() == [[ANA]]
    await watch.story.acknowledge(1)
    await watch.passes(11)
    assert len(await watch.lines()) == 2
    incident, now = await watch.story.incident(1), watch.story.clock.now()
    quiet = Desk.model_validate(
        {"escalation": {"quiet_hours": {**hours, "severities": ["Sev-1"]}, "remind_acknowledged_minutes": 10}}
    )
    assert reminder_turn(watch.desk.escalation, incident, now) == 1
    assert reminder_turn(quiet.escalation, incident, now) == 0


def test_steps_that_tell_nobody_or_go_back_are_refused() -> None:
    """desk.yaml is wrong, and the reason says so."""
    with pytest.raises(ValueError, match="a step tells nobody"):
        Desk.model_validate({"escalation": {"steps": [{"after_minutes": 5}]}})
    with pytest.raises(ValueError, match="must rise"):
        Desk.model_validate({"escalation": {"steps": [STEPS[1], STEPS[0]]}})
    with pytest.raises(ValueError, match="is nobody who can be mentioned"):
        Desk.model_validate(
            {"escalation": {"steps": [{"after_minutes": 5, "mention": ["@ana"]}]}}, context=READ_WITH
        )

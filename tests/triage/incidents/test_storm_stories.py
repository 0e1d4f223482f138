"""Storms: what is grave is told, the rest is counted, and it ends; each story on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest

from bot.store import SqlStore
from tests.triage.incidents.desk_story import Story
from triage.desk import Desk
from triage.incidents.notifications import IN_CHANNEL, STORM_URGENCY
from triage.incidents.storm import PAGE
from triage.model import Incident, IncidentShape, Severity, Signal, SignalStatus
from triage.ports.store import Message, MessageKind, Tx


@pytest.fixture
def story(store: SqlStore) -> Story:
    """Begin a story on an empty store."""
    return Story(store)


def labelled(story: Story, name: str, where: str, word: str, severity: Severity = Severity.SEV2) -> Signal:
    """Make a firing alert whose label says how severe it is."""
    signal = story.signal(name, where, SignalStatus.FIRING, severity=severity)
    return replace(signal, labels={**signal.labels, "severity": word})


async def test_a_storm_is_as_grave_as_the_gravest_it_holds(story: Story) -> None:
    """A playbook takes an alert for Sev-3 whose label asks for a person: what stands on top as grave is Sev-2 at least."""
    storm = await storm_of(story, 10)
    assert storm.severity is Severity.SEV3
    await story.arrive(labelled(story, "UplinkErrors", "host-x", "critical", Severity.SEV3))
    storm = await story.incident(storm.id)
    assert (storm.severity, storm.title) == (Severity.SEV2, "Alert storm: host-x UplinkErrors")
    entries = await story.store.read(lambda tx: tx.timeline.of(storm.id))
    assert any(one.text == "UplinkErrors on host-x joined, now Sev-2" for one in entries)
    await story.arrive(labelled(story, "Gone", "host-y", "emergency", Severity.SEV1))
    storms = [one for one in await story.incidents() if one.shape is IncidentShape.STORM]
    assert [one.severity for one in storms] in ([Severity.SEV1], [Severity.SEV2])


async def storm_of(story: Story, count: int) -> Incident:
    """Let a storm break out that holds ``count`` alerts of Sev-3."""
    limit = story.desk.correlation.storm_incidents
    noise = [labelled(story, f"Noise{n}", f"host{n}", "warning", Severity.SEV3) for n in range(limit + count)]
    await story.arrive(*noise, then_sort=False)
    for _ in range(0, limit + count, 300):
        await story.sort()
    [storm] = [one for one in await story.incidents() if one.shape is IncidentShape.STORM]
    return storm


async def test_what_is_labelled_critical_leads_the_storm_and_is_told_in_the_channel(story: Story) -> None:
    """It has no card of its own, so it names the storm, and its line is shown in the channel with the first urgency."""
    storm = await storm_of(story, 40)
    await story.arrive(labelled(story, "LedgerBroken", "host-x", "critical"))
    storm = await story.incident(storm.id)
    assert storm.title == "Alert storm: host-x LedgerBroken"

    def read(tx: Tx) -> tuple[list[bool], Message | None, Message | None]:
        lines = [entry for entry in tx.timeline.of(storm.id) if entry.in_thread]
        line = tx.outbox.find(MessageKind.LINE, str(lines[-1].id))
        return (
            [bool(entry.data.get(IN_CHANNEL)) for entry in lines],
            line,
            tx.outbox.find(MessageKind.CARD, str(storm.id)),
        )

    aloud, line, card = await story.store.read(read)
    assert storm.severity is Severity.SEV2
    assert aloud == [True]
    assert line is not None
    assert card is not None
    assert line.urgency == card.urgency == STORM_URGENCY


async def test_a_few_sev1_have_cards_of_their_own_and_more_lead_the_storm(story: Story) -> None:
    """Slack takes one post a second: ten cards at once would arrive after ten seconds."""
    storm = await storm_of(story, 20)
    await story.arrive(
        *(labelled(story, f"Broken{n}", f"node{n}", "critical", Severity.SEV1) for n in range(9))
    )
    own = [one for one in await story.incidents() if one.severity is Severity.SEV1]
    assert [one.shape for one in own] == [IncidentShape.STORM] + [IncidentShape.SINGLE] * 3
    told = await story.told(storm.id)
    assert len(told) == 6
    assert (await story.incident(storm.id)).title == "Alert storm: node3 Broken3"


async def test_one_alert_on_bots_without_end_is_a_storm(story: Story) -> None:
    """Nine bots of which desk.yaml names none: as one incident that names them all, it would be as slow as it is long."""
    await story.arrive(*(story.signal("Gone", f"bot-{n}", SignalStatus.FIRING) for n in range(9)))
    assert [one.shape for one in await story.incidents()] == [IncidentShape.WIDE, IncidentShape.STORM]


async def test_one_alert_on_all_of_the_desks_own_bots_is_one_incident(story: Story) -> None:
    """However many they are."""
    bots = [{"name": f"bot{n}", "container": f"hbot-bot{n}"} for n in range(1, 21)]
    story.desk = Desk.model_validate({"bots": bots})
    await story.arrive(*(story.signal("Gone", f"bot{n}", SignalStatus.FIRING) for n in range(1, 21)))
    [incident] = await story.incidents()
    assert (incident.shape, len(incident.bots)) == (IncidentShape.WIDE, 20)


async def test_a_storm_ends_when_one_alert_a_minute_is_left(story: Story) -> None:
    """Below half its rate it hides nothing any more, though its alerts still fire."""
    storm = await storm_of(story, 30)
    for minute in range(6):
        story.clock.move(60)
        await story.fire(f"Slow{minute}", f"host-s{minute}", severity=Severity.SEV3)
    later = [one.name for one in await story.incidents() if one.name.startswith("Slow")]
    assert later == [f"Slow{minute}" for minute in range(1 if "Slow0" not in later else 0, 6)]
    assert len(later) >= 5
    assert (await story.incident(storm.id)).is_open


async def test_a_slow_storm_is_few_cards(story: Story) -> None:
    """One incident every six seconds for five minutes: the first ones apart, one card for the rest."""
    for number in range(50):
        await story.fire(f"Slow{number}", f"host{number}", severity=Severity.SEV3)
        story.clock.move(6)
    incidents = await story.incidents()
    assert len(incidents) == story.desk.correlation.storm_incidents + 1
    assert incidents[-1].shape is IncidentShape.STORM


async def test_the_list_of_a_storm_has_a_page_for_each_few_hundred_alerts(story: Story) -> None:
    """Every alert is on one; what clears changes them."""
    storm = await storm_of(story, 2 * PAGE + 10)

    def pages(tx: Tx) -> list[int]:
        found = [tx.outbox.find(MessageKind.ROLL, f"{storm.id}/{page}") for page in range(4)]
        return [message.wanted_revision for message in found if message is not None]

    before = await story.store.read(pages)
    assert len(before) == 3
    limit = story.desk.correlation.storm_incidents
    await story.clear(f"Noise{limit}", f"host{limit}")
    assert await story.store.read(pages) == [revision + 1 for revision in before]


async def test_the_graver_alert_names_the_incident_outside_of_storms_too(story: Story) -> None:
    """The spike in the log came first; that the bot has stopped is what it is called after, in the channel too."""
    await story.fire("BotLogErrorSpike", severity=Severity.SEV2)
    await story.fire("BotHardStopActive", severity=Severity.SEV1)
    [incident] = await story.incidents()
    assert (incident.title, incident.name) == ("bot1 in hard stop", "BotHardStopActive")
    lines = await story.store.read(
        lambda tx: [
            tx.outbox.find(MessageKind.LINE, str(entry.id)) for entry in tx.timeline.of(1) if entry.in_thread
        ]
    )
    assert [line.urgency for line in lines if line is not None] == [1]


async def test_what_is_less_grave_renames_nothing(story: Story) -> None:
    """The first of equals names it, and a lesser one joins."""
    await story.fire("BotHardStopActive", severity=Severity.SEV1)
    await story.fire("BotFrozen", severity=Severity.SEV1)
    await story.fire("BotLogErrorSpike", severity=Severity.SEV2)
    assert (await story.incident()).title == "bot1 in hard stop"


async def test_a_wide_incident_stays_wide_and_names_the_graver_alert_first(story: Story) -> None:
    """Several bots are frozen, and one of them stopped for good."""
    await story.fire("BotFrozen", "bot1")
    await story.fire("BotFrozen", "bot2")
    await story.fire("BotHardStopActive", "bot2", severity=Severity.SEV1)
    await story.fire("BotFrozen", "bot3")
    [incident] = await story.incidents()
    assert incident.title == "bot2 in hard stop · Several bots frozen"
    assert incident.bots == ("bot1", "bot2", "bot3")


async def test_joining_alerts_ask_for_one_triage_in_a_while_unless_one_is_graver(story: Story) -> None:
    """Sixteen things join within seconds: the newest state is triaged once, when the time has come."""
    await story.fire("Trouble0", severity=Severity.SEV2)
    assert await _taken(story) == "opened"
    for number in range(1, 17):
        story.clock.move(1)
        await story.fire(f"Trouble{number}", severity=Severity.SEV2)
    assert await _taken(story) is None
    await story.fire("BotHardStopActive", severity=Severity.SEV1)
    assert await _taken(story) == "Trouble1 joined"
    await story.fire("Trouble17", severity=Severity.SEV2)
    story.clock.move(story.desk.triage.again_after_seconds - 1)
    assert await _taken(story) is None
    story.clock.move(2)
    assert await _taken(story) == "Trouble17 joined"


async def _taken(story: Story) -> str | None:
    def take(tx: Tx) -> str | None:
        run = tx.runs.take(story.clock.now(), owner="me", lease_seconds=600)
        return None if run is None else run.reason

    return await story.store.write(take)

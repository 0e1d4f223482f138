"""What belongs together: each story runs on SQLite and on PostgreSQL."""

import asyncio

import pytest

from bot.intake_loop import IntakeLoop
from bot.liveness import Liveness
from bot.store import SqlStore
from tests.servers.process import eventually
from tests.triage.incidents.desk_story import Story
from triage.incidents.intake import Intake
from triage.incidents.naming import display_name, title_of_several
from triage.memory.degraded_mode import Degraded, put_degraded
from triage.model import (
    IncidentShape,
    IncidentStatus,
    RunStatus,
    Severity,
    Signal,
    SignalStatus,
    Subject,
    SubjectKind,
)
from triage.ports.bell import Bell
from triage.ports.store import MessageKind


@pytest.fixture
def story(store: SqlStore) -> Story:
    """Begin a story on an empty store."""
    return Story(store)


async def test_an_alert_opens_one_incident_with_a_card_and_a_triage(story: Story) -> None:
    """The first firing makes an incident, asks for its message and for a triage."""
    await story.fire("BotHardStopActive", severity=Severity.SEV1)
    [incident] = await story.incidents()
    assert (incident.title, incident.severity, incident.status) == (
        "bot1 in hard stop",
        Severity.SEV1,
        IncidentStatus.TRIGGERED,
    )
    card = await story.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, "1"))
    assert card is not None
    assert card.urgency == 1
    run = await story.store.read(lambda tx: tx.runs.latest(1, RunStatus.QUEUED))
    assert run is not None
    assert run.reason == "opened"


async def test_a_repeat_changes_nothing_but_last_seen(story: Story) -> None:
    """Alertmanager's repeats, retries and HA peers send the same episode again."""
    await story.fire("BotHardStopActive")
    card = await story.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, "1"))
    before = await story.incident()
    story.clock.move(3600)
    await story.fire("BotHardStopActive")
    assert await story.incidents() == [before]
    assert await story.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, "1")) == card
    assert await story.store.read(lambda tx: tx.signals.last_seen(1)) == story.clock.now()


async def test_another_alert_of_the_same_bot_joins(story: Story) -> None:
    """What is about one bot while its incident is open belongs to it, and the worst severity counts."""
    await story.fire("BotSoftPauseTooLong")
    story.clock.move(400)
    await story.fire("BotHardStopActive", severity=Severity.SEV1)
    [incident] = await story.incidents()
    assert incident.severity is Severity.SEV1
    assert await story.told() == ["BotHardStopActive on bot1 joined, now Sev-1"]


async def test_different_alerts_of_different_bots_stay_apart(story: Story) -> None:
    """Only the same thing makes a desk-wide incident."""
    await story.fire("BotHardStopActive", "bot1")
    await story.fire("BotFrozen", "bot2")
    assert [incident.bots for incident in await story.incidents()] == [("bot1",), ("bot2",)]


async def test_the_same_alert_on_several_bots_is_one_desk_wide_incident(story: Story) -> None:
    """In one webhook or shortly after each other: one incident that names them all."""
    await story.arrive(*(story.signal("BotFrozen", bot, SignalStatus.FIRING) for bot in ("bot1", "bot2")))
    story.clock.move(60)
    await story.fire("BotFrozen", "bot3")
    [incident] = await story.incidents()
    assert incident.bots == ("bot1", "bot2", "bot3")
    assert incident.shape is IncidentShape.WIDE
    assert incident.title == "Several bots frozen"


async def test_the_same_alert_much_later_is_another_incident(story: Story) -> None:
    """After the window the same alert on another bot is taken for a coincidence."""
    await story.fire("BotFrozen", "bot1")
    story.clock.move(story.desk.correlation.wide_window_seconds + 1)
    await story.fire("BotFrozen", "bot2")
    assert len(await story.incidents()) == 2


async def test_an_alert_that_is_part_of_another_bots_incident_makes_a_desk_wide_one_that_names_both(
    story: Story,
) -> None:
    """The first bot's own incident began with something else: it keeps its alert, the new one names it."""
    await story.fire("BotSoftPauseTooLong", "bot1")
    story.clock.move(900)
    await story.fire("BotFrozen", "bot1")
    await story.fire("BotFrozen", "bot2")
    first, wide = await story.incidents()
    assert first.bots == ("bot1",)
    assert (wide.bots, wide.shape) == (("bot2", "bot1"), IncidentShape.WIDE)
    assert await story.told(wide.id) == ["BotFrozen on bot2; also part of INC-1"]


async def test_it_resolves_when_the_last_alert_resolves(story: Story) -> None:
    """One of two alerts clearing is a line, the last one closes the incident."""
    await story.fire("BotHardStopActive")
    await story.fire("BotFrozen")
    await story.clear("BotHardStopActive")
    assert (await story.incident()).is_open
    await story.clear("BotFrozen")
    assert (await story.incident()).status is IncidentStatus.RESOLVED
    assert await story.told() == [
        "BotFrozen on bot1 joined",
        "BotHardStopActive on bot1 resolved",
        "resolved: all its alerts resolved",
    ]


async def test_a_stale_firing_after_the_resolve_changes_nothing(story: Story) -> None:
    """A delayed retry of the firing webhook must not open a thing."""
    await story.fire("BotHardStopActive")
    await story.clear("BotHardStopActive")
    closed = await story.incident()
    await story.store.write(
        lambda tx: tx.signals.add([story.signal("BotHardStopActive", "bot1", SignalStatus.FIRING)])
    )
    await story.sort()
    assert await story.incidents() == [closed]


async def test_a_resolve_that_comes_before_its_firing_opens_nothing_then_or_later(story: Story) -> None:
    """Out of order, in two webhooks or in one: the episode is over."""
    await story.clear("BotHardStopActive")
    story.clock.move(5)
    await story.fire("BotHardStopActive")
    await story.arrive(
        story.signal("BotFrozen", "bot2", SignalStatus.RESOLVED),
        story.signal("BotFrozen", "bot2", SignalStatus.FIRING),
    )
    assert await story.incidents() == []


async def test_a_firing_and_its_resolve_in_one_pass_open_and_close(story: Story) -> None:
    """Both stored before the inbox was sorted: the story is told, nothing is triaged any more."""
    await story.arrive(
        story.signal("BotFrozen", "bot2", SignalStatus.FIRING),
        story.signal("BotFrozen", "bot2", SignalStatus.RESOLVED),
    )
    [incident] = await story.incidents()
    assert incident.status is IncidentStatus.RESOLVED
    assert await story.store.read(lambda tx: tx.runs.latest(1)) is None


async def test_an_alert_that_fires_again_in_an_open_incident_is_told(story: Story) -> None:
    """The thread said that it resolved: who reads it must not take it for over. Another that fires beside it is no news."""
    await story.fire("BotFrozen", began="t0")
    await story.fire("BotLogErrorSpike", began="t0")
    await story.clear("BotLogErrorSpike", began="t0")
    story.clock.move(minutes=3)
    await story.fire("BotLogErrorSpike", began="t1")
    await story.fire("BotLogErrorSpike", began="t2")
    assert await story.told() == [
        "BotLogErrorSpike on bot1 joined",
        "BotLogErrorSpike on bot1 resolved",
        "BotLogErrorSpike on bot1 fires again",
    ]
    assert len(await story.incidents()) == 1


async def test_flapping_reopens_the_same_incident_with_a_count(story: Story) -> None:
    """Back within the quiet time: the same thread goes on, and says how often."""
    await story.fire("BotSoftPauseTooLong", began="t0")
    for count in (1, 2):
        await story.clear("BotSoftPauseTooLong", began=f"t{count - 1}")
        story.clock.move(60)
        await story.fire("BotSoftPauseTooLong", began=f"t{count}")
        assert (await story.incident()).reopened == count
    assert (await story.incident()).status is IncidentStatus.TRIGGERED
    assert len(await story.incidents()) == 1
    assert (await story.told())[-1] == "reopened: BotSoftPauseTooLong fires again, 2 times now"


async def test_back_after_the_quiet_time_is_a_new_incident(story: Story) -> None:
    """Long after, it is a thread of its own."""
    await story.fire("BotSoftPauseTooLong")
    await story.clear("BotSoftPauseTooLong")
    story.clock.move(story.desk.correlation.reopen_within_seconds + 1)
    await story.fire("BotSoftPauseTooLong", began="t1")
    assert len(await story.incidents()) == 2


async def test_an_acknowledge_that_races_a_resolve_does_not_unresolve(story: Story) -> None:
    """The click came after the resolve: the person is told, nothing changes."""
    await story.fire("BotFrozen")
    await story.clear("BotFrozen")
    outcome = await story.acknowledge()
    assert (outcome.changed, outcome.text) == (False, "INC-1 is resolved already.")
    assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_the_first_acknowledge_wins(story: Story) -> None:
    """The second person is told; the first stays the owner."""
    await story.fire("BotFrozen")
    assert (await story.acknowledge(actor="U0ANA")).changed
    assert (await story.acknowledge(actor="U0BEN")).text == "INC-1 is acknowledged already."
    assert (await story.incident()).acknowledged_by == "U0ANA"


async def test_resolving_by_hand_while_it_fires_stays_quiet_until_it_really_resolves(story: Story) -> None:
    """Closed by hand: repeats and the same alert's new episodes open nothing and say nothing."""
    await story.fire("BotFrozen", began="t0")
    outcome = await story.resolve()
    assert outcome.text == "INC-1 still has 1 firing: it stays quiet and resolves when they do."
    quiet = await story.incident()
    assert (quiet.status, quiet.quiet) == (IncidentStatus.ACKNOWLEDGED, True)
    told = await story.told()
    await story.fire("BotFrozen", began="t1")
    assert (await story.incident()).quiet
    assert await story.told() == told
    await story.clear("BotFrozen", began="t0")
    await story.clear("BotFrozen", began="t1")
    over = await story.incident()
    assert (over.status, over.quiet) == (IncidentStatus.RESOLVED, False)
    assert len(await story.incidents()) == 1


async def test_resolving_by_hand_while_degraded_mode_is_on_says_what_stays_stopped(story: Story) -> None:
    """Who closes it and who reads the thread learn that it is on; on another incident it is none of this one's."""
    on = Degraded(story.clock.now(), action_id=1, sure=True, incident_id=1)
    await story.store.write(lambda tx: put_degraded(tx, on))
    await story.fire("RedisDown", "")
    assert "still has 1 firing: it stays quiet" in (await story.resolve()).text
    await story.clear("RedisDown", "")
    assert (await story.incident()).status is IncidentStatus.ACKNOWLEDGED, "it stays open until it is left"
    outcome = await story.resolve()
    assert outcome.text.startswith("INC-1 is resolved. Degraded mode is still on")
    assert "/triage do exit_degraded_mode" in outcome.text
    assert "resolved: by hand, degraded mode is still on" in await story.told()
    await story.fire("BotFrozen", "bot2")
    assert "Degraded" not in (await story.resolve(2)).text


async def test_something_new_wakes_a_quiet_incident(story: Story) -> None:
    """Quiet was meant for what was known: another alert notifies again."""
    await story.fire("BotSoftPauseTooLong")
    await story.resolve()
    await story.fire("BotHardStopActive", severity=Severity.SEV1)
    incident = await story.incident()
    assert (incident.quiet, incident.severity) == (False, Severity.SEV1)
    assert "BotHardStopActive on bot1 joined, now Sev-1" in await story.told()


async def test_the_same_alert_grown_worse_wakes_a_quiet_incident(story: Story) -> None:
    """Closed by hand as Sev-3, it comes back as Sev-1: that is not what was closed."""
    await story.fire("BotSoftPauseTooLong", began="t0", severity=Severity.SEV3)
    await story.resolve()
    await story.fire("BotSoftPauseTooLong", began="t1", severity=Severity.SEV1)
    incident = await story.incident()
    assert (incident.quiet, incident.severity) == (False, Severity.SEV1)
    assert (await story.told())[-1] == "BotSoftPauseTooLong on bot1 joined, now Sev-1"


async def test_fired_and_resolved_far_apart_in_a_backlog_is_still_told(story: Story) -> None:
    """More than one pass lies between the firing and its resolve: the firing is not taken for stale."""
    noise = [story.signal(f"Noise{n}", f"host{n}", SignalStatus.FIRING) for n in range(520)]
    first = story.signal("BotFrozen", "bot1", SignalStatus.FIRING, severity=Severity.SEV1)
    last = story.signal("BotFrozen", "bot1", SignalStatus.RESOLVED)
    await story.arrive(first, *noise, last, then_sort=False)
    await story.sort()
    await story.sort()
    [frozen] = [incident for incident in await story.incidents() if incident.name == "BotFrozen"]
    assert frozen.status is IncidentStatus.RESOLVED


async def test_a_resolve_ends_older_episodes_of_the_same_alert(story: Story) -> None:
    """Alertmanager moved startsAt and told us only of the end: nothing is left firing for ever."""
    await story.fire("BotFrozen", began="t0")
    story.clock.move(60)
    await story.clear("BotFrozen", began="t-moved")
    assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_what_nobody_can_sort_is_put_aside_and_the_rest_goes_on(story: Story) -> None:
    """One signal whose title cannot be made must not hold up every alert after it."""

    def title(signal: Signal) -> str:
        if signal.name == "Poison":
            raise RuntimeError("no title")
        return signal.name

    sorter = IntakeLoop(
        store=story.store,
        intake=Intake(story.desk, title),
        clock=story.clock,
        inbox=Bell(),
        outbox=Bell(),
        triage=Bell(),
        liveness=Liveness(story.clock),
    )
    await story.arrive(
        story.signal("Poison", "host0", SignalStatus.FIRING),
        story.signal("BotFrozen", "bot1", SignalStatus.FIRING),
        then_sort=False,
    )
    looping = asyncio.create_task(sorter.run())

    async def sorted_out() -> bool:
        return not await story.store.read(lambda tx: tx.signals.inbox(10))

    try:
        await eventually(sorted_out, "an empty inbox")
    finally:
        looping.cancel()
    titles = [incident.title for incident in await story.incidents()]
    assert sorted(titles) == ["BotFrozen", "Poison on host0"]


async def test_a_storm_is_one_incident_that_counts_and_leaves_sev1_apart(story: Story) -> None:
    """After the limit the rest goes into one rolling incident; what is Sev-1 is never hidden in it."""
    limit = story.desk.correlation.storm_incidents
    await story.arrive(
        *(story.signal(f"Noise{n}", f"host{n}", SignalStatus.FIRING) for n in range(limit + 300))
    )
    await story.fire("BotHardStopActive", "bot1", severity=Severity.SEV1)
    incidents = await story.incidents()
    [storm] = [incident for incident in incidents if incident.shape is IncidentShape.STORM]
    assert len(incidents) == limit + 2
    assert incidents[-1].title == "bot1 in hard stop"
    assert await story.store.read(lambda tx: tx.incidents.counts(storm.id)) == (300, 300)


async def test_a_storm_ends_and_later_alerts_are_incidents_again(story: Story) -> None:
    """An old storm that still fires takes in nothing that comes in quieter times."""
    count = story.desk.correlation.storm_incidents + 5
    await story.arrive(*(story.signal(f"Noise{n}", f"host{n}", SignalStatus.FIRING) for n in range(count)))
    story.clock.move(story.desk.correlation.storm_window_seconds + 1)
    await story.fire("Calm", "host-calm")
    assert (await story.incidents())[-1].name == "Calm"


async def test_a_pass_that_was_killed_is_done_again(story: Story) -> None:
    """The commit is all or nothing: signals stored and not sorted are sorted by the next start."""
    await story.arrive(story.signal("BotFrozen", "bot1", SignalStatus.FIRING), then_sort=False)
    assert await story.incidents() == []
    await story.sort()
    await story.sort()
    assert len(await story.incidents()) == 1
    assert await story.store.read(lambda tx: tx.signals.inbox(10)) == []


async def test_an_event_joins_the_bots_incident_whichever_came_first(story: Story) -> None:
    """The audit error, then the alert three minutes later: one incident, which the alert's resolve closes."""
    await story.happen("kill_switch")
    story.clock.move(180)
    await story.fire("BotHardStopActive", severity=Severity.SEV1)
    [incident] = await story.incidents()
    assert incident.name == "BotHardStopActive", "the graver one names it"
    await story.clear("BotHardStopActive")
    assert (await story.incident()).status is IncidentStatus.RESOLVED


@pytest.mark.parametrize(
    ("what", "title"),
    [
        ("frozen", "Several bots frozen"),
        ("runs without fills", "Several bots run without fills"),
        ("order book stale", "Several bots: order book stale"),
        ("BotOddity", "Several bots: BotOddity"),
    ],
)
def test_a_title_about_several_reads_as_words(what: str, title: str) -> None:
    """What is no verb or state stands behind a colon."""
    assert title_of_several("bots", what) == title


async def test_what_stands_names_the_incident_before_what_was_measured_on_the_way(story: Story) -> None:
    """The loss of the day fires first and the hard stop follows, equally severe: a trader reads the stop."""
    await story.fire("BotDailyPnlDrawdown", severity=Severity.SEV1)
    assert (await story.incident()).title == "bot1 daily loss"
    story.clock.move(60)
    await story.fire("BotHardStopActive", severity=Severity.SEV1)
    assert (await story.incident()).title == "bot1 in hard stop"
    story.clock.move(60)
    await story.fire("OrderBookStale", severity=Severity.SEV1)
    assert (await story.incident()).title == "bot1 in hard stop"


async def test_a_cleared_alert_names_the_incident_no_more_and_the_gravest_names_what_is_over(
    story: Story,
) -> None:
    """Stop and error spike; the stop clears; it comes back; at the end the title says what it was."""
    await story.fire("BotHardStopActive", severity=Severity.SEV1)
    await story.fire("BotLogErrorSpike")
    story.clock.move(60)
    await story.clear("BotHardStopActive")
    assert (await story.incident()).title == "bot1 error spike in the log"
    story.clock.move(60)
    await story.fire("BotHardStopActive", severity=Severity.SEV1, began="t1")
    assert (await story.incident()).title == "bot1 in hard stop"
    story.clock.move(60)
    await story.clear("BotHardStopActive", began="t1")
    await story.clear("BotLogErrorSpike")
    over = await story.incident()
    assert over.status is IncidentStatus.RESOLVED
    assert over.title == "bot1 in hard stop"


async def test_an_alert_that_fires_on_in_another_episode_is_not_told_as_resolved(story: Story) -> None:
    """After a gap both are learned of at once: who reads ``resolved`` beside an open card takes it for over."""
    await story.fire("BotHardStopActive")
    before = await story.told()
    ended = story.signal("BotHardStopActive", "bot1", SignalStatus.RESOLVED)
    begun = story.signal("BotHardStopActive", "bot1", SignalStatus.FIRING, began="t1")
    await story.arrive(ended, begun)
    assert await story.told() == before
    assert (await story.incident()).is_open
    await story.clear("BotHardStopActive", began="t1")
    assert not (await story.incident()).is_open


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        (SubjectKind.HOST, "node-exporter:9100", "host"),
        (SubjectKind.HOST, "localhost:9100", "host"),
        (SubjectKind.HOST, "trading-2.example.org:9100", "trading-2.example.org"),
        (SubjectKind.HOST, "10.4.0.7:9100", "10.4.0.7"),
        (SubjectKind.HOST, "node-exporter-b:9100", "node-exporter-b"),
        (SubjectKind.HOST, "orchid", "orchid"),
        (SubjectKind.CONTAINER, "hbot-node-exporter", "hbot-node-exporter"),
    ],
)
def test_a_title_calls_a_host_by_its_name_and_not_by_its_exporter(
    kind: SubjectKind, name: str, said: str
) -> None:
    """The port is the exporter's, and so is the name of its container: it names no host."""
    assert display_name(Subject(kind, name)) == said

"""Redis dies and takes its services with it: one incident, called after Redis, in whatever order it arrives."""

from itertools import permutations

import pytest

from bot.store import SqlStore
from tests.triage.incidents.desk_story import Story
from triage.model import IncidentShape, Severity, Signal, SignalStatus, Source

REDIS, SIGNAL, RISK = "hbot-redis", "hbot-signal-service", "hbot-risk-service"
DOWN = "down"


@pytest.fixture
def story(store: SqlStore) -> Story:
    """Begin a story on an empty store."""
    return Story(store)


@pytest.fixture
def quick(sqlite_store: SqlStore) -> Story:
    """Begin a story where the database is not the question."""
    return Story(sqlite_store)


def death(story: Story, container: str) -> Signal:
    """The engine tells of a container's death."""
    return story.signal("ContainerDied", container, SignalStatus.EVENT, source=Source.CONTAINER)


def down(story: Story, status: SignalStatus = SignalStatus.FIRING) -> Signal:
    """Our own watch finds that Redis does not answer, or answers again."""
    return story.signal("RedisDown", REDIS, status, severity=Severity.SEV1, source=Source.STREAMS)


@pytest.mark.parametrize("order", list(permutations((DOWN, REDIS, SIGNAL, RISK))), ids="-".join)
async def test_redis_and_what_needs_it_are_one_incident_in_any_order(
    quick: Story, order: tuple[str, ...]
) -> None:
    """The watch on Redis and the three deaths, seconds apart: one thread that names all of them, Redis first."""
    for arriving in order:
        quick.clock.move(3)
        await quick.arrive(down(quick) if arriving == DOWN else death(quick, arriving))
    [incident] = await quick.incidents()
    assert (incident.title, incident.severity) == (f"{REDIS} down", Severity.SEV1)
    assert str(incident.subject) == REDIS
    assert {str(subject) for subject in incident.subjects} == {REDIS, SIGNAL, RISK}


async def test_one_commit_with_all_of_it_is_one_incident_too(story: Story) -> None:
    """The engine tells several deaths within a second; they are sorted in one pass."""
    await story.arrive(*(death(story, name) for name in (SIGNAL, RISK)), down(story))
    [incident] = await story.incidents()
    assert (incident.title, incident.name) == (f"{REDIS} down", "RedisDown")


async def test_a_bot_that_dies_with_redis_is_named_in_its_incident(quick: Story) -> None:
    """Containers that die within seconds of each other are one trouble, a bot's among them."""
    for name in (REDIS, SIGNAL, "bot1", "bot2"):
        await quick.arrive(death(quick, name))
    await quick.arrive(down(quick))
    [incident] = await quick.incidents()
    assert incident.title == f"{REDIS} down"
    assert incident.bots == ("bot1", "bot2")


async def test_it_closes_when_redis_is_back_and_tells_who_joined(story: Story) -> None:
    """The thread names each that fell; the end of Redis' trouble is the end of it."""
    await story.arrive(down(story))
    await story.arrive(death(story, SIGNAL))
    assert await story.told() == [f"ContainerDied on {SIGNAL} joined; it began on {REDIS}"]
    story.clock.move(60)
    await story.arrive(down(story, SignalStatus.RESOLVED))
    assert not (await story.incident()).is_open


async def test_what_cleared_on_redis_names_its_incident_no_more(quick: Story) -> None:
    """A restart loop that is over, and Redis is still down: it is called so, whatever its services show."""
    sev1 = Severity.SEV1
    await quick.fire("ContainerRestartLoop", REDIS, severity=sev1)
    await quick.arrive(death(quick, SIGNAL))
    await quick.fire("ContainerRestartLoop", SIGNAL, severity=sev1)
    await quick.arrive(down(quick))
    assert (await quick.incident()).title == f"{REDIS} restart loop"
    quick.clock.move(60)
    await quick.clear("ContainerRestartLoop", REDIS)
    [incident] = await quick.incidents()
    assert (incident.title, incident.name) == (f"{REDIS} down", "RedisDown")
    assert {str(subject) for subject in incident.subjects} == {REDIS, SIGNAL}


async def test_containers_that_die_together_without_redis_are_one_incident(quick: Story) -> None:
    """The host restarts: the same thing on several containers and bots."""
    for name in ("hbot-grafana", "hbot-loki", "bot1"):
        await quick.arrive(death(quick, name))
    [incident] = await quick.incidents()
    assert (incident.title, incident.shape) == ("Several containers died", IncidentShape.WIDE)
    assert {str(subject) for subject in incident.subjects} == {"hbot-grafana", "hbot-loki", "bot1"}


async def test_containers_without_end_are_not_all_named(quick: Story) -> None:
    """An alert can name any number of containers: one incident names some, then the storm counts the rest."""
    for number in range(40):
        await quick.arrive(death(quick, f"hbot-job{number}"))
    [wide, storm] = await quick.incidents()
    assert len(wide.subjects) == quick.desk.correlation.storm_incidents
    assert (wide.shape, storm.shape) == (IncidentShape.WIDE, IncidentShape.STORM)


async def test_a_service_that_fails_long_before_redis_has_its_own_incident(quick: Story) -> None:
    """After the window it is no part of it."""
    await quick.arrive(death(quick, SIGNAL))
    quick.clock.move(quick.desk.correlation.wide_window_seconds + 1)
    await quick.arrive(down(quick))
    assert [incident.name for incident in await quick.incidents()] == ["ContainerDied", "RedisDown"]


async def test_a_service_that_falls_while_redis_is_away_belongs_to_it(quick: Story) -> None:
    """However late: it cannot work without, and nobody needs a second thread for that."""
    await quick.arrive(down(quick))
    quick.clock.move(3600)
    await quick.arrive(death(quick, RISK))
    assert len(await quick.incidents()) == 1


async def test_what_does_not_need_redis_stays_apart(quick: Story) -> None:
    """Another thing on another container is a coincidence until somebody shows that it is none."""
    await quick.arrive(down(quick))
    await quick.fire("BotHardStopActive", "bot1", severity=Severity.SEV1)
    await quick.arrive(death(quick, "hbot-grafana"))
    assert len(await quick.incidents()) == 3

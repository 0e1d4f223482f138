"""Our own silence: blind alerting, the heartbeat, troubles that last; and what changed in .env."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.agent.client import Wire
from bot.agent.remote_desk import RemoteEnv
from bot.store import SqlStore
from bot.watched_reads import FOLDERS
from schedules.changes import EnvWatch
from schedules.watchdog import Deadman, Heartbeat, SelfWatch, SourceProbe
from tests.bot.agent.apart import agent_apart
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeSources
from tests.triage.incidents.desk_story import Story
from triage.actions.proposals import propose
from triage.desk import Desk
from triage.desk_sections.compose import Paths
from triage.errors import FileNotClear, SourceNotConfigured, SourceUnreachable
from triage.model import ActionProposal, Signal
from triage.plans.operations import SetEnv
from triage.plans.plan import Plan, Step
from triage.plans.record import ActionStatus
from triage.ports.sources import UNREADABLE_RULE, RuleState
from triage.ports.store import Tx
from triage.signals.watchdog import WATCHDOG_NOTE

DESK = Desk()


async def inbox(store: SqlStore) -> list[Signal]:
    """Return the signals that were stored."""
    return [one.signal for one in await store.read(lambda tx: tx.signals.inbox(100))]


class Night:
    """A dead-man's switch through a night."""

    def __init__(self, store: SqlStore, *, rule: bool = False) -> None:
        self.store, self.clock, self.fakes = store, ManualClock(), FakeSources()
        if rule:
            self.fakes.metrics.rule_states = (RuleState("Watchdog", "firing", "ok"),)
        self.switch = self.started()

    def started(self) -> Deadman:
        """Make the switch of a process that starts now."""
        return Deadman(
            store=self.store,
            desk=DESK,
            sources=self.fakes.port,
            clock=self.clock,
            stored=lambda: None,
            started=self.clock.now(),
        )

    async def watchdog_comes(self) -> None:
        """Alertmanager sends the alert."""
        now = self.clock.now().isoformat()
        await self.store.write(lambda tx: tx.notes.put(WATCHDOG_NOTE, now))

    async def passes(self, minutes: int) -> list[str]:
        """Let time pass, looking every minute; returns what was told so far."""
        for _ in range(minutes):
            self.clock.move(60)
            await self.switch.run()
        return [f"{signal.name} {signal.status.value}" for signal in await inbox(self.store)]


async def test_blind_alerting_is_told_with_its_hour_and_ends_when_it_comes_again(
    sqlite_store: SqlStore,
) -> None:
    """Ten minutes of silence are too many; the first sign of life ends it."""
    night = Night(sqlite_store)
    await night.watchdog_comes()
    assert await night.passes(10) == []
    assert await night.passes(5) == ["AlertingBlind firing"]
    (signal,) = await inbox(sqlite_store)
    assert signal.annotations["summary"].startswith("alerting is blind since 03:00")
    await night.watchdog_comes()
    assert await night.passes(1) == ["AlertingBlind firing", "AlertingBlind resolved"]


async def test_a_restart_of_ours_is_no_sign_of_life(sqlite_store: SqlStore) -> None:
    """Blind before it, blind after it: it ends when the alert comes again, and is told once."""
    night = Night(sqlite_store)
    await night.watchdog_comes()
    told = ["AlertingBlind firing"]
    assert await night.passes(15) == told
    night.switch = night.started()
    assert await night.passes(25) == told
    night.switch = night.started()
    await night.watchdog_comes()
    assert await night.passes(1) == [*told, "AlertingBlind resolved"]


async def test_a_rule_that_never_reached_us_is_not_well_while_prometheus_is_away(
    sqlite_store: SqlStore,
) -> None:
    """After a restart nobody says whether it is loaded; taken out of the rules it ends."""
    night = Night(sqlite_store, rule=True)
    told = ["AlertingBlind firing"]
    assert await night.passes(15) == told
    night.switch = night.started()
    night.fakes.metrics.error = SourceUnreachable("Prometheus", "Connection refused")
    assert await night.passes(20) == told
    night.fakes.metrics.error, night.fakes.metrics.rule_states = None, (UNREADABLE_RULE,)
    assert await night.passes(2) == told
    night.fakes.metrics.rule_states = ()
    assert await night.passes(1) == [*told, "AlertingBlind resolved"]


async def test_a_clock_set_back_while_we_were_down_ends_no_blindness(sqlite_store: SqlStore) -> None:
    """The alert then came at a time to come: what stands goes on standing, also when that time is reached."""
    night = Night(sqlite_store)
    await night.watchdog_comes()
    told = ["AlertingBlind firing"]
    assert await night.passes(15) == told
    night.clock.jump(timedelta(minutes=-30))
    night.switch = night.started()
    assert await night.passes(30) == told
    await night.watchdog_comes()
    assert await night.passes(1) == [*told, "AlertingBlind resolved"]


@pytest.mark.parametrize("minutes", [-3, -8, -180, 4, 12, 600])
async def test_silence_counts_by_time_that_passes_however_the_clock_is_set(
    sqlite_store: SqlStore, minutes: int
) -> None:
    """Set by less than the silence or by more, before it is told or after: told after ten minutes, once, to its end."""
    night, by = Night(sqlite_store), timedelta(minutes=minutes)
    await night.watchdog_comes()
    assert await night.passes(5) == []
    night.clock.jump(by)
    assert await night.passes(5) == []
    told = ["AlertingBlind firing"]
    assert await night.passes(2) == told
    night.clock.jump(by)
    assert await night.passes(15) == told
    night.clock.jump(by)
    await night.watchdog_comes()
    assert await night.passes(1) == [*told, "AlertingBlind resolved"]
    night.clock.jump(by)
    assert len(await night.passes(9)) == 2


async def test_a_desk_without_the_rule_is_left_in_peace(sqlite_store: SqlStore) -> None:
    """Never seen and no rule: doctor says so, and there is no false alarm."""
    assert await Night(sqlite_store).passes(60) == []


async def test_a_rule_whose_alert_never_arrives_is_told(sqlite_store: SqlStore) -> None:
    """Loaded in Prometheus, and the way to us is broken from the beginning."""
    assert await Night(sqlite_store, rule=True).passes(15) == ["AlertingBlind firing"]


async def test_time_in_which_we_were_down_does_not_count(sqlite_store: SqlStore) -> None:
    """After a night of our own silence the alert gets its ten minutes."""
    night = Night(sqlite_store)
    await night.watchdog_comes()
    night.clock.move(8 * 3600)
    night.switch = night.started()
    assert await night.passes(9) == []
    await night.watchdog_comes()
    assert await night.passes(9) == []


async def test_the_heartbeat_is_silent_while_we_are_ill() -> None:
    """It says that we can do our work, not that a process exists."""
    healthy, sent, clock = True, [], ManualClock()

    async def ping() -> None:
        sent.append(clock.now())

    async def well() -> bool:
        return healthy

    heartbeat = Heartbeat(clock, well, ping)
    await heartbeat.beat()
    await heartbeat.send()
    beaten = heartbeat.beaten_at
    healthy = False
    clock.move(60)
    await heartbeat.beat()
    await heartbeat.send()
    assert len(sent) == 1
    assert heartbeat.beaten_at == beaten


async def test_a_heartbeat_nobody_gets_is_a_trouble() -> None:
    """The outside's server is down: said, and tried again."""

    async def ping() -> None:
        raise SourceUnreachable("TRIAGE_HEARTBEAT_URL", "ConnectError")

    async def well() -> bool:
        return True

    heartbeat = Heartbeat(ManualClock(), well, ping)
    await heartbeat.send()
    assert "ConnectError" in heartbeat.trouble


async def test_a_trouble_that_lasts_is_an_incident_and_a_short_one_is_not(sqlite_store: SqlStore) -> None:
    """Five minutes, then it is told; when it is over, that too."""
    clock, troubles = ManualClock(), {"outbox": "the oldest of 3 messages waits for 400 s"}

    async def now() -> Mapping[str, str]:
        return dict(troubles)

    watch = SelfWatch(store=sqlite_store, desk=DESK, clock=clock, troubles=now, stored=lambda: None)
    for _ in range(20):
        await watch.run()
        clock.move(15)
    assert await inbox(sqlite_store) == []
    for _ in range(3):
        await watch.run()
        clock.move(15)
    troubles["docker"] = "just now"
    await watch.run()
    troubles.clear()
    await watch.run()
    told = [
        (signal.name, signal.status.value, signal.labels.get("dependency"))
        for signal in await inbox(sqlite_store)
    ]
    assert told == [("TriageImpaired", "firing", "outbox"), ("TriageImpaired", "resolved", None)]


async def test_each_source_is_asked_by_itself() -> None:
    """One that fails says why; one that is not configured is none."""
    fakes = FakeSources()
    fakes.logs.error = SourceUnreachable("Loki", "Connection refused")
    fakes.containers.error = SourceNotConfigured("Docker")
    probe = SourceProbe(fakes.port)
    await probe.run()
    assert probe.up == {"prometheus": True, "loki": False, "alertmanager": True, "docker": None}
    assert list(probe.troubles) == ["loki"]


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """Write the desk's .env."""
    file = tmp_path / ".env"
    file.write_text("HUMMINGBOT_IMAGE=hbot:1\nBITGET_API_KEY=bg_secret_1\n# a comment\nREDIS_PORT=6379\n")
    return file


def write(file: Path, text: str) -> None:
    """Save a file as an editor does."""
    file.write_text(text)


async def test_a_changed_env_is_told_by_its_keys_and_without_secrets(
    env: Path, sqlite_store: SqlStore
) -> None:
    """On the timeline of what is open, in the thread; the values stay where they are."""
    story = Story(sqlite_store, desk=DESK.model_copy(update={"paths": Paths(env=env)}))
    watch = EnvWatch(
        store=sqlite_store, desk=story.desk, clock=story.clock, stored=lambda: None, reads=FOLDERS
    )
    assert not await watch.run()
    await story.fire("BotHardStopActive")
    write(env, "HUMMINGBOT_IMAGE=hbot:2\nBITGET_API_KEY=bg_secret_2\nNEW=1\n")
    assert await watch.run()
    assert not await watch.run()
    text = ".env changed: BITGET_API_KEY, HUMMINGBOT_IMAGE hbot:1 → hbot:2, NEW, REDIS_PORT (removed)"
    assert await story.told() == [text]
    notes = await sqlite_store.read(lambda tx: tx.notes.get("changes/env"))
    assert "bg_secret" not in (notes or "")


@pytest.mark.slow
@pytest.mark.parametrize(("image", "by"), [("hbot:1", " (by Rollback on bot1)"), ("hbot:3", "")])
async def test_what_an_action_of_ours_wrote_is_told_as_ours(
    env: Path, sqlite_store: SqlStore, image: str, by: str
) -> None:
    """A rollback sets the image back; somebody who sets another one at the same time is not it."""
    story = Story(sqlite_store, desk=DESK.model_copy(update={"paths": Paths(env=env)}))
    watch = EnvWatch(
        store=sqlite_store, desk=story.desk, clock=story.clock, stored=lambda: None, reads=FOLDERS
    )
    write(env, "HUMMINGBOT_IMAGE=hbot:2\n")
    await watch.run()
    await story.fire("BotHardStopActive")

    def rolled_back(tx: Tx) -> None:
        now, step = story.clock.now(), Step("set the image", SetEnv("HUMMINGBOT_IMAGE", "hbot:1", "hbot:2"))
        record = propose(tx, story.desk, ActionProposal("rollback", "bot1", "worse since"), by="U1", now=now)
        plan = Plan("rollback", "bot1", "Rollback on bot1", (step,))
        tx.actions.save(
            replace(record, status=ActionStatus.SUCCEEDED, plan=plan, started_at=now, finished_at=now)
        )

    await sqlite_store.write(rolled_back)
    write(env, f"HUMMINGBOT_IMAGE={image}\n")
    assert await watch.run()
    assert await story.told() == [f".env changed: HUMMINGBOT_IMAGE hbot:2 → {image}{by}"]


@pytest.mark.slow
async def test_through_the_agent_a_change_is_told_as_well(
    env: Path, tmp_path: Path, sqlite_store: SqlStore
) -> None:
    """The service has no way to the file: it gets stand-ins, the same for the same value, also after a start."""
    story = Story(sqlite_store, desk=DESK.model_copy(update={"paths": Paths(env=env)}))
    await story.fire("BotHardStopActive")
    salt = bytes(16)
    for text, changed in (
        ("HUMMINGBOT_IMAGE=hbot:1\nBITGET_API_KEY=bg_secret_1\n", False),
        ("HUMMINGBOT_IMAGE=hbot:1\nBITGET_API_KEY=bg_secret_1\n", False),
        ("HUMMINGBOT_IMAGE=hbot:2\nBITGET_API_KEY=bg_secret_2\n", True),
        ("HUMMINGBOT_IMAGE=hbot:2\nBITGET_API_KEY='bg_secret_3\n", True),
        ("HUMMINGBOT_IMAGE=hbot:2\nBITGET_API_KEY='bg_secret_4\n", False),
        ("HUMMINGBOT_IMAGE=hbot:2\nBITGET_API_KEY=bg_secret_4\n", True),
    ):
        write(env, text)
        async with agent_apart(story.desk, tmp_path, salt=salt) as apart:
            through = RemoteEnv(Wire(apart.address))
            elsewhere = story.desk.model_copy(update={"paths": Paths(env=tmp_path / "none")})
            watch = EnvWatch(
                store=sqlite_store,
                desk=elsewhere,
                clock=story.clock,
                stored=lambda: None,
                reads=FOLDERS,
                agent=through,
            )
            assert await watch.run() is changed
            with contextlib.suppress(FileNotClear):
                assert "bg_secret" not in str(await through.read())
        assert not await watch.run(), "an agent that is away changes nothing"
    assert await story.told() == [
        ".env changed: BITGET_API_KEY, HUMMINGBOT_IMAGE hbot:1 → hbot:2",
        ".env changed: which keys is not told: .env: line 2 opens a quote that nothing closes; mend it by hand",
        ".env changed: which keys is not told: a line was not clear",
    ]


async def test_a_line_within_a_quoted_value_is_no_key_and_an_unclear_file_tells_none(
    env: Path, sqlite_store: SqlStore
) -> None:
    """A private key over several lines must not be told piece by piece, nor its pieces be kept."""
    story = Story(sqlite_store, desk=DESK.model_copy(update={"paths": Paths(env=env)}))
    watch = EnvWatch(
        store=sqlite_store, desk=story.desk, clock=story.clock, stored=lambda: None, reads=FOLDERS
    )
    write(env, 'KEY="one\nabCD12=\n"\nA=1\n')
    await watch.run()
    await story.fire("BotHardStopActive")
    write(env, 'KEY="two\nefGH34=\n"\nA=1\n')
    assert await watch.run()
    write(env, 'KEY="two\nefGH34=\nA=1\nB=2222\n')
    assert await watch.run()
    write(env, "A=1\n")
    assert await watch.run()
    assert await story.told() == [
        ".env changed: KEY",
        ".env changed: which keys is not told: line 1 opens a quote that nothing closes",
        ".env changed: which keys is not told: a line was not clear",
    ]
    notes = await sqlite_store.read(lambda tx: tx.notes.get("changes/env"))
    assert "efGH34" not in (notes or "")


async def test_a_change_shortly_before_an_incident_stands_on_its_timeline(
    env: Path, sqlite_store: SqlStore
) -> None:
    """And one of last week does not."""
    story = Story(sqlite_store, desk=DESK.model_copy(update={"paths": Paths(env=env)}))
    watch = EnvWatch(
        store=sqlite_store, desk=story.desk, clock=story.clock, stored=lambda: None, reads=FOLDERS
    )
    await watch.run()
    write(env, "HUMMINGBOT_IMAGE=hbot:2\n")
    await watch.run()
    changes = await sqlite_store.read(
        lambda tx: tx.events.of((), since=story.clock.now().replace(year=2000), until=story.clock.now())
    )
    assert [change.change for change in changes] == [True]
    story.clock.move(600)
    await story.fire("BotHardStopActive")
    story.clock.move(7200)
    await story.fire("BotFrozen", "bot2")
    assert await kinds(sqlite_store, 1) == ["change", "opened"]
    assert await kinds(sqlite_store, 2) == ["opened"]


async def kinds(store: SqlStore, incident_id: int) -> list[str]:
    """Return what kinds of entries a timeline has."""
    return [entry.kind.value for entry in await store.read(lambda tx: tx.timeline.of(incident_id))]

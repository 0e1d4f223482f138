"""The catalogue on a real Docker Engine with a compose project shaped like the desk, by Compose 1.

The flows call the newest Compose.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.agent.apart import agent_apart
from tests.servers.desk import COMPOSES, Desk
from tests.triage.actions.bench import Bench, running_bench, settings, states
from triage.actions.degraded import degraded
from triage.plans.record import ActionStatus, StepStatus
from triage.plans.verification import VerificationOutcome

LODGER = (
    *("--name", "hbot-lodger", "--network", "hbot-trading"),
    *("--label", "com.docker.compose.project=hbot", "--label", "com.docker.compose.service=lodger"),
    *("--label", "com.docker.compose.oneoff=False", "--label", "com.docker.compose.container-number=1"),
    *("hbot/service:1", "sleep", "300"),
)
"""How a container of the project is started whose service no file has."""
CACHE = "/home/hummingbot/controllers/__pycache__/epp_v2_4.cpython-312.pyc"


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """Let desk and actions call Compose 1."""
    desk.compose_program = COMPOSES[0]
    return desk


@pytest.fixture
async def bench(desk: Desk, tmp_path: Path) -> AsyncIterator[Bench]:
    """Run an engine on the desk, whose agent is behind its socket; only what a test starts runs."""
    chosen = settings(desk.root, desk.compose_command)
    async with (
        agent_apart(chosen, tmp_path, docker_host=desk.engine.host) as apart,
        running_bench(chosen, tmp_path / "triage.db", redis_url=desk.redis_url, agent=apart.address) as bench,
    ):
        yield bench


async def test_clear_cache_removes_the_bytecode_and_recreates_the_bot(bench: Bench, desk: Desk) -> None:
    """Stale bytecode is gone, the container is a new one, the deployed controller runs, other services stay."""
    await desk.up("bot1", "grafana")
    before, grafana = await desk.container("bot1"), await desk.container("grafana")
    desk.write_controller("# release 2\n")
    await desk.engine.docker("restart", "-t", "1", "hbot-bot1")
    assert desk.log("bot1").rstrip().count("release 2") == 0, "the restart must serve the stale bytecode"

    record = await bench.act("clear_cache", "bot1")

    assert record.status is ActionStatus.SUCCEEDED, (record.outcome, await bench.steps(record.id))
    assert (await desk.container("bot1"))["Id"] != before["Id"]
    assert (await desk.container("grafana"))["Id"] == grafana["Id"]
    assert "release 2" in await desk.engine.docker("exec", "hbot-bot1", "cat", CACHE)
    assert record.verification is not None
    assert record.verification.outcome is VerificationOutcome.RECOVERED, record.verification
    assert [step.status for step in await bench.steps(record.id)] == [StepStatus.DONE] * 4


async def test_degraded_mode_stops_the_external_stack_redis_last_and_leaves_the_bots_alone(
    bench: Bench, desk: Desk
) -> None:
    """Redis is paused to death: the stack stops in order, the rest is up, no bot is recreated; and then the way out."""
    await desk.up()
    bots = {name: (await desk.container(name))["Id"] for name in ("bot1", "bot2")}
    await desk.engine.docker("pause", "hbot-redis")

    record = await bench.act("degraded_mode", "desk")

    assert record.status is ActionStatus.SUCCEEDED, (record.outcome, await bench.steps(record.id))
    external = {"signal-service", "risk-service", "coordination-service", "redis"}
    assert not external & await desk.running()
    assert {name: (await desk.container(name))["Id"] for name in bots} == bots
    stops = [step.title for step in await bench.steps(record.id) if step.title.startswith("stop")]
    assert stops[-1] == "stop redis"
    assert record.verification is not None  # the external services stay stopped: that is no recovery
    assert record.verification.outcome is VerificationOutcome.EFFECTIVE, record.verification
    state = await bench.store.read(degraded)
    assert state is not None
    assert state.sure
    [way_out] = [one for one in await bench.children(record.id) if one.kind == "exit_degraded_mode"]

    confirmed, _ = await bench.confirm(way_out)
    await _publish_market_data(desk)
    left = await bench.ended(confirmed.id)

    assert left.status is ActionStatus.SUCCEEDED, (left.outcome, await bench.steps(left.id))
    assert external <= await desk.running()
    assert await bench.store.read(degraded) is None
    assert {name: (await desk.container(name))["Id"] for name in bots} == bots


async def _publish_market_data(desk: Desk) -> None:
    """Do what the desk's producers do as soon as Redis is back."""
    from redis.asyncio import from_url  # noqa: PLC0415 - only here
    from redis.exceptions import RedisError  # noqa: PLC0415 - as above

    from tests.servers.process import eventually  # noqa: PLC0415 - as above

    async def published() -> bool:
        async with from_url(desk.redis_url, socket_timeout=1) as client:
            try:
                await client.xadd("hb.market_data.v1", {"payload": "{}"})
            except RedisError:
                return False
        return True

    await eventually(published, "Redis to take market data", within=60)


async def test_rollback_returns_config_and_image_and_the_undo_takes_both_back(
    bench: Bench, desk: Desk
) -> None:
    """Both come back as they were in the snapshot, logs are untouched, and undo restores the state before."""
    await desk.up("bot1", profiles=("multi",))
    log = await desk.logged("bot1")
    desk.set_env("HUMMINGBOT_IMAGE", "hbot/hummingbot:v2")
    state = desk.data / "bot1" / "data" / "state.json"
    chosen = {"what": "both", "snapshot": "bot1_20260219_040000.tar.gz", "image": "hbot/hummingbot:v1"}

    started, prepared = await bench.confirmed("rollback", "bot1", chosen)
    record = await bench.ended(started.id)

    assert prepared.plan is not None
    assert "-snapshot: now\n+snapshot: 20260219\n" in prepared.plan.diff
    assert "conf/controllers/epp_v2_4_bot1.yml changes" in str(prepared.plan.side_effects)
    assert record.status is ActionStatus.SUCCEEDED, (record.outcome, await bench.steps(record.id))
    assert "20260219" in state.read_text()
    assert "20260219" in (desk.data / "bot1/conf/controllers/epp_v2_4_bot1.yml").read_text()
    assert desk.log("bot1").startswith(log)
    env = desk.env_file.read_text()
    assert "HUMMINGBOT_IMAGE=hbot/hummingbot:v1\n" in env
    assert (await desk.container("bot1"))["Config"]["Image"] == "hbot/hummingbot:v1"
    assert not [path for path in desk.data.iterdir() if path.name.startswith(".bot1")]
    [undo] = [one for one in await bench.children(record.id) if one.why.startswith("undo")]

    undone, _ = await bench.confirm(undo)
    back = await bench.ended(undone.id)

    assert back.status is ActionStatus.SUCCEEDED, (back.outcome, await bench.steps(back.id))
    assert '"now"' in state.read_text()
    assert "HUMMINGBOT_IMAGE=hbot/hummingbot:v2\n" in desk.env_file.read_text()
    assert desk.log("bot1").startswith(log)


async def test_recreate_and_restart_do_what_their_names_say(bench: Bench, desk: Desk) -> None:
    """A restart keeps the container, a recreate makes a new one."""
    await desk.up("bot1")
    before = await desk.container("bot1")
    restarted = await bench.act("restart", "bot1")
    between = await desk.container("bot1")
    recreated = await bench.act("recreate", "bot1")
    assert (restarted.status, recreated.status) == (ActionStatus.SUCCEEDED, ActionStatus.SUCCEEDED)
    assert between["Id"] == before["Id"]
    assert between["State"]["StartedAt"] != before["State"]["StartedAt"]
    assert (await desk.container("bot1"))["Id"] != before["Id"]


async def test_disable_internal_paper_changes_one_word_and_recreates(bench: Bench, desk: Desk) -> None:
    """The switch is off, every other character of the file is as it was, the bot is a new container."""
    await desk.up("bot1")
    before, file = await desk.container("bot1"), desk.data / "bot1/conf/controllers/epp_v2_4_bot1.yml"
    text = file.read_text()
    record = await bench.act("disable_internal_paper", "bot1")
    assert record.status is ActionStatus.SUCCEEDED, record.outcome
    assert file.read_text() == text.replace("internal_paper_enabled: true", "internal_paper_enabled: false")
    assert (await desk.container("bot1"))["Id"] != before["Id"]


async def test_the_desk_is_started_with_its_checks_and_stopped_again(bench: Bench, desk: Desk) -> None:
    """Start-up brings everything up and asks Redis; the shutdown takes everything down, and says what it leaves."""
    started = await bench.act("start_desk", "desk")
    assert started.status is ActionStatus.SUCCEEDED, (started.outcome, await bench.steps(started.id))
    assert {"bot1", "bot2", "redis", "grafana", "signal-service"} <= await desk.running()
    titles = {step.title: step.note for step in await bench.steps(started.id)}
    assert titles["check .env"] == "complete"
    assert titles["ask Redis"].startswith("PONG")
    await desk.engine.docker("run", "-d", *LODGER)
    failed = await bench.act("stop_desk", "desk")
    await desk.engine.docker("rm", "-f", "hbot-lodger")
    assert (failed.status, failed.outcome) == (ActionStatus.FAILED, "step 1: exit 1")
    assert failed.verification is not None
    assert failed.verification.outcome is VerificationOutcome.EFFECTIVE
    assert "; hbot-lodger runs on, of this project" in failed.verification.why
    assert "start_desk" in [one.kind for one in await bench.children(failed.id)]
    stopped = await bench.act("stop_desk", "desk")
    assert stopped.status is ActionStatus.SUCCEEDED, stopped.outcome
    assert await desk.running() == set()
    assert stopped.verification is not None
    assert stopped.verification.outcome is VerificationOutcome.EFFECTIVE


async def test_the_monitoring_services_are_started_alone(bench: Bench, desk: Desk) -> None:
    """What watches the desk comes up; no bot, no Redis, nothing external."""
    record = await bench.act("start_monitoring", "desk")
    assert record.status is ActionStatus.SUCCEEDED, (record.outcome, await bench.steps(record.id))
    running = await desk.running()
    assert "grafana" in running
    assert not running & {"bot1", "bot2", "bot3", "redis", "signal-service"}


async def test_docker_going_down_in_the_middle_fails_the_step_and_says_what_is_done(
    desk: Desk, tmp_path: Path
) -> None:
    """The engine dies after the first step: the second one fails, nothing else is begun, the target is free again."""
    from triage.actions.executor import Executor  # noqa: PLC0415 - only here
    from triage.ports.actions import Performed  # noqa: PLC0415 - only here

    class KillsDocker(Executor):
        async def perform(self, step, turn, on_output) -> Performed:  # type: ignore[no-untyped-def] # noqa: ANN001
            performed = await super().perform(step, turn, on_output)
            desk.engine.kill()
            return performed

    await desk.up("bot1")
    chosen = settings(desk.root, desk.compose_command)
    async with running_bench(
        chosen,
        tmp_path / "triage.db",
        docker_host=desk.engine.host,
        metrics=states(bot1="running"),
        executor=lambda top: KillsDocker(top.sources, top.access, top.clock),
    ) as bench:
        record = await bench.act("clear_cache", "bot1")
        assert record.status is ActionStatus.FAILED
        assert "steps 1 to 1 are done" in record.outcome
        statuses = [step.status for step in await bench.steps(record.id)]
        assert statuses == [StepStatus.DONE, StepStatus.DONE, StepStatus.FAILED, StepStatus.SKIPPED]
        assert await bench.store.read(lambda tx: tx.actions.locked_by("bot1")) is None
        assert record.verification is not None
        assert record.verification.outcome is not VerificationOutcome.RECOVERED

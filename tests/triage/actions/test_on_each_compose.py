"""What differs from desk to desk and from Compose 1 to 2: project, labels, images, what ``up`` recreates, health."""

import re
import shlex
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.sources.opening import open_sources
from tests.bot.agent.apart import agent_apart
from tests.fakes.sources import FakeSources
from tests.servers.desk import COMPOSES, IMAGES, Desk
from tests.triage.actions.bench import Bench, running_bench, settings
from triage.diagnosis.checks import changes
from triage.diagnosis.checks.base import CheckContext
from triage.plans.plan import Holds
from triage.plans.record import ActionStatus, StepStatus

TWO = [name for name in COMPOSES if name.endswith("-2")]
TROUBLESHOOTING = Path(__file__).parents[3] / "docs" / "troubleshooting.md"
_INSPECT = re.compile("`(docker inspect .*?)`")
CACHE = "/home/hummingbot/controllers/__pycache__/epp_v2_4.cpython-312.pyc"
OF_A_BOT = ("clear_cache", "recreate", "disable_internal_paper", "rollback")


@pytest.fixture
def compose(request: pytest.FixtureRequest, desk: Desk) -> str:
    """The Compose that desk and actions call: the newest, where a test does not ask for each."""
    desk.compose_program = getattr(request, "param", COMPOSES[-1])
    return desk.compose_program


each = pytest.mark.parametrize("compose", COMPOSES, indirect=True)


@pytest.fixture
async def bench(desk: Desk, compose: str, tmp_path: Path) -> AsyncIterator[Bench]:
    """Actions on the desk, whose agent is a process' worth apart; nothing is waited for longer than 4 s."""
    del compose
    command = {"command": tuple(desk.compose_command), "healthy_seconds": 4}
    chosen = settings(desk.root, desk.compose_command, compose=command)
    async with (
        agent_apart(chosen, tmp_path, docker_host=desk.engine.host) as apart,
        running_bench(chosen, tmp_path / "t.db", redis_url=desk.redis_url, agent=apart.address) as bench,
    ):
        yield bench


async def blocked(bench: Bench, kind: str, target: str) -> str:
    """Plan an action and return what stops it, empty where nothing does."""
    record = await bench.propose(kind, target)
    prepared = await bench.engine.prepare(record.handle, {})
    return prepared.blocked


async def test_containers_of_another_project_are_touched_by_no_action(bench: Bench, desk: Desk) -> None:
    """Compose would meet a conflict of names, after the bytecode was removed: the labels tell before."""
    await desk.compose("-p", "elsewhere", "up", "-d", "bot1", "redis")
    before = await desk.container("bot1")
    await desk.logged("bot1", "loaded")
    for kind, target in (*((kind, "bot1") for kind in (*OF_A_BOT, "restart")), ("start_desk", "desk")):
        assert "belongs to the compose project elsewhere" in await blocked(bench, kind, target), kind
    assert await desk.engine.docker("exec", "hbot-bot1", "cat", CACHE)
    program, *words = shlex.split(_INSPECT.findall(TROUBLESHOOTING.read_text())[0])
    assert (program, await desk.engine.docker(*words)) == ("docker", "elsewhere")
    assert (await desk.container("bot1"))["State"]["StartedAt"] == before["State"]["StartedAt"]


@each
async def test_a_plan_names_what_a_changed_env_makes_anew(bench: Bench, desk: Desk, compose: str) -> None:
    """Two bots whose key changed; with Compose 2, whose rehearsal is asked, also who runs an image of the same name."""
    await desk.up("bot1", "bot2", "redis", "grafana", "cadvisor")
    kept = {name: (await desk.container(name))["Id"] for name in ("redis", "grafana", "cadvisor")}
    bots = {name: (await desk.container(name))["Id"] for name in ("bot1", "bot2")}
    desk.set_env("BITGET_API_KEY", "another")

    record, prepared = await bench.confirmed("start_desk", "desk")
    assert prepared.plan is not None
    assert "recreates bot1, bot2: their configuration, .env or image changed" in str(
        prepared.plan.side_effects
    )
    assert bots == {name: (await desk.container(name))["Id"] for name in bots}, "the plan touches nothing"

    ended = await bench.ended(record.id)
    assert ended.status is ActionStatus.SUCCEEDED, (ended.outcome, await bench.steps(record.id))
    assert kept == {name: (await desk.container(name))["Id"] for name in kept}
    assert not set(bots.values()) & {(await desk.container(name))["Id"] for name in bots}
    if compose in TWO:
        await desk.engine.docker("tag", "hbot/redis:7", "hbot/service:1")
        try:
            seen = await bench.engine.prepare((await bench.propose("start_monitoring", "desk")).handle, {})
            assert seen.plan is not None
            assert "cadvisor, grafana" in str(seen.plan.side_effects)
            assert "bot1" not in str(seen.plan.side_effects)
        finally:
            await desk.engine.docker("rmi", "hbot/service:1")


async def test_an_image_that_is_not_on_the_host_stops_every_action_that_needs_it(
    bench: Bench, desk: Desk
) -> None:
    """Of a bot, of a service, of the desk; who needs another image goes on."""
    await desk.up("bot1", "grafana")
    desk.set_env("HUMMINGBOT_IMAGE", "hbot/hummingbot:v9")
    for kind in OF_A_BOT:
        assert "not on this host: hbot/hummingbot:v9" in await blocked(bench, kind, "bot1"), kind
    assert "not on this host: hbot/hummingbot:v9" in await blocked(bench, "start_desk", "desk")
    assert await blocked(bench, "start_monitoring", "desk") == ""
    assert await blocked(bench, "recreate", "grafana") == ""
    file = desk.compose_folder / "docker-compose.yml"
    file.write_text(file.read_text().replace("image: hbot/redis:7", "image: redis:8"))
    assert "not on this host: redis:8" in await blocked(bench, "recreate", "redis")
    record = await bench.propose("degraded_mode", "desk")
    found = (await bench.engine.prepare(record.handle, {})).preconditions
    [warned] = [each for each in found if "not on this host: hbot/hummingbot:v9" in each.text]
    assert warned.holds is Holds.WARNING


async def test_a_container_that_never_gets_well_ends_the_action_in_time(bench: Bench, desk: Desk) -> None:
    """After compose.healthy_seconds it failed, with what was seen; and the proposals that follow are there."""
    await desk.up("bot1")
    file = desk.compose_folder / "docker-compose.yml"
    check = "    healthcheck: {test: [CMD, 'false'], interval: 1s, retries: 1}\n"
    file.write_text(
        file.read_text().replace("container_name: hbot-bot1\n", f"container_name: hbot-bot1\n{check}")
    )
    begun = time.monotonic()
    record = await bench.act("recreate", "bot1")
    assert record.status is ActionStatus.FAILED
    assert time.monotonic() - begun < 60
    [wait] = [step for step in await bench.steps(record.id) if step.title.startswith("wait")]
    assert wait.status is StepStatus.FAILED
    assert wait.note.startswith("not within 4 s: running, ")


@each
async def test_the_replacement_is_the_same_container_with_a_new_image(
    bench: Bench, desk: Desk, compose: str
) -> None:
    """Compose 2 makes ``<id>_<name>`` and renames it, Compose 1 renames the old one: neither is another container."""
    del compose
    await desk.up("bot1")
    begun = datetime.now(UTC)
    desk.set_env("HUMMINGBOT_IMAGE", IMAGES[1])
    record = await bench.act("recreate", "bot1")
    assert record.status is ActionStatus.SUCCEEDED, (record.outcome, await bench.steps(record.id))
    async with open_sources(docker_host=desk.engine.host) as sources:
        now = datetime.now(UTC) + timedelta(seconds=1)
        told = await sources.containers.history(since=begun, until=now)
        port: Any = FakeSources(containers=sources.containers).port  # type: ignore[arg-type] # a real one
        finding = await changes.run(
            CheckContext(
                desk=bench.desk, sources=port, now=now, since=now, bots=("bot1",), containers=("hbot-bot1",)
            )
        )
    assert {event.container for event in told} == {"hbot-bot1"}
    assert f"hbot-bot1 new image {IMAGES[1]} (was {IMAGES[0]})" in finding.headline
    lately = [one["what"] for one in finding.data["changes"] if datetime.fromisoformat(one["at"]) >= begun]
    assert lately == ["image"]


OVER = """\
services:
  bot1: {environment: {LIMITS: night}}
"""


@each
@pytest.mark.parametrize("by_env", [False, True], ids=["compose.files", "COMPOSE_FILE"])
async def test_a_desk_of_several_files_is_acted_on_with_all_of_them(
    desk: Desk, compose: str, tmp_path: Path, *, by_env: bool
) -> None:
    """Named in desk.yaml, or by COMPOSE_FILE of .env: what the second file says is still there afterwards."""
    del compose
    (desk.compose_folder / "limits.yml").write_text(OVER)
    names = ("docker-compose.yml", "limits.yml")
    if by_env:
        desk.env_file.write_text(f"{desk.env_file.read_text()}COMPOSE_FILE={':'.join(names)}\n")
        await desk.up("bot1")
    else:
        await desk.compose("-f", names[0], "-f", names[1], "up", "-d", "bot1")
    called = {"command": tuple(desk.compose_command)}
    for files, fits in (((), by_env), (names, True)):
        chosen = settings(desk.root, desk.compose_command, compose={**called, "files": files})
        place = tmp_path / str(len(files))
        place.mkdir()
        async with (
            agent_apart(chosen, place, docker_host=desk.engine.host) as apart,
            running_bench(chosen, place / "t.db", redis_url=desk.redis_url, agent=apart.address) as bench,
        ):
            if not fits:
                assert "set compose.files to [docker-compose.yml, limits.yml]" in await blocked(
                    bench, "recreate", "bot1"
                )
                continue
            before = (await desk.container("bot1"))["Id"]
            record = await bench.act("recreate", "bot1")
            assert record.status is ActionStatus.SUCCEEDED, (record.outcome, await bench.steps(record.id))
            made = await desk.container("bot1")
            assert made["Id"] != before
            assert "LIMITS=night" in made["Config"]["Env"]


@each
async def test_a_desk_that_is_down_is_not_started_under_another_name(
    bench: Bench, desk: Desk, compose: str
) -> None:
    """Its volumes and networks have the name that .env gives the project; a second desk would begin with none."""
    del compose
    desk.env_file.write_text(f"{desk.env_file.read_text()}COMPOSE_PROJECT_NAME=nightdesk\n")
    assert "Set compose.project to nightdesk" in await blocked(bench, "start_desk", "desk")


LODGER = (
    *("--name", "hbot-lodger", "--network", "hbot-trading"),
    *("--label", "com.docker.compose.project=hbot", "--label", "com.docker.compose.service=lodger"),
    *("--label", "com.docker.compose.oneoff=False", "--label", "com.docker.compose.container-number=1"),
)


@each
@pytest.mark.parametrize("files", [(), ("docker-compose.yml",)], ids=["default file", "-f"])
async def test_a_plan_to_stop_the_desk_foretells_what_runs_on(
    desk: Desk, compose: str, files: tuple[str, ...], tmp_path: Path
) -> None:
    """A service of no file, and one of a profile that is not called: each Compose ends other ones, and says so before."""
    await desk.up("bot1", "bot3", profiles=("test",))
    await desk.engine.docker("run", "-d", *LODGER, "hbot/service:1", "sleep", "300")
    chosen = settings(
        desk.root, desk.compose_command, compose={"command": tuple(desk.compose_command), "files": files}
    )
    async with (
        agent_apart(chosen, tmp_path, docker_host=desk.engine.host) as apart,
        running_bench(chosen, tmp_path / "t.db", redis_url=desk.redis_url, agent=apart.address) as bench,
    ):
        confirmed, prepared = await bench.confirmed("stop_desk", "desk")
        await bench.ended(confirmed.id)
    assert prepared.plan is not None
    foretold = [one for one in prepared.plan.side_effects if "of this project" in one]
    left = await desk.running()
    assert left == ({"bot3", "lodger"} if compose in TWO and files else {"lodger"})
    assert foretold[-1].startswith(", ".join(f"hbot-{name}" for name in sorted(left)))
    assert [one.partition(",")[0] for one in foretold[:-1]] == (
        [] if "bot3" in left else ["takes hbot-bot3 down too"]
    )


@each
async def test_a_desk_without_an_env_file_is_started_and_its_bots_made_anew(
    desk: Desk, compose: str, tmp_path: Path
) -> None:
    """``paths.env: null``: compose is called without one, and nothing of the plan asks for one."""
    del compose
    file = desk.compose_folder / "docker-compose.yml"
    values = dict(line.split("=", 1) for line in desk.env_file.read_text().splitlines() if "=" in line)
    text = file.read_text()
    for key, value in values.items():
        text = text.replace(f": ${{{key}}}", f': "{value}"').replace(f"${{{key}}}", value)
    file.write_text(text)
    desk.env_file.unlink()
    paths = {"compose": desk.compose_folder, "env": None, "data": desk.data, "backups": desk.backups}
    chosen = settings(
        desk.root, desk.compose_command, paths=paths, compose={"command": tuple(desk.compose_command)}
    )
    async with (
        agent_apart(chosen, tmp_path, docker_host=desk.engine.host) as apart,
        running_bench(chosen, tmp_path / "t.db", redis_url=desk.redis_url, agent=apart.address) as bench,
    ):
        started = await bench.act("start_desk", "desk")
        assert started.status is ActionStatus.SUCCEEDED, (started.outcome, await bench.steps(started.id))
        assert "check .env" not in [step.title for step in await bench.steps(started.id)]
        recreated = await bench.act("recreate", "bot1")
        assert recreated.status is ActionStatus.SUCCEEDED, (
            recreated.outcome,
            await bench.steps(recreated.id),
        )
        record = await bench.propose("rollback", "bot1")
        prepared = await bench.engine.prepare(record.handle, {"what": "image"})
        assert "HUMMINGBOT_IMAGE" in prepared.blocked

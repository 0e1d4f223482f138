"""One suite over both ways to the desk: the agent in the bot's process, and the agent behind its socket.

A desk of real containers is looked at both ways, and each action of the catalogue is planned both ways: what a check
finds and what a person is shown must not depend on which one is installed. What the agent keeps to itself is named here.
"""

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from bot.agent.desk_reader import CONTROLLER_KEYS, SHOWN_KEYS
from bot.agent.engine import Engine
from tests.bot.agent.apart import agent_apart
from tests.servers.desk import Desk
from tests.triage.actions.bench import Bench, running_bench, settings
from triage.actions.catalogue import CATALOGUE, targets
from triage.desk_sections.bots import CONFIGURATION
from triage.diagnosis.checks import bytecode, changes, container
from triage.diagnosis.checks.base import CheckContext
from triage.errors import Refused, TriageError
from triage.plans.agent_orders import archive_name
from triage.ports.actions import Agent, DeskAccess, ShownPlan
from triage.ports.sources import HASH_LABEL, PROJECT_LABEL, SERVICE_LABEL, Containers, ContainerState

SNAPSHOT = "bot1_20260220_040000.tar.gz"
CODE = "/home/hummingbot/controllers"
_OWN = re.compile(
    r"\d{8}_\d{6}|\b[0-9a-f]{24}\b|[0-9a-f]{8}-[0-9a-f-]{27}"
    r"|\d+(?:\.\d+)? (?:s|min|GB|MB|GiB|MiB|KiB|bytes)\b|datetime\([^)]*\)"
)
"""What differs between two plans of the same: times, ids, room on the disk."""
TOKEN = "7" * 24


@dataclass(frozen=True)
class Both:
    """The same desk, seen by an agent in this process and by one behind a socket."""

    desk: Desk
    within: Bench
    apart: Bench

    async def answers(self, look: Callable[[Bench], Awaitable[object]]) -> tuple[object, object]:
        """Ask both ways; an error counts by its words."""
        return await _answer(look, self.within), await _answer(look, self.apart)


async def _answer(look: Callable[[Bench], Awaitable[object]], bench: Bench) -> object:
    try:
        return await look(bench)
    except TriageError as error:
        return f"{type(error).__name__}: {error}"


@pytest.fixture
async def both(desk: Desk, tmp_path: Path) -> AsyncIterator[Both]:
    """Run the bots, one service and Redis of the desk."""
    await desk.up("bot1", "bot2", "redis", "grafana")
    chosen = settings(desk.root, desk.compose_command)
    async with (
        agent_apart(chosen, tmp_path, docker_host=desk.engine.host) as agent,
        running_bench(
            chosen, tmp_path / "within.db", docker_host=desk.engine.host, redis_url=desk.redis_url, loop=False
        ) as within,
        running_bench(
            chosen, tmp_path / "apart.db", redis_url=desk.redis_url, agent=agent.address, loop=False
        ) as apart,
    ):
        yield Both(desk, within, apart)


def _told(state: ContainerState) -> dict[str, Any]:
    """Return what is told of a container either way: of its labels Compose's own."""
    labels = {name: value for name, value in state.labels.items() if name.startswith("com.docker.compose.")}
    return {**asdict(state), "labels": labels}


async def _listed(bench: Bench) -> object:
    found = await bench.services.sources.containers.list()
    return sorted((_told(each) for each in found if each.name != "stranger"), key=lambda each: each["name"])


async def _inspected(bench: Bench) -> object:
    found = await bench.services.sources.containers.inspect("hbot-bot1")
    assert found is not None
    assert {PROJECT_LABEL, SERVICE_LABEL, HASH_LABEL} <= set(found.labels)
    return _told(found)


async def _history(bench: Bench) -> object:
    now = datetime.now(UTC)
    found = await bench.services.sources.containers.history(since=now - timedelta(hours=1), until=now)
    assert found
    return [
        (each.container, each.action, each.at, each.image, each.attributes.get(HASH_LABEL))
        for each in found
        # A health check may change between one look and the other.
        if _of_the_desk(each.container) and each.action != "health_status"
    ]


def _of_the_desk(container: str) -> bool:
    """Whether an agent tells of it: other tests on this engine have containers of their own."""
    return container.startswith("hbot-") and not container.startswith("hbot-triage")


async def _first_event(bench: Bench) -> object:
    """Return the first event of the desk's: other tests of this worker start containers on the engine too."""
    ours = {bench.desk.container_of(bot.name) for bot in bench.desk.bots}
    since = datetime.now(UTC) - timedelta(hours=1)
    async with aclosing(bench.services.sources.containers.events(since=since)) as events:  # type: ignore[type-var]
        async for event in events:
            if event.container in ours:
                return event.container, event.action, event.at
    return None


async def _env(bench: Bench) -> object:
    found = await bench.services.access.env.read()
    return {key: value if key in SHOWN_KEYS else bool(value) for key, value in found.items()}


async def _template(bench: Bench) -> object:
    return {key: bool(value) for key, value in (await bench.services.access.env.template()).items()}


async def _controllers(bench: Bench) -> object:
    return [
        (
            each.file,
            {key: value for key, value in each.values.items() if key in CONTROLLER_KEYS},
            each.problem,
        )
        for each in await bench.services.access.controllers.read("bot1")
    ]


def _containers(ask: Callable[[Containers], Awaitable[object]]) -> Callable[[Bench], Awaitable[object]]:
    return lambda bench: ask(bench.services.sources.containers)


def _hands(ask: Callable[[DeskAccess], Awaitable[object]]) -> Callable[[Bench], Awaitable[object]]:
    return lambda bench: ask(bench.services.access)


LOOKS: Mapping[str, tuple[Callable[[Bench], Awaitable[object]], ...]] = {
    "containers.list": (_listed,),
    "containers.inspect": (_inspected, _containers(lambda port: port.inspect("nobody"))),
    "containers.files": (
        _containers(lambda port: port.files("hbot-bot1", CODE)),
        _containers(lambda port: port.files("hbot-bot1", CONFIGURATION)),
    ),
    "containers.last_lines": (
        _containers(lambda port: port.last_lines("hbot-bot1", since=datetime.now(UTC) - timedelta(hours=1))),
    ),
    "containers.history": (_history,),
    "containers.events": (_first_event,),
    "containers.ready": (_containers(lambda port: port.ready()),),
    "snapshots.list": (
        _hands(lambda access: access.snapshots.list("bot1")),
        _hands(lambda access: access.snapshots.list("bot3")),
    ),
    "snapshots.checksum": (
        _hands(lambda access: access.snapshots.checksum(SNAPSHOT)),
        _hands(lambda access: access.snapshots.checksum("bot1_20200101_000000.tar.gz")),
    ),
    "snapshots.room_to_take": (_hands(lambda access: _needed(access.snapshots.room_to_take("bot1"))),),
    "snapshots.room_to_extract": (
        _hands(lambda access: _needed(access.snapshots.room_to_extract(SNAPSHOT))),
    ),
    "snapshots.differences": (
        _hands(lambda access: access.snapshots.differences("bot1", SNAPSHOT)),
        _hands(lambda access: access.snapshots.differences("bot1", "bot1_20200101_000000.tar.gz")),
    ),
    "snapshots.why_not_swap": (_hands(lambda access: access.snapshots.why_not_swap("bot1")),),
    "snapshots.swapped": (_hands(lambda access: access.snapshots.swapped("bot1", TOKEN)),),
    "env.read": (_env,),
    "env.template": (_template,),
    "controllers.read": (_controllers,),
    "images.list": (
        _hands(lambda access: access.images.list("hbot/hummingbot")),
        _hands(lambda access: access.images.list("hbot/redis")),
        _hands(lambda access: access.images.list("hbot/service")),
    ),
    "project.hashes": (
        _hands(lambda access: access.project.hashes(external=True)),
        _hands(lambda access: access.project.hashes(external=False)),
    ),
    "project.images": (
        _hands(lambda hands: hands.project.images(external=True)),
        _hands(lambda hands: hands.project.images(external=False)),
    ),
    "project.name": (_hands(lambda access: access.project.name()),),
    "project.taken_down": (_hands(lambda access: access.project.taken_down()),),
    "project.rehearsed": (
        _hands(lambda hands: hands.project.rehearsed(external=True)),
        _hands(lambda hands: hands.project.rehearsed(external=False)),
    ),
}
"""Every question that is asked of the desk, each at least once."""


async def _needed(room: Awaitable[Any]) -> int:
    """Return what is needed; what is free changes while one looks."""
    needed: int = (await room).needed
    return needed


def methods_of(port: type) -> set[str]:
    """Return the public methods of a port."""
    return {name for name, _ in inspect.getmembers(port, inspect.isfunction) if not name.startswith("_")}


def test_the_suite_asks_every_question_that_there_is() -> None:
    """A look that joins a port joins this suite; the agent's own steps are tried below."""
    ports: dict[str, type] = {**get_type_hints(DeskAccess), "containers": Containers}
    assert set(ports) == {each.name for each in fields(DeskAccess)} | {"containers"}
    asked = {
        f"{name}.{method}" for name, port in ports.items() if port is not Agent for method in methods_of(port)
    }
    assert set(LOOKS) == asked


async def test_every_look_at_the_desk_answers_the_same_both_ways(both: Both) -> None:
    """What an agent apart does not tell is neither asked for by a check nor needed for a plan (see the other tests)."""
    words = ("--network", "none", "--name", "stranger", "hbot/service:1", "sleep", "300")
    await both.desk.engine.docker("run", "-d", *words)
    for name, looks in LOOKS.items():
        for number, look in enumerate(looks):
            within, apart = await both.answers(look)
            assert within == apart, (name, number)
    await both.desk.engine.docker("rm", "-f", "stranger")
    await _left_by_a_cut_short_replacement(both)


async def _left_by_a_cut_short_replacement(both: Both) -> None:
    """Check that a bot whose container kept the name of a half-made replacement is asked about as before."""
    asked = ("containers.files", "containers.last_lines")
    looks = [look for name in asked for look in LOOKS[name]]
    before = [(await both.answers(look))[0] for look in looks]
    await both.desk.engine.docker("rename", "hbot-bot1", "0123456789ab_hbot-bot1")
    for look, answer in zip(looks, before, strict=True):
        within, apart = await both.answers(look)
        assert "Rejected" not in str(within)
        assert within == apart == answer
    done = await Engine(both.desk.engine.host).exec("hbot-bot1", ["true"])
    assert done.exit_code == 0


async def test_the_checks_that_ask_docker_find_the_same_both_ways(both: Both) -> None:
    """What they find is compared whole, but for containers that are not the desk's."""
    both.desk.write_controller("# release 2\n")
    (both.desk.data / "bot1/conf/controllers/epp_v2_4_bot1.yml").touch()
    now = datetime.now(UTC)
    for check in (bytecode, changes, container):
        # The engine remembers 256 events, those of earlier tests too, and may forget some between the two looks.
        for _ in range(3):
            within = await check.run(_context(both.within, now))
            apart = await check.run(_context(both.apart, now))
            if _known(within.data) == _known(apart.data):
                break
        assert _known(within.data) == _known(apart.data), check.NAME
        assert within.status is apart.status, check.NAME
        assert apart.status.value != "unknown", apart.why


def _context(bench: Bench, now: datetime) -> CheckContext:
    return CheckContext(
        desk=bench.desk,
        sources=bench.services.sources,
        now=now,
        since=now,
        bots=("bot1",),
        containers=("hbot-bot1",),
    )


def _known(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a finding's data without what the engine remembers of other people's containers."""
    changed = [each for each in data.get("changes", ()) if _of_the_desk(each["container"])]
    return {**data, "changes": changed}


async def test_every_action_is_planned_the_same_both_ways(both: Both) -> None:
    """Steps, conditions, choices and what stands in the way are the same."""
    for kind, action in CATALOGUE.items():
        target = targets(both.within.desk, action.target_kind)[0]
        within, apart = await _planned(both.within, kind, target), await _planned(both.apart, kind, target)
        assert within == apart, kind
        assert "agent" not in apart, "no look was missing"


async def _planned(bench: Bench, kind: str, target: str) -> str:
    try:
        record = await bench.propose(kind, target)
    except Refused as error:
        return str(error)
    prepared = await bench.engine.prepare(record.handle)
    steps = [(step.title, step.op) for step in prepared.plan.steps] if prepared.plan else []
    parts = (steps, prepared.preconditions, prepared.choices, prepared.blocked)
    return _OWN.sub("#", "\n".join(str(part) for part in parts))


async def test_every_step_ends_the_same_both_ways(both: Both) -> None:
    """Rollback, image, switch, caches, nightly snapshot, audit anchor: the same words come back, refusals too."""
    told: list[list[object]] = []
    for bench, stamp in ((both.within, "20260301_000000"), (both.apart, "20260301_000001")):
        told.append([_OWN.sub("#", str(each)) for each in await _worked(bench, stamp)])
    assert told[0] == told[1]


async def _worked(bench: Bench, stamp: str) -> list[object]:
    """Carry out one action of each kind that leaves the desk as it was, and what is refused."""
    agent, found = bench.services.access.agent, list[object]()

    async def step(what: Callable[[], Awaitable[object]]) -> None:
        try:
            found.append(await what())
        except Refused as error:
            found.append(str(error))

    for number, (kind, target) in enumerate(
        [("clear_cache", "bot1"), ("restart", "bot2"), ("rollback", "bot1")]
    ):
        record = await bench.propose(kind, target)
        prepared = await bench.engine.prepare(record.handle)
        assert prepared.plan is not None, prepared.blocked
        token = f"{number}" * 24
        await step(
            lambda token=token, kind=kind, target=target, plan=prepared.plan: agent.confirm(  # type: ignore[misc]
                ShownPlan(
                    token=token,
                    kind=kind,
                    target=target,
                    orders=plan.orders,
                    rest=plan.rest,
                    actor="U0ANA00001",
                    reason="because",
                )
            )
        )
        for place, _ in prepared.plan.orders:
            performed = await agent.perform(token, place, lambda _: None)
            found.append((performed.ok, performed.note, performed.known))
            await step(lambda token=token, place=place: agent.perform(token, place, lambda _: None))  # type: ignore[misc]
        await step(lambda token=token: agent.end(token))  # type: ignore[misc]
        await step(lambda token=token: agent.tidy(token))  # type: ignore[misc]
    await step(lambda: agent.anchor(3, "a" * 64))
    await step(lambda: agent.anchor(2, "a" * 64))
    kept = await agent.keep_snapshot("bot2")
    found.append((kept.name, len(kept.sha256), kept.removed))
    await step(lambda: agent.keep_snapshot("bot2"))
    await step(lambda: agent.keep_snapshot("bot9"))
    found.append(archive_name("bot1", stamp, before_rollback=False))
    return found

"""degraded_mode killed with SIGKILL at step boundaries, in a campaign at every one; Redis hangs or takes no writes."""

from pathlib import Path

import pytest

from bot.store import open_store
from tests.crash.scene import LONG, Crashes, aftermath
from tests.servers.desk import Desk
from tests.servers.process import eventually
from triage.actions.degraded import degraded

ORDER = ("signal-service", "risk-service", "coordination-service", "redis")
BOTS = ("bot1", "bot2")
UP = len(ORDER) + 1
EVERY = [
    ("between", 0),
    *((moment, number) for number in range(1, UP + 1) for moment in ("before", "after")),
    *(("between", number) for number in range(1, UP)),
    ("during", 1),
]
TELLING = [
    ("between", 0),
    ("before", 1),
    ("during", 1),
    ("after", 1),
    ("between", 2),
    ("before", len(ORDER)),
    ("after", len(ORDER)),
    ("between", len(ORDER)),
    ("after", UP),
]
"""One of each kind, and each at the stop of Redis; a campaign takes every one."""
MOMENTS = EVERY if LONG else TELLING


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(3))
async def test_degraded_mode_stops_in_order_or_not_at_all_and_never_touches_a_bot(
    desk: Desk, crashes: Crashes, tmp_path: Path, part: int
) -> None:
    """At every moment: what is stopped is the beginning of the order, the bots run on, and the way out is offered."""
    await desk.up(*BOTS, *ORDER)
    bots = {name: (await desk.container(name))["Id"] for name in BOTS}
    for turn, (moment, number) in enumerate(MOMENTS[part::3]):
        await desk.up(*BOTS, *ORDER)
        await _trouble(desk, hangs=turn == 0)
        database, where = tmp_path / f"{turn}.db", f"{moment} {number}"
        await crashes.at(
            desk,
            database,
            "degraded_mode",
            "desk",
            moment=moment,
            number=number,
            redis_url=desk.redis_url,
        )
        found = await aftermath(desk, database, redis_url=desk.redis_url)
        assert found.begun == number, f"{where}: {found.record.outcome}"
        running = await desk.running()
        left = [name for name in ORDER if name in running]
        assert left == list(ORDER[len(ORDER) - len(left) :]), f"{where}: stopped in order"
        stopped = number if moment in {"after", "between"} else number - 1
        if moment != "during":
            assert len(left) == max(0, len(ORDER) - min(stopped, len(ORDER))), where
        assert {name: (await desk.container(name))["Id"] for name in bots} == bots, where
        await _says_so(database, found.offered, begun=number > 0 or moment == "between", where=where)
        if "redis" in left:
            await _well_again(desk, hung=turn == 0)


async def _trouble(desk: Desk, *, hangs: bool) -> None:
    """Let Redis hang, which takes every question its whole deadline, or take no writes any more."""
    if hangs:
        await desk.engine.docker("pause", "hbot-redis")
    else:
        await desk.engine.docker("exec", "hbot-redis", "redis-cli", "replicaof", "127.0.0.1", "1")


async def _well_again(desk: Desk, *, hung: bool) -> None:
    """Let Redis go on, and wait until its health check has noticed."""
    if not hung:
        await desk.engine.docker("exec", "hbot-redis", "redis-cli", "replicaof", "no", "one")
        return

    async def healthy() -> bool:
        return bool((await desk.container("redis"))["State"]["Health"]["Status"] == "healthy")

    await desk.engine.docker("unpause", "hbot-redis")
    await eventually(healthy, "health of Redis", within=30)


async def _says_so(database: Path, offered: set[str], *, begun: bool, where: str) -> None:
    """The banner stands as "may be on", and the way out is a button, whenever something may have been stopped."""
    async with open_store(f"sqlite:///{database}") as store:
        state = await store.read(degraded)
    if begun and where != "between 0":
        assert state is not None, where
        assert not state.sure, where
        assert "exit_degraded_mode" in offered, where
    else:
        assert state is None, where

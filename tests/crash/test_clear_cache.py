"""clear_cache killed with SIGKILL at every step boundary, on a real Docker Engine."""

from pathlib import Path

import pytest

from tests.crash.scene import Crashes, aftermath
from tests.servers.desk import Desk

STEPS = 3
MOMENTS = [
    ("between", 0),
    *((moment, number) for number in range(1, STEPS + 1) for moment in ("before", "after")),
    ("between", 1),
    ("between", 2),
    ("during", 2),  # the last: a compose that was cut off may recreate the container of the next turn yet
]


@pytest.mark.timeout(400)
async def test_clear_cache_leaves_the_old_or_the_new_container_and_is_never_run_again(
    desk: Desk, crashes: Crashes, tmp_path: Path
) -> None:
    """At every boundary: unknown, told, one container of the bot at the most, and nothing done by the next process."""
    await desk.up("bot1", "grafana")
    grafana = (await desk.container("grafana"))["Id"]
    for turn, (moment, number) in enumerate(MOMENTS):
        await desk.up("bot1")
        before = (await desk.container("bot1"))["Id"]
        database = tmp_path / f"{turn}.db"
        await crashes.at(desk, database, "clear_cache", "bot1", moment=moment, number=number)
        left = await _containers(desk)
        found = await aftermath(desk, database)
        where = f"{moment} {number}: {found.record.outcome}"
        assert found.begun == number, where
        if moment != "during":  # a compose that was cut off may still have been working when we looked first
            assert await _containers(desk) == left, f"the next process must do nothing ({where})"
        if number < 2 or (moment, number) == ("before", 2):
            assert left == [before], f"nothing was recreated yet ({where})"
        assert (await desk.container("grafana"))["Id"] == grafana, where


async def _containers(desk: Desk) -> list[str]:
    listed = await desk.engine.docker(
        "ps", "-a", "--no-trunc", "--filter", "name=bot1", "--format", "{{.ID}}"
    )
    return sorted(listed.split())

"""Gives a new world two days of history: minutes, fills, logs and events, made by the same simulation.

``python -m demo.desk.past ROOT NOW`` makes it in a process of its own and writes it, pickled, to stdout.
"""

import asyncio
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from demo.desk import artifacts
from demo.desk.metrics_infra import pages
from demo.desk.world import World
from demo.desk.world_state import MINUTE

PAST_HOURS = 48
HOUR = 3_600
LAYOUT_CHANGED_HOURS = 24


EachMinute = Callable[[World], None]
"""Called with the world after each minute of its past, e.g. to scrape it."""


def world_with_past(
    root: Path, *, now: float, seed: int = 7, hours: float = PAST_HOURS, each_minute: EachMinute | None = None
) -> World:
    """Build a desk below ``root`` that has run for ``hours`` up to ``now`` (Unix seconds).

    The first half of the minutes is written in the 33-column layout, then the writers of bot1 and bot3
    change theirs and set the file aside. Lines of the past reach the log sinks with the next ``flush``.
    ``each_minute`` is called after every minute.
    """
    world = World(root, start=now - hours * HOUR, seed=seed)
    world.up()
    world.remembering = world.older_writer = True
    newer = min(LAYOUT_CHANGED_HOURS, hours / 2) * HOUR
    _advance(world, hours * HOUR - newer, each_minute)
    world.artifacts.flush()
    for name in artifacts.LATER_LAYOUT:
        bot = world.bots[name]
        artifacts.rotate(world.layout.artifacts(name, bot.variant), world.clock.now())
    world.older_writer = False
    _advance(world, newer, each_minute)
    world.artifacts.flush()
    world.remembering = False
    return world


def _advance(world: World, seconds: float, each_minute: EachMinute | None) -> None:
    while seconds > 0:
        part = min(MINUTE, seconds) if each_minute is not None else seconds
        world.advance(part, MINUTE)
        seconds -= part
        if each_minute is not None:
            each_minute(world)


@dataclass(slots=True)
class Past:
    """Called each minute: keeps what Prometheus would have scraped where it will be asked for.

    That is the last half hour minute by minute, and the hours of yesterday that "as a day ago" looks at.
    """

    now: float
    pages: list[tuple[float, dict[str, str]]] = field(default_factory=list)
    minute: int = 0

    def __call__(self, world: World) -> None:
        """Look at the world, once a minute."""
        ago = self.now - world.clock.now()
        self.minute += 1
        yesterday = 22 * HOUR <= ago <= 24 * HOUR and self.minute % 4 == 0
        if yesterday or ago <= HOUR / 2:
            self.pages.append((world.clock.now(), {job: page() for job, page in pages(world).items()}))


def desk_with_past(root: Path, now: float) -> tuple[World, Past]:
    """Build a desk with its past, and what its Prometheus scraped of it."""
    past = Past(now)
    return world_with_past(root, now=now, each_minute=past), past


async def desk_with_past_apart(root: Path, now: float) -> tuple[World, Past]:
    """As ``desk_with_past``, in a child process: the caller has its own imports to do meanwhile."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo.desk.past", str(root), repr(now)),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the parent, which ends it
    )
    try:
        made, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise OSError(f"the desk could not be set up below {root} (exit {child.returncode})")
    world, past = pickle.loads(made)  # noqa: S301 - written by our own child, a moment ago
    return world, past


if __name__ == "__main__":
    # Under its own name, so that what is pickled can be found again.
    from demo.desk.past import desk_with_past as make

    sys.stdout.buffer.write(pickle.dumps(make(Path(sys.argv[1]), float(sys.argv[2]))))

"""Gives a new world a past: two days of minutes, fills, logs and events, made by the same cause and effect."""

from collections.abc import Callable
from pathlib import Path

from demo.desk import artifacts
from demo.desk.world import MINUTE, World

PAST_HOURS = 48
HOUR = 3_600
LAYOUT_CHANGED_HOURS = 24


Witness = Callable[[World], None]
"""Looks at the world as its past goes by, e.g. to scrape it."""


def world_with_past(
    root: Path, *, now: float, seed: int = 7, hours: float = PAST_HOURS, witness: Witness | None = None
) -> World:
    """Build a desk below ``root`` that has run for ``hours`` up to ``now`` (Unix seconds).

    The first half of the minutes is written in the 33-column layout, then the writers of bot1 and bot3
    change theirs and set the file aside. Lines of the past reach the log sinks with the next ``flush``.
    ``witness`` is called after every minute.
    """
    world = World(root, start=now - hours * HOUR, seed=seed)
    world.up()
    world.remembering = world.older_writer = True
    newer = min(LAYOUT_CHANGED_HOURS, hours / 2) * HOUR
    _advance(world, hours * HOUR - newer, witness)
    world.artifacts.flush()
    for name in artifacts.LATER_LAYOUT:
        bot = world.bots[name]
        artifacts.rotate(world.layout.artifacts(name, bot.variant), world.clock.now())
    world.older_writer = False
    _advance(world, newer, witness)
    world.artifacts.flush()
    world.remembering = False
    return world


def _advance(world: World, seconds: float, witness: Witness | None) -> None:
    while seconds > 0:
        part = min(MINUTE, seconds) if witness is not None else seconds
        world.advance(part, MINUTE)
        seconds -= part
        if witness is not None:
            witness(world)

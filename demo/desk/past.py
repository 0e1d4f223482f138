"""Gives a new world a past: two days of minutes, fills, logs and events, made by the same cause and effect."""

from pathlib import Path

from demo.desk import artifacts
from demo.desk.world import MINUTE, World

PAST_HOURS = 48
HOUR = 3_600
LAYOUT_CHANGED_HOURS = 24


def world_with_past(root: Path, *, now: float, seed: int = 7, hours: float = PAST_HOURS) -> World:
    """Build a desk below ``root`` that has run for ``hours`` up to ``now`` (Unix seconds).

    The first half of the minutes is written in the 33-column layout, then the writers of bot1 and bot3
    change theirs and set the file aside. Lines of the past reach the log sinks with the next ``flush``.
    """
    world = World(root, start=now - hours * HOUR, seed=seed)
    world.up()
    world.remembering = world.older_writer = True
    newer = min(LAYOUT_CHANGED_HOURS, hours / 2) * HOUR
    world.advance(hours * HOUR - newer, MINUTE)
    world.artifacts.flush()
    for name in artifacts.LATER_LAYOUT:
        bot = world.bots[name]
        artifacts.rotate(world.layout.artifacts(name, bot.variant), world.clock.now())
    world.older_writer = False
    world.advance(newer, MINUTE)
    world.artifacts.flush()
    world.remembering = False
    return world

"""Containers of which the engine's entry cannot be read, as the agent tells of them."""

from typing import Any, cast

from bot.agent.desk_reader import DeskReader
from tests.fakes.sources import FakeContainers, container
from triage.desk import Desk
from triage.ports.sources import unread_container


async def test_an_entry_that_may_be_the_desk_s_is_told_and_nobody_else_s_is_named() -> None:
    """Without a name it may be; one that has a name of somebody else's is left out, as all of theirs."""
    engine = FakeContainers()
    engine.entries = [
        container("hbot-bot1"),
        unread_container(),
        unread_container("hbot-bot2"),
        unread_container("stranger"),
    ]
    nothing = cast("Any", None)
    reader = DeskReader(
        desk=Desk(),
        engine=cast("Any", engine),
        snapshots=nothing,
        env=nothing,
        controllers=nothing,
        project=nothing,
    )
    found = await reader.containers()
    assert [(one.name, one.unread) for one in found] == [
        ("hbot-bot1", False),
        ("", True),
        ("hbot-bot2", True),
    ]

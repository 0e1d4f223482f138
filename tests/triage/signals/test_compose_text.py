"""Whose part of a Compose file changed: by the service's own text and what its aliases stand for."""

import pytest

from triage.signals.compose_text import REST, service_blocks

FILE = """
name: hbot
x-bot: &bot
  image: ${HUMMINGBOT_IMAGE}
  mem_limit: 1g
services:
  bot1:
    <<: *bot
    environment: &environment
      EXT: ${EXT:-false}
  bot2:  # monitors
    <<: *bot
    environment: *environment
  redis:
    image: redis:7.2
networks:
  inner:
"""


@pytest.mark.parametrize(
    ("old", "new", "whose"),
    [
        ("redis:7.2", "redis:7.4", ["redis"]),
        ("mem_limit: 1g", "mem_limit: 2g", ["bot1", "bot2"]),
        ("EXT:-false", "EXT:-true", ["bot1", "bot2"]),
        ("  inner:", "  outer:", [REST]),
        ("# monitors", "# watches", ["bot2"]),
        ("name: hbot", "name: hbot  ", []),
        ("  redis:\n", "  # the bus\n\n  redis:\n", []),
    ],
)
def test_a_change_is_of_those_whose_text_it_changes(old: str, new: str, whose: list[str]) -> None:
    """An anchor's change is one of all that refer to it; comments on lines of their own are none."""
    before, after = service_blocks(FILE), service_blocks(FILE.replace(old, new, 1))
    assert [name for name in after if before.get(name) != after[name]] == whose


def test_a_file_without_blocks_is_one_piece() -> None:
    """Nothing is guessed of it."""
    assert list(service_blocks("services: {bot1: {image: a}}")) == [REST]
    assert service_blocks("") == {}

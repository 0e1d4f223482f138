"""Hummingbot's client configuration of each bot: ``data/<bot>/conf/conf_client.yml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from bot.careful_yaml import MOST_BYTES, load_mapping
from bot.watched_files import read_watched
from bot.watched_reads import FOLDERS
from triage.errors import DeskFailure
from triage.model import Json

NAME = "conf_client.yml"


class DeskClientConfigs:
    """Implements ``triage.ports.checklists.ClientConfigs`` for ``data``."""

    def __init__(self, data: Path) -> None:
        self._data = data

    async def read(self, bot: str) -> Mapping[str, Json]:
        """Return the whole of a bot's client configuration. Raises DeskFailure where it cannot be read."""
        return await FOLDERS.read(lambda: self._read(bot), f"{NAME} of {bot}")

    def _read(self, bot: str) -> Mapping[str, Json]:
        try:
            content = read_watched(self._data / bot, f"conf/{NAME}", most_bytes=MOST_BYTES)
        except FileNotFoundError:
            raise DeskFailure(
                f"conf/{NAME} of {bot} is not there; paths.data in desk.yaml names the folder of the bots"
            ) from None
        return cast("Mapping[str, Json]", load_mapping(content, NAME))

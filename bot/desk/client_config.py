"""Hummingbot's client configuration of each bot: ``data/<bot>/conf/conf_client.yml``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from triage.errors import DeskFailure
from triage.model import Json

NAME = "conf_client.yml"
MOST_BYTES = 1024 * 1024


class DeskClientConfigs:
    """Implements ``triage.ports.checklists.ClientConfigs`` for ``data``."""

    def __init__(self, data: Path) -> None:
        self._data = data

    async def read(self, bot: str) -> Mapping[str, Json]:
        """Return the whole of a bot's client configuration. Raises DeskFailure where it cannot be read."""
        return await asyncio.to_thread(self._read, bot)

    def _read(self, bot: str) -> Mapping[str, Json]:
        path = self._data / bot / "conf" / NAME
        try:
            with path.open("rb") as file:
                text = file.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                raise DeskFailure(f"{path} is larger than {MOST_BYTES // 1024} KiB")
            values = YAML(typ="safe", pure=True).load(text.decode("utf-8"))
        except OSError as error:
            raise DeskFailure(
                f"{path} cannot be read ({error.strerror}); paths.data in desk.yaml names the folder of the bots"
            ) from error
        except (YAMLError, ValueError) as error:
            raise DeskFailure(f"{path} is no YAML: {' '.join(str(error).split())}") from error
        if not isinstance(values, dict):
            raise DeskFailure(f"{path} holds no settings")
        return values

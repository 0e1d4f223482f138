"""What compose says of the project on disk, without touching anything."""

from __future__ import annotations

from bot.desk.commands import HostCommands
from triage.actions.compose import compose_words
from triage.desk import Desk
from triage.errors import DeskFailure

_SECONDS = 20.0


class DeskProject:
    """Implements ``triage.ports.actions.Project``."""

    def __init__(self, desk: Desk, commands: HostCommands) -> None:
        self._desk, self._commands = desk, commands

    async def hashes(self, *, external: bool) -> dict[str, str]:
        """Return each service's configuration hash, as compose writes it on what it makes."""
        words = compose_words(self._desk, "config", "--hash", "*", external=external)
        folder = str(self._desk.paths.compose)
        result = await self._commands.run(words, folder=folder, timeout_seconds=_SECONDS)
        if result.exit_code != 0:
            raise DeskFailure("compose does not tell its configuration (config --hash)")
        pairs = (line.split() for line in result.output.splitlines())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # noqa: PLR2004 - a service and its hash

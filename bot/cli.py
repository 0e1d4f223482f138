"""``hbot-triage``: where each of its processes begins."""

from __future__ import annotations

import os
import resource
import sys

_INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended, as a shell has it."""


def main() -> None:
    """Run the command line. What it writes is its own user's: the database holds what people said.

    A crash leaves no dump of its memory, which holds every secret of the settings.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.argv[1:] == ["run"]:
        sys.exit(_service())
    from bot.command_line.table import app  # noqa: PLC0415 - the service does without it

    app()


def _service() -> int:
    """Run the service, which stays for good, without the parser of all the other commands: 2 MB, a fifth of its start."""
    try:
        from bot.service import main as run  # noqa: PLC0415 - only this command pays for it

        return run()
    except KeyboardInterrupt:  # before its loop takes signals
        return _INTERRUPTED


if __name__ == "__main__":
    main()

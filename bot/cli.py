"""``hbot-triage``: where each of its processes begins."""

from __future__ import annotations

import os
import resource
import sys


def main() -> None:
    """Run the command line. What it writes is its own user's: the database holds what people said.

    A crash leaves no dump of its memory, which holds every secret of the settings.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.argv[1:] == ["run"]:
        # For good, so without the parser of all the other commands: 3 MB, and a tenth of a second.
        from bot.service import main as run  # noqa: PLC0415 - only this command pays for it

        sys.exit(run())
    from bot.command_line.table import app  # noqa: PLC0415 - the service does without it

    app()


if __name__ == "__main__":
    main()

"""``hbot-triage``: where each of its processes begins."""

from __future__ import annotations

import os
import resource
import sys
from importlib.util import cache_from_source
from pathlib import Path

WITHOUT_DOCSTRINGS = ("-OO", "-X", "no_debug_ranges")
"""Python's own options for a smaller process: no docstrings and no asserts, and no columns in tracebacks. 6 of 105 MB."""
_INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended, as a shell has it."""


def main() -> None:
    """Run the command line. What it writes is its own user's: the database holds what people said.

    A crash leaves no dump of its memory, which holds every secret of the settings.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.argv[1:] == ["run"]:
        _start_without_docstrings()
        sys.exit(_service())
    from bot.command_line.table import app  # noqa: PLC0415 - the service does without it

    app()


def _start_without_docstrings() -> None:
    """Begin anew with ``WITHOUT_DOCSTRINGS``, which costs 0.03 s, where the bytecode for it was compiled.

    The Dockerfile does that. Else every start would compile 1,600 files. Only the service begins so: the other
    commands' help is docstrings.
    """
    ours, pythons = Path(__file__).with_name("app.py"), Path(os.__file__).with_name("subprocess.py")
    compiled = all(Path(cache_from_source(str(file), optimization=2)).exists() for file in (ours, pythons))
    # A process that calls this for its own reasons, such as a test, began with other words and goes on.
    ourselves = sys.orig_argv[-1:] == ["run"]
    if compiled and ourselves and not sys.flags.optimize:
        os.execv(sys.executable, [sys.executable, *WITHOUT_DOCSTRINGS, *sys.orig_argv[1:]])  # noqa: S606 - itself, no shell


def _service() -> int:
    """Run the service, which stays for good, without the parser of all the other commands: 2 MB, a fifth of its start."""
    try:
        from bot.service import main as run  # noqa: PLC0415 - only this command pays for it

        return run()
    except KeyboardInterrupt:  # before its loop takes signals
        return _INTERRUPTED


if __name__ == "__main__":
    main()

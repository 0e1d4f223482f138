"""``python -m bot.sources.minute_csv``: reads and measures bots in a process of its own.

So neither the memory nor the interpreter lock of the service is touched. In: one JSON object on standard
input, see ``protocol``. Out: for each bot a line ``R`` with its report, then, where asked for, one ``P`` with
the bot's name and, behind a tab, its picture's data; or a line ``E`` with what went wrong. The one argument,
if any, is how nice to be to the other processes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.sources.minute_csv.child_protocol import end_at_once
from bot.sources.minute_csv.measure import measure
from bot.sources.minute_csv.protocol import Request
from triage.kpis.model import as_json
from triage.kpis.picture import packed_picture

if TYPE_CHECKING:
    from collections.abc import Iterator


class OverdueError(Exception):
    """A bot's files took too long."""


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise OverdueError in the body where it takes longer."""

    def over(_number: int, _frame: object) -> None:
        raise OverdueError(f"its files were not read within {seconds:g} s")

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def answers(request: Request) -> Iterator[tuple[str, str]]:
    """Yield the lines of the answer as (kind, text)."""
    for ask in request.bots:
        try:
            with _within(request.bot_seconds):
                report, picture = measure(request, ask)
        except Exception as error:  # noqa: BLE001 - one bot's files must not cost the others their figures
            traceback.print_exc()
            yield "E", json.dumps({"bot": ask.name, "error": f"{type(error).__name__}: {error}"})
            continue
        yield "R", json.dumps(as_json(report))
        if picture is not None:
            yield "P", f"{json.dumps(ask.name)}\t{json.dumps(packed_picture(picture))}"


def main() -> int:
    """Answer one request; returns 0."""
    os.nice(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    request = Request.from_json(json.load(sys.stdin))
    for kind, body in answers(request):
        print(kind, body, flush=True)  # noqa: T201 - standard output is this program's answer
    return 0


if __name__ == "__main__":
    end_at_once(main())

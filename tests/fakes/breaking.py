"""Coroutines that are broken off at one of their awaits."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")

CANCELLED = asyncio.CancelledError()
"""Something that was waited for was cancelled; nobody told the code that waits to stop."""
FAULTS: tuple[BaseException, ...] = (
    ValueError("broken"),
    MemoryError(),
    RecursionError("too deep"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no text"),
    OverflowError("date value out of range"),
    TimeoutError(),
    ExceptionGroup("two at once", [ValueError("one"), OSError("two")]),
    CANCELLED,
)
"""What a piece of code may fail by."""


@dataclass
class Break:
    """Raises ``fault`` in place of the answer to the await with this number, of those where a coroutine waits.

    What was waited for goes on by itself, as a commit does whose answer is lost. ``stop`` is called there instead,
    where it is given. ``met``: whether it came so far.
    """

    at: int
    fault: BaseException
    stop: Callable[[], object] | None = None
    met: bool = False

    @coroutine
    def into(self, work: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
        """Run a coroutine, and break it off."""
        waits, error = 0, None
        while True:
            try:
                waited_for = work.send(None) if error is None else work.throw(error)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            waits, error = waits + 1, None
            if waits == self.at:
                self.met = True
                if self.stop is None:
                    error = self.fault
                    continue
                self.stop()
            try:
                yield waited_for
            except BaseException as stop:  # noqa: BLE001 - handed on
                error = stop

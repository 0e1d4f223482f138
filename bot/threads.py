"""Work on the desk's files that changes something: on a thread of its own, told where nobody waits for it any more.

A disk that hangs holds up neither who gives up, nor other threads' work, nor the end of the process: threads of a pool
are few, shared by all that thinks, and waited for at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar, cast

from loguru import logger

T = TypeVar("T")
Going = Callable[[], None]
"""Called between the parts of work; raises where whoever asked for it is gone."""
END_SECONDS = 10.0
"""How long work may take to notice that it shall end. It looks after each piece of a file that it reads or writes."""


class _Stopped(Exception):
    """The one who asked is gone."""


async def stoppable(work: Callable[[Going], T], what: str, *, end_seconds: float | None = None) -> T:
    """Run work and return its answer. When the caller is cancelled, the work is told so and waited for.

    Work that does not notice in ``end_seconds`` (``END_SECONDS``) is left behind: it hangs, and ends at the next part
    that it gets to.
    """
    stop = threading.Event()

    def going() -> None:
        if stop.is_set():
            raise _Stopped

    working = on_a_thread(lambda: work(going), "desk files")
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        stop.set()
        working.add_done_callback(_seen)  # the caller is told of the cancelling
        _, hanging = await asyncio.wait(
            [working], timeout=END_SECONDS if end_seconds is None else end_seconds
        )
        if hanging:
            logger.error("{what} hangs and was given up: does the disk answer?", what=what)
        raise


def _seen(working: asyncio.Future[T]) -> None:
    if not working.cancelled():
        working.exception()


def on_a_thread(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Start work on a daemon thread of that name; gives its answer, or what it raised, to the loop that asked."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        result: T | None = None
        fault: BaseException | None = None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed to who waits, whatever it is
            fault = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(_hand_over, done, result, fault)

    threading.Thread(target=run, daemon=True, name=name).start()
    return done


def _hand_over(done: asyncio.Future[T], result: T | None, fault: BaseException | None) -> None:
    """Give a thread's result to who waits for it, if anybody still does."""
    if done.done():
        return
    if fault is not None:
        done.set_exception(fault)
    else:
        done.set_result(cast("T", result))  # no fault: it is what the work returned

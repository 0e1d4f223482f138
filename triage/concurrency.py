"""Several questions at the same time, several items one after the other, and what becomes of their errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from loguru import logger

from triage.errors import SourceError, StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


@overload
async def together(one: Coroutine[Any, Any, A], two: Coroutine[Any, Any, B], /) -> tuple[A, B]: ...
@overload
async def together(
    one: Coroutine[Any, Any, A], two: Coroutine[Any, Any, B], three: Coroutine[Any, Any, C], /
) -> tuple[A, B, C]: ...
@overload
async def together(
    one: Coroutine[Any, Any, A],
    two: Coroutine[Any, Any, B],
    three: Coroutine[Any, Any, C],
    four: Coroutine[Any, Any, D],
    /,
) -> tuple[A, B, C, D]: ...
async def together(*questions: Coroutine[Any, Any, Any]) -> tuple[Any, ...]:
    """Ask different things at the same time; see ``all_of``."""
    return await all_of(questions)


async def all_of(questions: Iterable[Coroutine[Any, Any, T]]) -> tuple[T, ...]:
    """Ask at the same time; raise the first source's error, after the other questions were cancelled."""
    asking = asyncio.current_task()
    requests = asking.cancelling() if asking is not None else 0
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(question) for question in questions]
    except ExceptionGroup as errors:
        # Python 3.11 leaves the group's own request to cancel on the task; later awaits would read it as a shutdown.
        while asking is not None and asking.cancelling() > requests:
            asking.uncancel()
        raise first_error(errors) from errors
    return tuple(task.result() for task in tasks)


def first_error(errors: ExceptionGroup[Exception]) -> Exception:
    """Return the source's error in a group, or else the first error of another kind: that is a fault."""
    leaves = list(_leaves(errors))
    return next((leaf for leaf in leaves if not isinstance(leaf, SourceError)), leaves[0])


def _leaves(errors: ExceptionGroup[Exception]) -> Iterable[Exception]:
    for error in errors.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


FAULTS = (asyncio.CancelledError, Exception)
"""What the work for one item may fail by. A CancelledError is among it where only what it waited for was cancelled."""


class ItemsFailed(Exception):
    """The work for some of several items failed; it was done for the others."""


async def each(items: Iterable[T], work: Callable[[T], Awaitable[R]]) -> list[R]:
    """Do work for each item, one after the other, and return the answers.

    An item whose work fails costs only itself: ItemsFailed is raised behind the last one, of the first failure; the
    others are logged. StoreUnavailable and a request to stop are raised at once, as they concern all.
    """
    done: list[R] = []
    failed: list[BaseException] = []
    for item in items:
        try:
            done.append(await work(item))
        except StoreUnavailable:
            raise
        except FAULTS as error:
            if is_stop(error):
                raise
            failed.append(error)
    if failed:
        raise _several_failed(failed, len(failed) + len(done)) from failed[0]
    return done


async def all_or_each(items: Sequence[T], work: Callable[[Sequence[T]], Awaitable[R]]) -> list[R]:
    """Do work for all items at once; where that fails, for each by itself, as ``each`` does."""
    try:
        return [await work(items)]
    except StoreUnavailable:
        raise
    except FAULTS as error:
        if is_stop(error) or len(items) == 1:
            raise
    return await each([[item] for item in items], work)


def _several_failed(failed: Sequence[BaseException], count: int) -> ItemsFailed:
    first, *others = failed
    for other in others:
        logger.opt(exception=other).error("one of several failed")
    return ItemsFailed(f"{len(failed)} of {count} failed, the first by {type(first).__name__}: {first}")


async def attempt(question: Coroutine[Any, Any, T]) -> T | SourceError:
    """Return the answer, or the source's error as a value: for checks with more than one source."""
    try:
        return await question
    except SourceError as error:
        return error


def told_to_stop() -> bool:
    """Whether somebody cancelled this task: else a CancelledError is what it waited for, which was cancelled itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def is_stop(error: BaseException) -> bool:
    """Whether an error is the request to end this task, and no fault of one item."""
    return isinstance(error, asyncio.CancelledError) and told_to_stop()


@dataclass(slots=True)
class RepeatedFault:
    """Logs a fault that comes with each run of ``name``: with its traceback once, then in a line that counts."""

    name: str
    _fault: tuple[str, str, int] | None = None
    """The error's type, and where it was raised."""
    _times: int = 0

    def met(self, error: BaseException) -> None:
        """Log a run that failed."""
        fault = _raised_at(error)
        self._times = self._times + 1 if fault == self._fault else 1
        self._fault = fault
        if self._times == 1:
            logger.opt(exception=error).error("{name} failed", name=self.name)
        else:
            logger.error(
                "{name} failed {times} times in a row: {why}", name=self.name, times=self._times, why=fault[0]
            )

    def over(self) -> None:
        """Forget the fault, and say that it is over: a run went well."""
        if self._fault is not None:
            logger.info("{name} works again", name=self.name)
        self._fault, self._times = None, 0


def _raised_at(error: BaseException) -> tuple[str, str, int]:
    file, line, trace = "", 0, error.__traceback__
    while trace is not None:
        file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return type(error).__name__, file, line

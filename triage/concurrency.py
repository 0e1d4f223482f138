"""Several questions at the same time, and what becomes of their errors."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar, overload

from triage.errors import SourceError

T = TypeVar("T")
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

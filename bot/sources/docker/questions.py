"""What the engine is asked, and how its events are read: the same by the service and by the agent."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from bot.sources.answer_shape import answer_shape
from bot.sources.docker.shapes import from_event, unreadable_event
from bot.sources.times import nanoseconds
from triage.errors import SourceBadAnswer, SourceRejected
from triage.ports.sources import ContainerEvent, ContainerState, unread_containers

NAME = "Docker"
_CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")
"""The engine unquotes and cleans paths before it looks at them: another name could ask for another thing."""
_EVENTS = (
    "create", "start", "restart", "die", "kill", "oom", "stop", "pause", "unpause", "destroy", "rename",
    "update", "health_status",
)  # fmt: skip
"""Not among them: what our own checks cause (``exec_*``)."""
_EVENT_MAX = 1024 * 1024
_shape = partial(answer_shape, NAME)
_Answer = TypeVar("_Answer")


def names_container(name: str) -> bool:
    """Whether a container can have this name, or this id."""
    return _CONTAINER.fullmatch(name) is not None


def not_a_name(name: str) -> SourceRejected:
    """Return the error of who asks for a container that cannot be."""
    return SourceRejected(NAME, f"{name!r} cannot be a container's name")


def no_such_container(name: str) -> SourceRejected:
    """Return the error of who asks something of a container that is not there."""
    return SourceRejected(NAME, f"No such container: {name}")


def checked_name(name: str) -> str:
    """Return a container's name. Raises SourceRejected where none can have it."""
    if not names_container(name):
        raise not_a_name(name)
    return name


async def by_name(
    name: str,
    ask: Callable[[str], Awaitable[_Answer | None]],
    every: Callable[[], Awaitable[tuple[ContainerState, ...]]],
) -> _Answer | None:
    """Return what ``ask`` tells of a container by name or id, None when there is none.

    ``ask`` returns None where the engine has no container of that name. Where a replacement was cut short, the container
    still has the name that Compose gives it meanwhile: it is asked for by its id.
    """
    found = await ask(name)
    if found is not None:
        return found
    listed = await every()
    if any(each.unread and (not each.name or each.name.endswith(name)) for each in listed):
        raise SourceBadAnswer(NAME, f"whether there is {name} is not known: {unread_containers(listed)}")
    left = [each.id for each in listed if each.name == name]
    return await ask(left[0]) if len(left) == 1 else None


def event_filters(*, since: datetime, until: datetime | None = None) -> Mapping[str, str]:
    """Return the parameters of ``GET /events``: of containers, from a time on, up to another or without end."""
    filters = json.dumps({"type": ["container"], "event": list(_EVENTS)})
    end = {} if until is None else {"until": unix_time(until)}
    return {"filters": filters, "since": unix_time(since), **end}


def unix_time(moment: datetime) -> str:
    """Return a time as the engine takes it: seconds since 1970 with nine digits behind the point."""
    seconds, rest = divmod(nanoseconds(moment), 1_000_000_000)
    return f"{seconds}.{rest:09d}"


def whole_lines(text: bytes) -> tuple[list[bytes], bytes]:
    """Split a stream of events into its whole lines and the rest. Raises SourceBadAnswer for a line over 1 MiB."""
    *lines, rest = text.split(b"\n")
    if len(rest) > _EVENT_MAX:
        raise SourceBadAnswer(NAME, "an event larger than 1 MiB")
    return lines, rest


def events_of(line: bytes) -> Iterator[ContainerEvent]:
    """Read a line of a stream of events: none of an empty one. Raises SourceBadAnswer where it is no object."""
    if not line.strip():
        return
    with _shape("an event"):
        told: dict[str, Any] = dict(json.loads(line).items())  # anything but an object is no engine's stream
    try:
        event = from_event(told)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        event = unreadable_event(line)  # it costs only itself: the later ones are read
    if event is not None:
        yield event

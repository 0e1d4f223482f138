"""The engine's JSON in our words. Errors of shape (KeyError, TypeError, ValueError) are the caller's to turn."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from bot.sources.answer_shape import known_text, told_apart
from bot.sources.times import maybe_rfc3339
from triage.masking import masked_and_cut
from triage.model import utc
from triage.outside_numbers import is_whole, real
from triage.ports.sources import (
    PROJECT_LABEL,
    UNREADABLE,
    ContainerEvent,
    ContainerState,
    unread_container,
)

_LINE_MAX = 500
"""Characters of an event that could not be read that are kept."""
_REPLACING = re.compile(r"[0-9a-f]{12}_(?P<name>[A-Za-z0-9].*)")
_HEALTH = re.compile(r"\((healthy|unhealthy|health: starting)\)")
_LONG_UP = re.compile(r"Up (?P<n>\d+) (?P<unit>hour|day|week|month|year)s( \(healthy\))?")
"""The engine says "About an hour" before it says "2 hours"."""
_UNITS = {"hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000, "year": 31_536_000}


def _own_name(name: str, labels: Mapping[str, str]) -> str:
    """Return the name that a container of compose has once its replacement is done.

    Compose gives a replacement (2.17 and later), or what it replaces (1.29), the name ``<id12>_<name>`` for that time:
    it is no other container.
    """
    found = _REPLACING.fullmatch(name) if PROJECT_LABEL in labels else None
    return found["name"] if found is not None else name


def from_inspect(answer: dict[str, Any]) -> ContainerState:
    """Read ``GET /containers/{name}/json``."""
    state, config = answer["State"], answer["Config"]
    labels = {str(name): str(value) for name, value in (config.get("Labels") or {}).items()}
    health = (state.get("Health") or {}).get("Status") or ""
    return ContainerState(
        name=_own_name(str(answer["Name"]).lstrip("/"), labels),
        id=str(answer["Id"]),
        status=str(state["Status"]),
        image=str(config["Image"]),
        image_id=str(answer["Image"]),
        created_at=maybe_rfc3339(answer["Created"]),
        started_at=maybe_rfc3339(state["StartedAt"]),
        finished_at=maybe_rfc3339(state["FinishedAt"]),
        restart_count=int(answer.get("RestartCount") or 0),
        exit_code=int(state["ExitCode"]),
        oom_killed=bool(state["OOMKilled"]),
        health="" if health == "none" else str(health),
        error=str(state.get("Error") or ""),
        labels=labels,
    )


def message_of(body: bytes) -> str:
    """Return an error's words as the engine has them, in small letters; empty where the body is not the engine's."""
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(answer.get("message", "")).lower() if isinstance(answer, dict) else ""


def not_there(body: bytes) -> bool:
    """Whether the engine says that there is no such container: any other 404 is a proxy's, or a wrong path's."""
    return "no such container" in message_of(body)


def from_lists(answer: Any) -> tuple[ContainerState, ...]:  # noqa: ANN401 - what JSON can be
    """Read ``GET /containers/json``. An empty object read as a list would say that nothing runs: TypeError.

    A container that cannot be read is as ``unread_container``, and hides none of the others.
    """
    if not isinstance(answer, list):
        raise TypeError("no list of containers")
    return told_apart(answer, from_list, _unread_entry)


def _unread_entry(entry: Any) -> ContainerState:  # noqa: ANN401 - what JSON can be
    return unread_container(known_text(entry, "Names", 0).lstrip("/"))


def from_list(entry: dict[str, Any]) -> ContainerState:
    """Read one entry of ``GET /containers/json``: no restart count, start time or exit code in it."""
    names = entry.get("Names") or [entry["Id"][:12]]
    labels = {str(name): str(value) for name, value in (entry.get("Labels") or {}).items()}
    health = _HEALTH.search(str(entry.get("Status") or ""))
    return ContainerState(
        name=_own_name(str(names[0]).lstrip("/"), labels),
        id=str(entry["Id"]),
        status=str(entry["State"]),
        image=str(entry["Image"]),
        image_id=str(entry.get("ImageID") or ""),
        created_at=utc(real(entry["Created"])),
        started_at=None,
        finished_at=None,
        restart_count=0,
        exit_code=0,
        oom_killed=False,
        health=health[1].removeprefix("health: ") if health else "",
        labels=labels,
        long_up_seconds=_long_up(entry),
    )


def _long_up(entry: Mapping[str, Any]) -> float | None:
    found = _LONG_UP.fullmatch(str(entry.get("Status") or ""))
    if found is None or entry["State"] != "running":
        return None
    return float(int(found["n"]) * _UNITS[found["unit"]])


def from_event(event: dict[str, Any]) -> ContainerEvent | None:
    """Read one line of ``GET /events``; what is not about a container is None.

    ``health_status: unhealthy`` is the action ``health_status`` with the attribute ``health``.
    """
    if event.get("Type") != "container":
        return None
    actor = event["Actor"]
    attributes = {str(name): str(value) for name, value in (actor.get("Attributes") or {}).items()}
    action, _, more = str(event["Action"]).partition(": ")
    if action == "health_status":
        attributes["health"] = more
    time_ns = int(event.get("timeNano") or int(event["time"]) * 1_000_000_000)
    exit_code = attributes.get("exitCode", "")
    return ContainerEvent(
        action=action,
        container=_own_name(attributes.get("name", ""), attributes),
        container_id=str(actor["ID"]),
        image=attributes.get("image", ""),
        at=utc(time_ns / 1e9),
        time_ns=time_ns,
        exit_code=int(exit_code) if is_whole(exit_code.removeprefix("-")) else None,
        signal=attributes.get("signal", ""),
        attributes=attributes,
    )


def unreadable_event(line: bytes) -> ContainerEvent:
    """Return what stands for an event of another shape: it has no time of its own, and the line as it came."""
    return ContainerEvent(
        action=UNREADABLE,
        container="",
        container_id=sha256(line).hexdigest()[:16],
        image="",
        at=utc(0.0),
        time_ns=0,
        attributes={"line": masked_and_cut(line.decode("utf-8", "replace"), _LINE_MAX)},
    )

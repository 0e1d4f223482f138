"""What the engine's states and events say was changed of a container: created, started, another image, stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.ports.sources import HASH_LABEL, ContainerEvent, ContainerState

SAME = timedelta(seconds=5)
"""So near to each other a state and an event are of the same change."""
_REPLACING = timedelta(seconds=90)
"""What is replaced may take so long to stop."""
_KILLS = frozenset({"9", "15", "SIGKILL", "SIGTERM"})


@dataclass(frozen=True, slots=True)
class ContainerChange:
    """One change of one container; ``ours`` and ``by`` are put in by whoever knows what the triage is about."""

    container: str
    what: str
    at: datetime
    image: str
    image_before: str = ""
    ours: bool = False
    same: bool = False
    by: str = ""


def from_states(states: Iterable[ContainerState]) -> Iterable[ContainerChange]:
    """Yield what the containers that are there say: when each was created, started, stopped."""
    for state in states:
        times = {"created": state.created_at, "started": state.started_at}
        if (
            state.created_at is not None
            and state.started_at is not None
            and state.started_at - state.created_at <= timedelta(minutes=1)
        ):
            del times["started"]  # that start belongs to its making
        for what, at in times.items():
            if at is not None:
                yield ContainerChange(container=state.name, what=what, at=at, image=state.image)


def from_events(events: tuple[ContainerEvent, ...]) -> Iterable[ContainerChange]:
    """Yield what the engine remembers of events: also of containers that are gone, and which image was before."""
    known: dict[str, ContainerEvent] = {}
    for event in sorted(events, key=lambda each: each.time_ns):
        before = known.get(event.container) or _replaced(event, events)
        if event.action == "create":
            yield _creation(event, before)
        elif _is_of_a_replacement(event, events):
            continue  # told by the creation of the new one
        elif event.action == "stop" or (event.action == "kill" and event.signal in _KILLS):
            yield _of_event(event, "stopped" if event.action == "stop" else "killed")
        elif event.action == "pause":
            yield _of_event(event, "paused")
        if event.image:
            known[event.container] = event


def _replaced(made: ContainerEvent, events: Iterable[ContainerEvent]) -> ContainerEvent | None:
    """Return an event of what a new container replaces: compose 2 removes it a moment after it made the new one."""
    ended = (
        each
        for each in events
        if each.container == made.container
        and each.container_id != made.container_id
        and each.image
        and each.action in {"kill", "stop", "die", "destroy"}
        and timedelta(0) <= each.at - made.at <= _REPLACING
    )
    return next(ended, None) if made.action == "create" else None


def _is_of_a_replacement(ended: ContainerEvent, events: Iterable[ContainerEvent]) -> bool:
    """Whether a container ends because another one of its name takes its place: made before (Compose 2) or after it."""
    return ended.action in {"stop", "kill"} and any(
        made.action == "create"
        and made.container == ended.container
        and made.container_id != ended.container_id
        and abs(made.at - ended.at) <= _REPLACING
        for made in events
    )


def _creation(event: ContainerEvent, before: ContainerEvent | None) -> ContainerChange:
    """Say what a new container differs in from the one before, as far as the engine remembers that one."""
    if before is None:
        return _of_event(event, "created")
    if event.image != before.image:
        return _of_event(event, "image", before.image)
    was, now = before.attributes.get(HASH_LABEL, ""), event.attributes.get(HASH_LABEL, "")
    what = "config" if was and now and was != now else "created"
    return _of_event(event, what, before.image, same=bool(was) and was == now)


def _of_event(
    event: ContainerEvent, what: str, image_before: str = "", *, same: bool = False
) -> ContainerChange:
    return ContainerChange(
        container=event.container,
        what=what,
        at=event.at,
        image=event.image,
        image_before=image_before,
        same=same,
    )


def once(changes: Iterable[ContainerChange]) -> Iterable[ContainerChange]:
    """Return each change once: of a state and an event of one creation, the one that knows the image before."""
    kept: list[ContainerChange] = []
    for change in changes:
        known = next((each for each in kept if _same(each, change)), None)
        if known is None:
            kept.append(change)
        elif change.image_before and not known.image_before:
            kept[kept.index(known)] = change
    return kept


def _same(one: ContainerChange, other: ContainerChange) -> bool:
    kinds = {"image": "created", "config": "created"}
    alike = kinds.get(one.what, one.what) == kinds.get(other.what, other.what)
    return alike and one.container == other.container and abs(one.at - other.at) <= SAME

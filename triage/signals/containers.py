"""Container events: what the engine reports as an event; an operator's stop, a crash and a loop told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from triage.desk import Desk
from triage.desk_events import DeskEvent, Gravity
from triage.model import Signal, SignalStatus, Source, Subject, SubjectKind
from triage.playbooks.lookup import playbook_for
from triage.ports.sources import PROJECT_LABEL, SERVICE_LABEL, ContainerEvent, ContainerState
from triage.signals.condition import Condition
from triage.wording import clock_time, counted, duration

DIED, LOOP, OOM, UNHEALTHY = (
    "ContainerDied",
    "ContainerRestartLoop",
    "ContainerOomKilled",
    "ContainerUnhealthy",
)
LOOK_BACK = timedelta(minutes=15)
"""How far back the events before one are looked at."""

_LETHAL = frozenset({"", "1", "2", "3", "6", "9", "15"})
STOP_TAKES = timedelta(seconds=90)
"""Between the signal and the death that an operator's stop may take: Docker itself waits 10 s by default."""
_OOM_KILLS = timedelta(seconds=10)
_CHANGES = frozenset(
    {"create", "restart", "stop", "kill", "update", "rename", "destroy", "pause", "unpause", "died"}
)
_SPOKEN = {
    "create": "created from {image}", "start": "started", "restart": "restarted by hand", "stop": "stopped by hand",
    "update": "reconfigured", "rename": "renamed", "destroy": "removed", "pause": "paused", "unpause": "unpaused",
    "oom": "ran out of memory", "kill": "was sent signal {signal}", "die": "ended with exit code {exit_code}",
    "health_status": "is {health}",
}  # fmt: skip
_GRAVITY = {"oom": Gravity.ERROR, "die": Gravity.WARNING}


def container_subject(desk: Desk, container: str) -> Subject:
    """Return what a container's event is about: its bot, or the container itself."""
    owner = desk.bot_of_container(container)
    if owner is not None:
        return Subject(SubjectKind.BOT, owner.name)
    return Subject(SubjectKind.CONTAINER, container)


def of_desk(desk: Desk, container: str, project: str = "") -> bool:
    """Say whether a container is one of the desk's: one engine can serve others too."""
    known = {desk.container_of(name) for name in (*desk.compose.services, *(bot.name for bot in desk.bots))}
    return container in known or project == desk.compose.project


def _named(desk: Desk, event: ContainerEvent) -> str:
    """Return the name under which the desk knows a container: its labels tell the service, whatever it is called now."""
    attributes = event.attributes
    service = attributes.get(SERVICE_LABEL, "")
    if attributes.get(PROJECT_LABEL) != desk.compose.project or not service:
        return event.container
    bot = next((bot.name for bot in desk.bots if desk.service_of(bot.name) == service), service)
    known = {*desk.compose.services, *(bot.name for bot in desk.bots)}
    return desk.container_of(bot) if bot in known else event.container


def container_event(desk: Desk, event: ContainerEvent, now: datetime) -> DeskEvent | None:
    """Return an event of the engine as one of the desk's; None where it is about somebody else's container."""
    if not of_desk(desk, event.container, event.attributes.get(PROJECT_LABEL, "")):
        return None
    container = _named(desk, event)
    health = event.attributes.get("health", "")
    data: dict[str, Any] = {
        "container": container,
        "id": event.container_id[:12],
        "image": event.image,
        "exit_code": event.exit_code,
        "signal": event.signal,
        "health": health,
    }
    shown = {**data, "exit_code": "?" if event.exit_code is None else event.exit_code}
    spoken = _SPOKEN.get(event.action, event.action).format(**shown)
    return DeskEvent(
        key=f"container/{event.time_ns}/{event.container_id[:12]}/{event.action}",
        source=Source.CONTAINER,
        at=min(event.at, now),
        subject=container_subject(desk, container),
        gravity=Gravity.WARNING if health == "unhealthy" else _GRAVITY.get(event.action, Gravity.INFO),
        category=event.action,
        text=f"{container} {spoken}",
        change=event.action in _CHANGES,
        data={name: value for name, value in data.items() if value not in ("", None)},
    )


@dataclass(frozen=True, slots=True)
class JudgedEvent:
    """What an event means beside those before it.

    ``event``: the same with what is known now in its text; ``name``: of the signal to make, empty for none;
    ``in_thread``: it is worth a line in the thread of an open incident.
    """

    event: DeskEvent
    name: str = ""
    text: str = ""
    in_thread: bool = False


def judge(desk: Desk, event: DeskEvent, before: Sequence[DeskEvent]) -> JudgedEvent:
    """Say what an event means. ``before``: the subject's container events up to it, oldest first."""
    mine = [each for each in before if each.data.get("container") == event.data.get("container")]
    if event.category == "die":
        return _death(desk, event, mine)
    if event.category == "oom":
        return JudgedEvent(event, OOM, event.text)
    if event.category == "create":
        return _created(event, mine)
    if event.category == "destroy":
        return _replaced(event, mine)
    in_thread = event.change and event.category not in {"kill", "destroy", "rename"}
    return JudgedEvent(event, in_thread=in_thread)


def _created(event: DeskEvent, mine: Sequence[DeskEvent]) -> JudgedEvent:
    images = [str(each.data["image"]) for each in mine if each.data.get("image")]
    image = str(event.data.get("image", ""))
    if images and image and images[-1] != image:
        text = f"{event.data.get('container')} created with a new image {image} (was {images[-1]})"
        event = event._replace(text=text, data={**event.data, "image_before": images[-1]})
    return JudgedEvent(event, in_thread=True)


def _replaced(event: DeskEvent, mine: Sequence[DeskEvent]) -> JudgedEvent:
    """The predecessor of a container that was made a moment ago is gone: now both images are known.

    Compose 2 makes the replacement first, and removes the old one after; where the old one's image was not known
    then, it is told now.
    """
    made = next((each for each in reversed(mine) if each.category == "create"), None)
    if made is None or made.data.get("id") == event.data.get("id") or made.data.get("image_before"):
        return JudgedEvent(event)
    new, old = str(made.data.get("image", "")), str(event.data.get("image", ""))
    if not new or not old or new == old or event.at - made.at > STOP_TAKES:
        return JudgedEvent(event)
    text = f"{event.data.get('container')} has a new image {new} (was {old})"
    return JudgedEvent(
        event._replace(text=text, data={**event.data, "image": new, "image_before": old}), in_thread=True
    )


def by_operator(event: DeskEvent, mine: Sequence[DeskEvent]) -> bool:
    """Say whether a death was asked for: the engine had been told to send this container a lethal signal."""
    return any(
        each.category == "kill"
        and each.data.get("id") == event.data.get("id")
        and str(each.data.get("signal", "")) in _LETHAL
        and timedelta(0) <= event.at - each.at <= STOP_TAKES
        for each in mine
    )


def _death(desk: Desk, event: DeskEvent, mine: Sequence[DeskEvent]) -> JudgedEvent:
    container, code = event.data.get("container"), event.data.get("exit_code", "?")
    if by_operator(event, mine):
        quiet = event._replace(
            text=f"{container} was stopped by hand (exit code {code})",
            gravity=Gravity.INFO,
            data={**event.data, "by_operator": True},
        )
        return JudgedEvent(quiet)
    starved = any(each.category == "oom" and event.at - each.at <= _OOM_KILLS for each in mine)
    why = "out of memory, " if starved else ""
    event = event._replace(text=f"{container} died by itself ({why}exit code {code})")
    span = timedelta(minutes=desk.listening.restart_loop_minutes)
    falls = [
        each
        for each in mine
        if each.category == "die" and not each.data.get("by_operator") and event.at - each.at <= span
    ]
    turns = len(falls) + 1
    if turns >= desk.listening.restart_loop_turns:
        took = duration((event.at - falls[0].at).total_seconds())
        return JudgedEvent(
            event, LOOP, f"{container} died {counted(turns, 'time')} in {took}, exit code {code}"
        )
    return JudgedEvent(event, "" if starved else DIED, event.text)


def container_signal(desk: Desk, judged: JudgedEvent, now: datetime) -> Signal:
    """Make the signal of a judged event."""
    event = judged.event
    labels = {
        "name": str(event.data.get("container", "")),
        "category": event.category,
        "exit_code": str(event.data.get("exit_code", "")),
        "image": str(event.data.get("image", "")),
    }
    return Signal(
        source=Source.CONTAINER,
        episode=f"{event.key.removeprefix('container/')}/{judged.name}",
        status=SignalStatus.EVENT,
        name=judged.name,
        subject=event.subject,
        severity=playbook_for(desk, judged.name, Source.CONTAINER).severity_of(labels, desk.severities),
        starts_at=event.at,
        received_at=now,
        labels={name: value for name, value in labels.items() if value},
        annotations={"summary": judged.text},
    )


def unhealthy(desk: Desk, event: DeskEvent) -> Condition:
    """Return the condition of a container whose health check fails."""
    container = str(event.data.get("container", ""))
    return Condition(
        name=UNHEALTHY,
        source=Source.CONTAINER,
        subject=container_subject(desk, container),
        text=f"{container} is unhealthy: its health check fails",
        labels={"name": container},
        since=event.at,
    )


def missed_death(
    desk: Desk, state: ContainerState, since: datetime, known: Sequence[DeskEvent], now: datetime
) -> DeskEvent | None:
    """Return the death that happened while nobody listened, as the container's own state tells it.

    An engine that restarts forgets its events; what it did to its containers is in their states.
    ``known``: the container events that are stored already.
    """
    ended = state.finished_at
    if ended is None or ended <= since or not of_desk(desk, state.name, state.labels.get(PROJECT_LABEL, "")):
        return None
    near = timedelta(seconds=5)
    for each in known:
        if (
            each.category == "die"
            and each.data.get("container") == state.name
            and abs(each.at - ended) <= near
        ):
            return None
    after = "runs again" if state.running else f"is {state.status} since"
    text = (
        f"{state.name} ended at {clock_time(ended)} while the engine did not answer "
        f"(exit code {state.exit_code}); {after}"
    )
    down = not state.running
    return DeskEvent(
        key=f"container/{int(ended.timestamp() * 1000)}/{state.id[:12]}/missed",
        source=Source.CONTAINER,
        at=min(ended, now),
        subject=container_subject(desk, state.name),
        gravity=Gravity.WARNING if down else Gravity.INFO,
        category="missed",
        text=text,
        change=True,
        data={"container": state.name, "id": state.id[:12], "image": state.image, "exit_code": state.exit_code,
              "down": down},
    )  # fmt: skip

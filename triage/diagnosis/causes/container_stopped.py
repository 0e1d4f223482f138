"""Somebody stopped the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._containers import KILLED, container_case, stopped
from triage.diagnosis.stops import requested_stop
from triage.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triage.diagnosis.case import Candidate, Case
    from triage.diagnosis.facts import Facts
    from triage.model import Json

EXPLAINS = frozenset(
    {"down", "frozen", "no_fills", "scrape", "behind", "bus_stale", "blind", "pause", "logs"}
)
_ASKED_TO = {
    0: "it ended as asked, or was done",
    143: "it was asked to end (SIGTERM)",
    130: "it was interrupted",
}


def rule(facts: Facts) -> Iterable[Candidate]:
    """A stop that Docker recorded, or an exit code of a process that was asked to end."""
    removed = [
        (name, now)
        for name, now in facts.of_containers()
        if now.get("missing") and requested_stop(facts, name)
    ]
    for name, now in [*stopped(facts), *removed]:
        case = container_case(facts, "container_stopped", name)
        stop, code = requested_stop(facts, name), now.get("exit_code")
        if stop is not None and stop.get("by") and stop["seconds_before"] < 0:
            continue  # what our own action does about the incident is told as its doing
        if stop is not None:
            case.sees(
                "proof",
                f"Docker recorded a {'stop' if stop['what'] == 'stopped' else 'kill'} of {name}",
                "changes",
            )
        if code in _ASKED_TO and not now.get("missing"):
            case.sees("strong", f"{name} does not run, exit code {code}: {_ASKED_TO[code]}", "container")
        elif code == KILLED and not now.get("oom"):
            case.sees("clear", f"{name} was killed (exit code {KILLED}), and not for memory", "container")
            if any((host.get("oom_kills") or 0) > 0 for host in facts.hosts().values()):
                case.doubts("doubt", "the host's kernel killed something for memory", "host")
        if now.get("oom") and stop is None:
            case.doubts("contradiction", "it was killed for memory", "container")
        case.needs("container")
        yield from _concluded(case, name, stop, removed=bool(now.get("missing")))


def _concluded(
    case: Case, name: str, stop: Mapping[str, Json] | None, *, removed: bool
) -> Iterable[Candidate]:
    by, ago = stop.get("by", "") if stop is not None else "", ""
    if stop is not None and stop["seconds_before"] < 0:
        # It may explain what joined since; what the incident began with, it cannot have caused.
        ago = f" {duration(-stop['seconds_before'])} after the first alert"
        case.doubts("contradiction", f"{name} was stopped after the first alert", "changes")
    person = "whoever confirmed that" if by else "whoever stopped it"
    yield from case.concludes(
        f"{name} was stopped{f' by {by}' if by else ''}{ago}{' and removed' if removed else ''}: it does not run.",
        f"Ask {person} before anybody starts it again."
        if by
        else "Ask who stopped it and why before anybody starts it again.",
        settle=f"docker events --since 2h --until 0s --filter container={name} --filter event=kill",
        by_hand=f"once {person} agrees: docker compose up -d, with its service's name"
        if removed
        else f"once {person} agrees: docker start {name}",
    )

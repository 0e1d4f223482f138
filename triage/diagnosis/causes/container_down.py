"""The container does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing, propose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_ASKED_TO = (0, 143)
"""Exit codes of a process that was asked to end."""


def rule(facts: Facts) -> Iterable[Cause]:
    """It is down now; an alert alone may be a late one."""
    weighing = Weighing(facts)
    down: list[str] = []
    for name, now in facts.of_containers():
        if now.get("looping") or not (now.get("missing") or now.get("running") is False):
            continue
        down.append(name)
        weighing.add(0.75, _words(name, now.get("exit_code"), missing=bool(now.get("missing"))), "container")
    if facts.alerts("ContainerDown"):
        weighing.add(0.35, "ContainerDown fires")
        running = [name for name, now in facts.of_containers() if now.get("running")]
        if running and not down:
            weighing.against(0.4, f"{', '.join(running)} runs now", "container")
    weighing.needs("container")
    bots = list(filter(None, (facts.bot_of(name) for name in down)))
    yield from weighing.cause(
        "container_down",
        f"{', '.join(down) or 'A container'} does not run.",
        "Find out whether somebody stopped it; if not, read its last lines and bring it up again.",
        propose("recreate", bots, "its container does not run"),
    )


def _words(name: str, exit_code: int | None, *, missing: bool) -> str:
    if missing:
        return f"there is no container {name}"
    if exit_code in _ASKED_TO:
        return f"{name} ended with exit code {exit_code}: it was asked to, or finished"
    return f"{name} does not run" + (f", exit code {exit_code}" if exit_code is not None else "")

"""One container as the engine or its metrics show it, what that means, and its line for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triage.model import FindingStatus
from triage.wording import counted, duration, times

_KILLED = 137
"""The exit code of a process that was ended by SIGKILL."""


@dataclass(slots=True)
class ContainerNow:
    """One container; the fields are those of the finding's data, see ``checks.container``."""

    status: str = ""
    running: bool | None = None
    restarts: int | None = None
    restarts_hour: int | None = None
    at_least: bool = False
    oom: bool = False
    oom_count: int = 0
    exit_code: int | None = None
    health: str = ""
    image: str = ""
    started_at: str = ""
    up_seconds: float | None = None
    looping: bool = False
    memory: float | None = None
    missing: bool = False
    by: str = "docker"
    ours: int = 0

    @property
    def judged(self) -> FindingStatus:
        """What this means for the desk."""
        if self.missing or self.running is False or self.looping:
            return FindingStatus.CRITICAL
        if self.running is None:
            return FindingStatus.UNKNOWN
        bad = self.oom or self.oom_count > 0 or self.health == "unhealthy" or (self.restarts_hour or 0) > 0
        return FindingStatus.WARNING if bad else FindingStatus.OK


def describe(now: ContainerNow) -> str:
    """Return e.g. ``up 3 d 4 h, 0 restarts (Docker)``."""
    by = "Docker" if now.by == "docker" else "metrics"
    if now.missing:
        return f"there is no such container ({by})"
    if now.running is None and now.by == "nobody":
        return "not known: the engine refused the question"
    if now.running is None:
        return f"not found under this name ({by})"
    parts = [f"up {duration(now.up_seconds)}" if now.up_seconds is not None else now.status]
    if now.looping:
        parts.insert(0, "restart loop")
    if now.oom:
        parts.append("killed for memory (OOM)" + (f" {times(now.oom_count)}" if now.oom_count > 1 else ""))
    parts += _endings(now)
    if now.exit_code is not None and (not now.running or now.exit_code):
        parts.append(f"exit code {now.exit_code}{' (SIGKILL)' if now.exit_code == _KILLED else ''}")
    if now.health and now.health != "healthy":
        parts.append(now.health)
    return f"{', '.join(parts)} ({by})"


def _endings(now: ContainerNow) -> Iterator[str]:
    """Yield how often it ended and began again; what our own action asked for is told as ours."""
    if now.ours:
        yield "restarted by us" if now.running else "stopped by us"
    if now.restarts or (now.restarts == 0 and not now.ours):
        bound, span = ("≥ ", " in 1 h") if now.at_least else ("", "")
        yield f"{bound}{counted(now.restarts, 'restart')}{span}"
    if now.restarts_hour and not now.at_least:
        yield f"{counted(now.restarts_hour, 'exit')} in 1 h"

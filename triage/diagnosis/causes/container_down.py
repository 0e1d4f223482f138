"""The container does not run, and nothing says that somebody stopped it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._containers import container_case, stopped
from triage.diagnosis.stops import requested_stop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"down", "frozen", "no_fills", "scrape", "behind", "bus_stale", "unhealthy"})
_ASKED_TO = frozenset({0, 130, 137, 143})


def rule(facts: Facts) -> Iterable[Candidate]:
    """It ended with an error and stays down, or there is no such container."""
    for name, now in [
        *stopped(facts),
        *((name, now) for name, now in facts.of_containers() if now.get("missing")),
    ]:
        if requested_stop(facts, name) is not None or name == facts.desk.redis_container:
            continue
        if facts.service_of(name) in facts.desk.compose.external_services:
            continue
        case = container_case(facts, "container_down", name)
        code = now.get("exit_code")
        if now.get("missing"):
            case.sees("strong", f"there is no container {name}", "container")
            if not facts.service_of(name):
                case.doubts("contradiction", f"no bot and no service of the desk is called {name}", "desk")
        elif code in _ASKED_TO:
            case.sees("some", f"{name} does not run, exit code {code}", "container")
        else:
            case.sees(
                "strong",
                f"{name} does not run" + (f", exit code {code}" if code is not None else ""),
                "container",
            )
        case.needs("container")
        yield from case.concludes(
            f"{name} is gone."
            if now.get("missing")
            else f"{name} ended with exit code {code} and does not run."
            if code is not None
            else f"{name} does not run.",
            "Read its last lines, then bring it up again.",
            remedies=remedy("recreate", facts.target_of(name), "its container does not run"),
            settle=f"docker ps -a --filter name={name}"
            if now.get("missing")
            else f"docker logs --tail 50 {name}",
            by_hand=f"see in the Compose file what {name} is, then bring it up (docker compose up -d)"
            if now.get("missing")
            else f"docker logs --tail 50 {name}; then docker start {name}",
        )

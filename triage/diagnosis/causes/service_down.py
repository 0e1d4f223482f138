"""A service of the external stack does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._containers import container_case, stopped_by_us
from triage.diagnosis.stops import requested_stop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"down", "loop", "behind", "dead_letters", "unhealthy", "bus_stale", "pause"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Its container is down (or in a loop), by the container check or by the engine's list."""
    for service in facts.desk.compose.external_services:
        name = facts.desk.container_of(service)
        now = facts.container(name)
        redis = service == facts.desk.compose.redis_service
        if redis or (stopped_by_us(facts, name) and not now.get("running")):
            continue  # Redis has its own rule; what an action of ours stopped is off on purpose
        case = container_case(facts, "service_down", name)
        code = now.get("exit_code")
        if now.get("status") != "paused" and (
            now.get("running") is False or now.get("missing") or now.get("looping")
        ):
            how = "restarts again and again" if now.get("looping") else "does not run"
            case.sees(
                "proof", f"{name} {how}" + (f", exit code {code}" if code is not None else ""), "container"
            )
        elif not now and name in facts.down() and name not in facts.paused():
            case.sees("strong", f"{name} does not run", "changes")
        if requested_stop(facts, name) is not None and case.pieces:
            case.doubts("doubt", "somebody stopped it", "changes")
        if facts.data("streams").get("reachable") is False:
            case.doubts("doubt", "Redis does not answer: it cannot work without", "streams")
        case.needs("container", "streams")
        yield from case.concludes(
            f"{service} does not run: signals and risk decisions stand still.",
            "Read its last lines, then bring it up again.",
            remedies=remedy(
                "restart", (service,) if not now.get("missing") else (), "its process does not run"
            ),
            settle=f"docker logs --tail 50 {name}",
            by_hand=f"docker logs --tail 50 {name}",
        )

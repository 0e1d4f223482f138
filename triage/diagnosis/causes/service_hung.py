"""A service is up and does not process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case, remedy
from triage.diagnosis.causes._boxes import alive, box_case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"behind", "unhealthy", "dead_letters", "bus_stale", "pause", "down"})
_BEHIND = 1000


def rule(facts: Facts) -> Iterable[Candidate]:
    """Its health check fails while it runs, or its group falls behind while Redis is well."""
    groups = [
        each
        for each in facts.data("streams").get("groups", ())
        if max(each["lag"] or 0, each["pending"]) > _BEHIND
    ]
    groups = [each for each in groups if each["name"] != facts.desk.streams.group]
    for service in facts.desk.compose.external_services:
        name = facts.desk.container_of(service)
        now = facts.container(name)
        if service == "redis" or not now or not alive(now):
            continue
        case = box_case(facts, "service_hung", name)
        named = name in facts.subject_containers()
        if now.get("health") == "unhealthy":
            case.sees("strong", f"{name} runs, and its health check fails", "container")
        if groups:
            lag = max(max(each["lag"] or 0, each["pending"]) for each in groups)
            case.sees(
                "clear" if named else "some",
                f"{groups[0]['name']} is {lag} entries behind on {groups[0]['stream']}",
                "streams",
            )
        if not facts.data("streams").get("reachable"):
            case.doubts("doubt", "Redis does not answer", "streams")
        case.needs("streams", "container")
        yield from case.concludes(
            f"{service} is up and does not keep up.",
            "Restart it: it takes its place in the stream up again.",
            remedies=remedy("restart", (service,), "it runs and does not process"),
            settle=f"docker logs --since 10m {name}",
            by_hand=f"docker logs --since 10m {name}",
        )
    if groups and not any(
        facts.container(facts.desk.container_of(each)) for each in facts.desk.compose.external_services
    ):
        case = Case(facts, "service_hung")
        case.sees("clear", f"{groups[0]['name']} is behind on {groups[0]['stream']}", "streams")
        yield from case.concludes(
            f"A service behind {groups[0]['name']} does not keep up.",
            "Find out which consumer of the group is idle, then restart that service.",
            settle=f"redis-cli XINFO CONSUMERS {groups[0]['stream']} {groups[0]['name']}",
            by_hand=f"redis-cli XINFO CONSUMERS {groups[0]['stream']} {groups[0]['name']}",
        )

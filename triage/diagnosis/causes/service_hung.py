"""A service is up and does not process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case, remedy
from triage.diagnosis.causes._containers import container_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts
    from triage.model import Json

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
    told = False
    for service in facts.desk.compose.external_services:
        name = facts.desk.container_of(service)
        now, mine = facts.container(name), [each for each in groups if _reads(facts, service, each)]
        if service == facts.desk.compose.redis_service or not (
            mine or (now and groups) or now.get("health") == "unhealthy"
        ):
            continue
        if facts.runs(name) is False or now.get("looping") or name in facts.paused():
            told = told or bool(mine)
            continue
        told = told or bool(mine) or bool(now)
        yield from _hung(facts, service, name, mine, groups)
    if groups and not told:
        case = Case(facts, "service_hung")
        case.sees("clear", f"{groups[0]['name']} is behind on {groups[0]['stream']}", "streams")
        yield from case.concludes(
            f"A service behind {groups[0]['name']} does not keep up.",
            "Find out which consumer of the group is idle, then restart that service.",
            settle=f"redis-cli XINFO CONSUMERS {groups[0]['stream']} {groups[0]['name']}",
            by_hand=f"redis-cli XINFO CONSUMERS {groups[0]['stream']} {groups[0]['name']}",
        )


def _reads(facts: Facts, service: str, group: Mapping[str, Json]) -> bool:
    """Say whether the desk's settings name a service as the reader of a stream."""
    return facts.desk.streams.readers.get(str(group["stream"])) == service


def _hung(
    facts: Facts,
    service: str,
    name: str,
    mine: Sequence[Mapping[str, Json]],
    groups: Sequence[Mapping[str, Json]],
) -> Iterable[Candidate]:
    """Make the case of one service that is not known to be down; ``mine``: the groups that it reads in."""
    now, case = facts.container(name), container_case(facts, "service_hung", name)
    if now.get("health") == "unhealthy":
        case.sees("strong", f"{name} runs, and its health check fails", "container")
    named, elsewhere = name in facts.subject_containers(), bool(groups) and not mine
    if mine:
        case.sees(
            "strong" if facts.runs(name) else "clear", f"{_behind(mine)}, which {service} reads", "streams"
        )
    elif elsewhere and not any(each["stream"] in facts.desk.streams.readers for each in groups):
        case.sees("clear" if named else "some", _behind(groups), "streams")
    if not facts.data("streams").get("reachable"):
        case.doubts("doubt", "Redis does not answer", "streams")
    case.needs("streams")
    if not facts.answered("changes"):
        case.needs("container")
    yield from case.concludes(
        f"{service} is up and does not keep up.",
        "Restart it: it takes its place in the stream up again.",
        remedies=remedy("restart", (service,), "it runs and does not process"),
        settle=f"docker logs --since 10m {name}",
        by_hand=f"docker logs --since 10m {name}",
    )


def _behind(groups: Sequence[Mapping[str, Json]]) -> str:
    worst = max(groups, key=lambda each: max(each["lag"] or 0, each["pending"]))
    return (
        f"{worst['name']} is {max(worst['lag'] or 0, worst['pending'])} entries behind on {worst['stream']}"
    )

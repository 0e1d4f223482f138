"""``startup``: env validated, services up, logs clean, Redis answers, strategies running."""

from __future__ import annotations

from triage.env_check import env_problems
from triage.model import FindingStatus
from triage.ports.sources import ContainerState, unread_containers
from triage.reports.checklists.model import (
    Checklist,
    ChecklistContext,
    Item,
    ItemAnswer,
    failed,
    from_finding,
    passed,
    unknown,
)
from triage.signals.guard_reasons import state_in_words
from triage.wording import listed


async def env(context: ChecklistContext) -> ItemAnswer:
    """Every key of the template is in ``.env`` with a value, and the bot image is pinned."""
    if context.desk.paths.env is None:
        return passed("the desk has no env file (paths.env)")
    have, template = await context.env.read(), await context.env.template()
    faults = env_problems(have, template)
    return failed("; ".join(faults)) if faults else passed(f"{len(template)} keys of the template are set")


def expected_services(context: ChecklistContext) -> tuple[str, ...]:
    """Return the services that should run now: bots, monitoring, and the external ones unless degraded."""
    compose = context.desk.compose
    external = (
        ()
        if context.degraded or compose.external_profile not in compose.profiles
        else compose.external_services
    )
    return (*(context.desk.service_of(bot) for bot in context.bots), *compose.monitoring_services, *external)


async def services(context: ChecklistContext) -> ItemAnswer:
    """Every expected container runs, and is not unhealthy."""
    entries = await context.sources.containers.list()
    unread = unread_containers(entries)
    found = {container.name: container for container in entries if not container.unread}
    faults = []
    expected = expected_services(context)
    for service in expected:
        name = context.desk.container_of(service)
        trouble = "" if unread and name not in found else _trouble(found.get(name))
        if trouble:
            faults.append(f"{name} {trouble}")
    if faults:
        return failed(listed(faults))
    if any(context.desk.container_of(service) not in found for service in expected):
        return unknown(unread)
    return passed(f"{len(expected)} containers run")


def _trouble(container: ContainerState | None) -> str:
    if container is None:
        return "does not exist"
    if not container.running:
        return f"is {container.status}"
    return "is unhealthy" if container.health == "unhealthy" else ""


async def logs(context: ChecklistContext) -> ItemAnswer:
    """No more errors in the bots' logs than usual."""
    return from_finding(await context.check("error_logs"))


async def redis(context: ChecklistContext) -> ItemAnswer:
    """Redis answers a ping as a master."""
    if context.degraded:
        return unknown("degraded mode is on: Redis is stopped on purpose")
    health = await context.sources.streams.health()
    text = f"ping {health.ping_seconds * 1000:.0f} ms, role {health.role}"
    return passed(text) if health.role == "master" and not health.loading else failed(text)


async def strategies(context: ChecklistContext) -> ItemAnswer:
    """Each bot shows a fresh state that is not hard_stop."""
    finding = await context.check("bot_state")
    bots = finding.data.get("bots", {})
    faults = []
    for bot in (bot for bot in context.bots if bot in bots):  # of one that is not, nothing can be read
        now = bots[bot]
        state = now.get("state")
        if now.get("frozen"):
            faults.append(f"{bot} is frozen")
        elif state in {None, "hard_stop"}:
            faults.append(f"{bot} {'has no state' if state is None else f'is {state_in_words(state)}'}")
    states = ", ".join(f"{bot} {state_in_words(bots[bot]['state'])}" for bot in context.bots if bot in bots)
    if faults:
        return failed(listed(faults))
    return unknown(finding.why) if finding.status is FindingStatus.UNKNOWN else passed(states)


CHECKLIST = Checklist(
    "startup",
    "Start-up",
    (
        Item("env", "env/.env is complete", env),
        Item("services", "services are up", services),
        Item("logs", "logs are clean", logs),
        Item("redis", "Redis answers", redis),
        Item("strategies", "strategies run", strategies),
    ),
)

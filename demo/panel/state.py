"""What the panel shows, as JSON: everything about the desk and its scenarios at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo.desk.scenarios import SCENARIOS
from demo.desk.scenarios.base import NOTHING
from demo.desk.services import EXTERNAL
from demo.progress import Phase, judged
from triage.diagnosis.strength import strength

if TYPE_CHECKING:
    from demo.desk.bot_model import Bot
    from demo.desk.desk import SimulatedDesk
    from demo.desk.scenarios.base import Remedy, Scenario
    from demo.progress import ScenarioRun
    from demo.scenario_runner import ScenarioRunner

Json = dict[str, Any]
FROZEN_AFTER = 180.0


def menu() -> list[Json]:
    """Return the scenarios before there is a desk to run them on."""
    return [_scenario(scenario, None) for scenario in SCENARIOS.values()]


def panel_state(runner: ScenarioRunner) -> Json:
    """Return the whole of it."""
    demo = runner.demo
    return {
        "ready": True,
        "time": {
            "now": demo.clock.now(),
            "speed": demo.clock.speed,
            "chosen": runner.pace.chosen,
            "skipping": demo.clock.now() < runner.pace.skip_until,
            "fixed": runner.fixed,
        },
        "scenarios": [_scenario(one, runner.runs.get(name)) for name, one in SCENARIOS.items()],
        "playing": runner.current.scenario.name if runner.current is not None else "",
        "desk": _desk(demo.desk),
        "real": list(demo.real),
    }


def _scenario(scenario: Scenario, run: ScenarioRun | None) -> Json:
    shown: Json = {
        "name": scenario.name,
        "title": scenario.title,
        "story": scenario.story,
        "phase": run.phase.value if run is not None else Phase.IDLE.value,
    }
    if run is None:
        return shown
    incident = run.incident
    shown["incident"] = f"INC-{incident.id}" if incident is not None else ""
    shown["ts"] = incident.ts if incident is not None else ""
    shown["since"] = run.started_at.timestamp()
    shown["hint"] = _hint(run)
    if run.truth_shown:
        shown["truth"] = _truth(run)
    return shown


def _hint(run: ScenarioRun) -> str:
    """Say what happens now, and what there is to do."""
    incident = f"INC-{run.incident.id}" if run.incident is not None else "the incident"
    acted = any(one.status.ran for one in run.seen.actions)
    left_open = run.incident is not None and not run.incident.closed
    return {
        Phase.IDLE: "",
        Phase.PENDING: "Something is wrong on the desk. Its alert comes when its rule has waited long enough.",
        Phase.FIRED: f"The alert is in #desk-alerts as {incident}. The checks are running.",
        Phase.TRIAGED: f"{incident} was acted upon. Time runs fast for a while, to show whether it helps."
        if acted
        else f"Your turn: read {incident}, open its thread, and press what you think is right.",
        Phase.HEALING: f"The cause is gone. {incident} closes when its alerts have ended.",
        Phase.CURED: f"{incident} stays open until what was switched off is back: its thread offers the way out."
        if left_open
        else "",
    }[run.phase]


def _truth(run: ScenarioRun) -> Json:
    scenario, found = run.scenario, judged(run)
    verdict = found.verdict
    return {
        "cause": scenario.cause_sentence,
        "named": found.named,
        "verdict": verdict.headline if verdict is not None else "",
        "strength": strength(verdict) if verdict is not None else "",
        "used": list(found.used),
        "right": found.right,
        "remedies": [_remedy(one) for one in scenario.remedies],
    }


def _remedy(remedy: Remedy) -> Json:
    what = "nothing to press" if remedy.kind == NOTHING else f"{remedy.kind} on {remedy.target}"
    return {"what": what, "how": remedy.how}


def _desk(desk: SimulatedDesk) -> Json:
    world = desk.world
    redis = world.engine.of_service("redis")
    others = [
        one
        for one in world.engine.containers.values()
        if one.spec.name not in {*world.bots, *EXTERNAL, "redis"}
    ]
    return {
        "bots": [_bot(desk, bot) for bot in world.bots.values()],
        "redis": {
            "status": redis.status if redis is not None else "removed",
            "serving": world.redis.serving,
        },
        "external": [_container(desk, name) for name in EXTERNAL],
        "services": [_container(desk, one.spec.name) for one in others],
        "disk": world.host.disk_used,
    }


def _bot(desk: SimulatedDesk, bot: Bot) -> Json:
    world = desk.world
    container = world.container_of(bot)
    age = world.clock.now() - bot.row.at if bot.row is not None else None
    return {
        "name": bot.name,
        "pair": bot.pair,
        "state": bot.state,
        "reasons": list(bot.reasons),
        "container": container.status if container is not None else "removed",
        "restarts": container.restart_count if container is not None else 0,
        "frozen": age is None or age > FROZEN_AFTER,
        "equity": bot.row.equity if bot.row is not None else None,
        "pnl": bot.row.daily_pnl if bot.row is not None else None,
    }


def _container(desk: SimulatedDesk, service: str) -> Json:
    container = desk.world.engine.of_service(service)
    status = container.status if container is not None else "removed"
    return {"name": service, "status": "hung" if container is not None and container.hung else status}

"""The runbook's emergency rollback of paper trading: ``internal_paper_enabled: false``, then recreate."""

from __future__ import annotations

from triage.actions.base import ActionContext, TargetKind
from triage.actions.compose import recreate_and_wait
from triage.actions.fitness import NO_ROOM, PAUSED, STATE_UNKNOWN, Fitness
from triage.actions.inspection import engine_answers
from triage.actions.kinds.restart import Restart
from triage.actions.loaded_controllers import loaded
from triage.actions.project import images_here, project_fits
from triage.desk import Desk
from triage.errors import DeskFailure, Refused
from triage.plans import agent_orders
from triage.plans.agent_orders import Allowed, ComposeOrder, allowed
from triage.plans.operations import SetController
from triage.plans.plan import Holds, Plan, Precondition, Step
from triage.ports.actions import ControllerFile
from triage.untrusted_text import one_line

_KEY = "internal_paper_enabled"


FITNESS = Fitness(threshold=0.9, against=(PAUSED, NO_ROOM, STATE_UNKNOWN))


class DisableInternalPaper(Restart):
    """Change one boolean in the controller's YAML, comments kept; verified as a restart is."""

    kind = "disable_internal_paper"
    fitness = FITNESS
    label = "Internal paper off"
    description = "switch internal paper trading off and recreate"
    target_kind = TargetKind.BOT

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """One boolean off, then the bot anew."""
        return (
            allowed(agent_orders.SetControllerOrder, bot=target, key=_KEY, value=False),
            allowed(ComposeOrder, verb="recreate", service=desk.service_of(target)),
        )

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """The controller has the switch and it is on; where orders would go then is said."""
        engine = await engine_answers(ctx)
        try:
            file = await _controller(ctx)
        except (DeskFailure, Refused) as error:
            return (engine, Precondition(str(error), Holds.NO))
        on = file.values[_KEY] == "true"
        state = Precondition(f"{file.file}: {_KEY} is {file.values[_KEY]}", Holds.YES if on else Holds.NO)
        connector = one_line(file.values.get("connector_name", "(none)"), 60)
        paper = connector.endswith("_paper_trade")
        where = Precondition(
            f"connector_name is {connector}" + ("" if paper else ": the bot would place REAL orders"),
            Holds.YES if paper else Holds.WARNING,
        )
        return (engine, await project_fits(ctx), await images_here(ctx), state, where)

    async def plan(self, ctx: ActionContext) -> Plan:
        """Edit, recreate, wait."""
        file = await _controller(ctx)
        if file.values[_KEY] != "true":
            off = file.values[_KEY] == "false"
            said = (
                "off already"
                if off
                else f"{one_line(file.values[_KEY], 40)}, neither on nor off: mend it by hand"
            )
            raise Refused(f"{file.file}: {_KEY} is {said}.")
        change = SetController(ctx.target, file.file, _KEY, value=False, was=True)
        return Plan(
            kind=self.kind,
            target=ctx.target,
            title=f"Internal paper off on {ctx.target}",
            steps=(
                Step(f"set {_KEY} to false", change, agent_orders.SECONDS[agent_orders.SetControllerOrder]),
                *recreate_and_wait(ctx.desk, ctx.service, ctx.container, external=not ctx.degraded),
            ),
            side_effects=("the controller's own paper engine is off: orders go to its connector",),
            wont=("change connector_name or any other key", "touch any other bot"),
            checks=self.checks,
        )


async def _controller(ctx: ActionContext) -> ControllerFile:
    """Return the one controller file of the bot that has the switch. Raises Refused, DeskFailure."""
    bot = ctx.desk.bot(ctx.target)
    controller = bot.controller if bot is not None else ""
    found_files = loaded(await ctx.access.controllers.read(ctx.target), controller)
    if found_files.unclear:
        raise Refused(f"{ctx.target}: {found_files.unclear[0]}.")
    files = [file for file in found_files.controllers if _KEY in file.values]
    mine = [
        file for file in files if controller in {file.values.get("controller_name"), file.values.get("id")}
    ]
    found = mine or files
    if len(found) != 1:
        names = ", ".join(file.file for file in found) or "none"
        raise Refused(f"{_KEY} must stand in one controller file of {ctx.target}; it stands in: {names}.")
    return found[0]


ACTION = DisableInternalPaper()

"""What an action of the catalogue is: one file that names its target, preconditions, plan and verification."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from triage.actions.fitness import Fitness
from triage.actions.verification import compare
from triage.desk import Desk
from triage.model import ActionProposal, Finding
from triage.plans.agent_orders import Allowed
from triage.plans.plan import Plan, Precondition
from triage.plans.record import ActionRecord, StepRecord
from triage.plans.verification import GOOD, Observation, Row, Verification
from triage.ports.actions import DeskAccess
from triage.ports.sources import Sources


class TargetKind(StrEnum):
    """What an action is done to."""

    BOT = "bot"
    SERVICE = "service"
    """A compose service; a bot is one too."""
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What an action may know and use when it is planned, checked or verified.

    ``token`` names this action in files and ids; ``degraded``: degraded mode is on; ``snapshots``: what is
    known of archives (name → facts, see ``triage.actions.snapshots``).
    """

    desk: Desk
    sources: Sources
    access: DeskAccess
    now: datetime
    target: str
    token: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    degraded: bool = False
    snapshots: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def container(self) -> str:
        """The target's container."""
        return self.desk.container_of(self.target)

    @property
    def service(self) -> str:
        """The target's compose service."""
        return self.desk.service_of(self.target)

    @property
    def bots(self) -> tuple[str, ...]:
        """The bots the action is about: the target, or every bot for the desk."""
        if self.desk.bot(self.target) is not None:
            return (self.target,)
        return tuple(bot.name for bot in self.desk.bots) if self.target == "desk" else ()


@dataclass(frozen=True, slots=True)
class Option:
    """One value that can be chosen for an argument."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class ArgumentChoice:
    """One argument that is chosen in the modal, with what is chosen now."""

    name: str
    label: str
    options: tuple[Option, ...]
    chosen: str


class Action(ABC):
    """An action of the catalogue.

    ``kind``: its name in desk.yaml, commands and buttons' ids, the file's own name; ``label``: what its button says;
    ``description``: what it is for, as a line of a menu; ``dangerous``: its button is red.
    ``checks``: asked before and after; ``deciding``: those of them whose answer decides whether it helped;
    ``aside``: shown beside and never held against it, because the action itself makes them bad.
    ``stops_trading``: it is done to stop trading, so a bot that stands afterwards is as asked.
    ``whole_watch``: its health is watched for the whole of ``health_watch_seconds``, not until it is well.
    ``leaves``: what it leaves out of work on purpose, as a clause, so that its end is no recovery yet.
    ``fitness``: when a verdict may offer it.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]
    dangerous: ClassVar[bool] = False
    target_kind: TargetKind
    fitness: Fitness
    checks: tuple[str, ...] = ()
    deciding: frozenset[str] = frozenset()
    aside: frozenset[str] = frozenset()
    whole_watch: bool = False
    stops_trading: ClassVar[bool] = False
    leaves: ClassVar[str] = ""

    @abstractmethod
    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Return what must hold, as found now. Raises nothing for a source that is down: it says so."""

    @abstractmethod
    async def plan(self, ctx: ActionContext) -> Plan:
        """Return what will be done. Raises Refused where no plan can be made, DeskFailure, SourceError."""

    async def choices(self, ctx: ActionContext) -> tuple[ArgumentChoice, ...]:
        """Return what is to be chosen before the plan is made."""
        del ctx
        return ()

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """Return what this action looks at beside the checks, as it is now."""
        del ctx, findings
        return ()

    async def observe(self, ctx: ActionContext, findings: tuple[Finding, ...]) -> Observation:
        """Return everything that is compared, as it is now."""
        from triage.diagnosis.checks import CHECKS  # noqa: PLC0415 - the agent knows actions, and needs no checks

        by_name = {finding.name: finding for finding in findings}
        own = await self.rows(ctx, by_name)
        asked = tuple(
            Row(
                CHECKS[finding.name].TITLE,
                finding.headline,
                None if finding.name in self.aside else GOOD[finding.status],
                decides=finding.name in self.deciding,
            )
            for finding in findings
        )
        return Observation(ctx.now, (*own, *asked))

    def judge(self, before: Observation | None, after: Observation) -> Verification:
        """Say whether it helped."""
        return compare(before, after)

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """Return the orders that a plan of this kind may hold, in their turn: the agent takes no others."""
        del desk, target
        return ()

    def stopped(self, desk: Desk) -> tuple[str, ...]:
        """Return the containers that it leaves stopped on purpose, until it is undone."""
        del desk
        return ()

    def follow_ups(self, record: ActionRecord, steps: Sequence[StepRecord]) -> tuple[ActionProposal, ...]:
        """Return what to offer once the action ended as ``record`` and ``steps`` say: its undo, its way out."""
        del record, steps
        return ()

"""The demo for tests, without its page and its process, and operators who press what Slack shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from demo.clock import SimClock
from demo.progress import Phase, ScenarioRun
from demo.running import RunningDemo, open_demo
from demo.scenario_runner import ScenarioRunner
from demo.slack import Actor, Message, SlackServer
from demo.slack.blockkit import walk
from demo.slack.page import workspace_page
from tests.servers.process import eventually
from triage.model import RunStatus
from triage.plans.record import ActionRecord
from triage.ports.store import MessageKind, Tx

CHANNEL = "C0TRIAGE01"
START = 1_771_600_000.0
"""2026-02-20T15:06:40Z: far from midnight, at which a desk's day, and with it its losses, begin anew."""


@dataclass
class DemoUnderTest:
    """A running demo, what runs its scenarios, and its Slack."""

    demo: RunningDemo
    runner: ScenarioRunner
    slack: SlackServer

    async def until(self, condition: Callable[[], object], what: str, seconds: float = 90) -> None:
        """Wait until something is so; what is in Slack is shown when it is not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds:g} s\n{self.story()}")
            await asyncio.sleep(0.05)

    async def reaches(self, name: str, *phases: Phase, seconds: float = 120) -> ScenarioRun:
        """Wait until a scenario is in one of the phases, and return it."""
        await self.until(lambda: self.runner.runs[name].phase in phases, f"{name} {phases}", seconds)
        return self.runner.runs[name]

    def cards(self) -> list[Message]:
        """Return the incidents' messages."""
        return self.slack.messages(CHANNEL)

    def thread(self, incident: int) -> list[Message]:
        """Return what is in an incident's thread, empty while it has no message."""
        card = next((one for one in self.cards() if f"INC-{incident} " in one.text), None)
        return [] if card is None else self.slack.thread(card)

    async def press(self, kind: str, target: str, choice: Mapping[str, str] | None = None) -> None:
        """Do an action as people do: Ana presses the button (or asks for it), gives a reason, Ben agrees where asked."""
        ana, ben = self.slack.member("ana"), self.slack.member("ben")
        await self._at_rest()
        card = next((one for one in self.cards() if self._offers(one, kind, target)), None)
        if card is not None:
            await ana.click(card, f"action.{kind}")
        else:
            await ana.command(f"/triage do {kind} {target}")
        await self._filled(ana, choice or {})
        await ana.submit({"reason": "as the runbook says"})
        if await self._needs_two(kind, target):
            await self.until(self._second, "the message that waits for a second person", 30)
            await ben.click(self._second(), f"action.{kind}")
            await self._filled(ben, {})
            await ben.submit({"reason": "agreed"})

    async def _at_rest(self) -> None:
        """Wait for each triage that is due, and for its card: one that comes after a press brings a new proposal."""

        async def rests() -> bool:
            now = self.runner.now
            return await self.demo.store.read(lambda tx: _at_rest(tx, now))

        await eventually(rests, "the end of all triages", within=60, every=0.1)

    async def _needs_two(self, kind: str, target: str) -> bool:
        """Wait until the action is confirmed; return whether another person must agree."""
        found: list[ActionRecord] = []

        async def confirmed() -> bool:
            recent = await self.demo.store.read(lambda tx: list(tx.actions.recent()))
            found[:] = [
                one for one in recent if (one.kind, one.target) == (kind, target) and one.confirmations
            ]
            return bool(found)

        await eventually(confirmed, f"{kind} on {target}, confirmed", within=30, every=0.1)
        return max(found, key=lambda one: one.id).needed > 1

    async def _filled(self, person: Actor, choice: Mapping[str, str]) -> None:
        """Wait for the form with its plan, and choose in it."""
        await person.sees_modal("confirm_action", 15)
        await self.until(
            lambda: person.modal and "submit" in person.modal.body, "a plan that can be confirmed", 15
        )
        for name, value in choice.items():
            before = str(person.modal and person.modal.body)
            await person.click(None, "action_choice", value, block_id=f"choice.{name}")
            await self.until(partial(_planned_anew, person, before), "the plan of it", 15)

    def _offers(self, card: Message, kind: str, target: str) -> bool:
        """Say whether a card has one button for that, and it is for that target."""
        run = self.runner.current
        causes = run.incident.causes if run is not None and run.incident is not None else ()
        offered = {(one.kind, one.target) for cause in causes for one in cause.actions}
        buttons = [one for _, _, one in walk(card.blocks) if one.get("action_id") == f"action.{kind}"]
        return len(buttons) == 1 and (kind, target) in offered

    def _second(self) -> Message | None:
        for card in self.cards():
            for reply in self.slack.thread(card):
                if "Waits for a second person" in str(reply.blocks) + reply.text:
                    return reply
        return None

    def story(self) -> str:
        """Return all that is said in Slack and how the scenarios stand."""
        lines = [f"{run.scenario.name}: {run.phase}" for run in self.runner.runs.values()]
        for run in self.runner.runs.values():
            for told in run.seen.incidents:
                causes = [f"{one.cause} {one.confidence:.0%} {one.because}" for one in told.causes]
                lines.append(f"  INC-{told.id} {sorted(told.names)} {told.status}: {causes}")
            lines += [f"  {one.kind} on {one.target}: {one.status} {one.outcome}" for one in run.seen.actions]
        for card in self.cards():
            lines += [card.text, *(f"    {reply.text}" for reply in self.slack.thread(card))]
        return "\n".join(lines)


def _planned_anew(person: Actor, before: str) -> bool:
    """Whether another plan than before can be confirmed."""
    view = person.modal
    return view is not None and "submit" in view.body and str(view.body) != before


def _at_rest(tx: Tx, now: datetime) -> bool:
    """Whether every signal is sorted, each triage that is due has ended, and the cards show what they found.

    A triage that has been queued for longer than a moment waits on purpose: for its incident's next turn.
    """
    for incident in (one for one in tx.incidents.recent(now - timedelta(days=1)) if one.is_open):
        run, card = tx.runs.latest(incident.id), tx.outbox.find(MessageKind.CARD, str(incident.id))
        if run is not None and (
            run.status is RunStatus.RUNNING
            or (run.status is RunStatus.QUEUED and now - run.requested_at < timedelta(seconds=1))
        ):
            return False
        if card is not None and card.sent_revision < card.wanted_revision:
            return False
    return not tx.signals.waiting()


@asynccontextmanager
async def demo_under_test(folder: Path, *, page: bool = False) -> AsyncIterator[DemoUnderTest]:
    """Open a demo below ``folder`` and watch its scenarios; with ``page`` the workspace can be seen in a browser."""
    clock = SimClock(start=START)
    extend = workspace_page() if page else None
    async with SlackServer(clock=clock.now, extend=extend) as slack, open_demo(folder, slack, clock) as demo:
        runner = ScenarioRunner(demo)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(runner.run())
            try:
                yield DemoUnderTest(demo, runner, slack)
            finally:
                watching.cancel()

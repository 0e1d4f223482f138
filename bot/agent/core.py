"""The agent: judges, records, does, records. The same code in the bot's process and behind the socket."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.agent import policy
from bot.agent.order_executor import OrderExecutor
from bot.agent.policy import Knowledge
from bot.agent.record import AgentRecord
from bot.agent.slack_proof import SlackProof
from triage.desk import Desk
from triage.errors import ChangeNotConfirmed, DeskFailure, Refused, SourceError
from triage.masking import masked, masked_and_cut
from triage.model import Json
from triage.ports.actions import NightlySnapshot, OnOutput, Performed, ShownPlan
from triage.ports.clock import Clock

_ROLLBACK = "extract"
LINES_PER_HOUR = 2_000
"""What requests that do nothing (refused, confirmed, anchored) may add to the record: whoever took the bot over
must not fill the disk with it."""


class LocalAgent:
    """Implements ``triage.ports.actions.Agent`` for the desk of this process.

    ``proof`` checks Slack's signature of every confirmation where the agent has the signing secret. ``apart``: the
    bot is another process, so that a desk.yaml which gives a role to nobody lets nobody act.
    """

    def __init__(
        self,
        desk: Desk,
        executor: OrderExecutor,
        record: AgentRecord,
        clock: Clock,
        proof: SlackProof | None = None,
        *,
        apart: bool = False,
    ) -> None:
        self._apart = apart
        self._desk, self._executor, self._record, self._clock, self._proof = (
            desk,
            executor,
            record,
            clock,
            proof,
        )
        self._known = Knowledge()
        for entry in record.entries:
            self._known.learn(entry)
        record.entries.clear()  # learnt; what follows is not kept twice
        self._owed: list[tuple[str, Mapping[str, Json]]] = []
        """Ends of steps for which the disk had no room: they are recorded before anything else is."""
        self._turn = asyncio.Lock()
        self._lines: deque[datetime] = deque(maxlen=LINES_PER_HOUR)
        for token, step in self._known.interrupted():
            self._write("unknown", {"action": token, "step": step, "note": "the agent stopped during it"})
            self._write("over", {"action": token})

    @property
    def head(self) -> tuple[int, str]:
        """The record's length and last digest: what somebody outside may note down."""
        return self._record.number, self._record.head

    @property
    def proves(self) -> bool:
        """Whether confirmations are believed by Slack's signature alone."""
        return self._proof is not None

    def _write(self, what: str, about: Mapping[str, Json]) -> None:
        while self._owed:
            self._append(*self._owed[0])
            del self._owed[0]
        self._append(what, about)

    def _append(self, what: str, about: Mapping[str, Json]) -> None:
        self._known.learn(self._record.append(self._clock.now(), what, about))

    def _write_asked(self, what: str, about: Mapping[str, Json]) -> None:
        """Record what a request alone causes. Raises DeskFailure where such lines are too many."""
        now, lines = self._clock.now(), self._lines
        if len(lines) == LINES_PER_HOUR and timedelta(0) <= now - lines[0] < policy.HOUR:
            raise DeskFailure(
                f"the agent recorded {LINES_PER_HOUR} requests within an hour and takes no more of them now"
            )
        lines.append(now)
        self._write(what, about)

    def _refuse(self, what: str, why: str, about: Mapping[str, Json]) -> None:
        self._write_asked("refused", {**about, "asked": what, "why": masked_and_cut(why, 300)})
        raise Refused(f"The agent refuses: {why}. Nothing was done.")

    async def confirm(self, shown: ShownPlan) -> None:
        """Show a plan that somebody confirms now. Raises Refused where the agent would not carry it out."""
        async with self._turn:
            now = self._clock.now()
            why = policy.why_not_confirm(
                self._desk, self._known, shown, now, apart=self._apart, proven=self.proves
            )
            if not why and self._proof is not None:
                why = self._proof.why_not(shown, now)
            if why:
                self._refuse(
                    "confirm", why, {"action": shown.token, "kind": shown.kind, "actor": shown.actor}
                )
            proven = {"proven": self._proof is not None}
            self._write_asked("confirmed", {**policy.about_confirmation(shown), **proven})

    async def perform(self, token: str, number: int, on_output: OnOutput) -> Performed:
        """Carry out the order of a step of a confirmed plan: at most once, whatever happens."""
        about = {"action": token, "step": number}
        async with self._turn:
            why = policy.why_not_step(self._desk, self._known, token, number, self._clock.now())
            if why:
                self._refuse("step", why, about)
            order = self._known.actions[token].order(number)
            self._write("begun", about)
        if order is None:  # pragma: no cover - judged above
            raise Refused("there is nothing to do")
        return await self._performed(about, self._executor.do(order, token, on_output))

    async def _performed(self, about: Mapping[str, Json], work: object) -> Performed:
        try:
            performed: Performed = await work  # type: ignore[misc]
        except ChangeNotConfirmed as error:  # neither done for sure nor undone: what takes it back is offered
            performed = Performed(ok=False, note=str(error), known=False)
        except (DeskFailure, SourceError) as error:
            performed = Performed(ok=False, note=str(error))
        except (
            BaseException
        ) as error:  # where the disk takes no line it is owed: what is raised stays what it is
            self._ended(about, Performed(ok=False, note=f"ended by {type(error).__name__}", known=False))
            raise
        performed = self._ended(about, performed)
        # Of what a command says, the one who asked gets nothing that the masking knows for a secret.
        return replace(performed, output=await asyncio.to_thread(masked, performed.output))

    def _ended(self, about: Mapping[str, Json], performed: Performed) -> Performed:
        """Record how a step ended. Where that cannot be, the step was done all the same: its end is not known for sure."""
        how = "done" if performed.ok else "failed" if performed.known else "unknown"
        line = (how, {**about, "note": masked_and_cut(performed.note, 300)})
        try:
            self._write(*line)
        except DeskFailure:
            self._owed.append(line)
            note = f"{performed.note}; the agent's disk did not take that down"
            return replace(performed, ok=False, known=False, note=note)
        return performed

    async def end(self, token: str) -> None:
        """Say that an action is over: its target is free, nothing further of it is carried out."""
        async with self._turn:
            known = self._known.actions.get(token)
            if known is not None and not known.over:
                self._write("over", {"action": token})

    async def tidy(self, token: str) -> None:
        """Remove what an action that is over left beside the bots' folders."""
        known = self._known.actions.get(token)
        if known is None or not any(order.order == _ROLLBACK for _, order in known.orders):
            return
        if not known.over:
            raise Refused("The agent refuses: this action is not over. Nothing was done.")
        await self._executor.tidy(known.target, token)

    async def keep_snapshot(self, bot: str) -> NightlySnapshot:
        """Take the nightly snapshot of a bot, and remove the oldest ones. Raises Refused where it is too early."""
        async with self._turn:
            now = self._clock.now()
            if why := policy.why_not_nightly(self._known, self._desk, bot, now):
                self._refuse("nightly", why, {"bot": bot[:63]})
            self._write("nightly", {"bot": bot})
        return await self._executor.keep_snapshot(bot, f"{now:%Y%m%d_%H%M%S}")

    async def anchor(self, sequence: int, digest: str) -> None:
        """Write the head of the audit trail into the agent's own record.

        Raises Refused where it goes back, DeskFailure where it is further than a trail can have got.
        """
        async with self._turn:
            if why := policy.why_not_anchor(self._known, sequence, digest):
                self._refuse("anchor", why, {"sequence": sequence})
            if why := policy.why_too_far(self._known, sequence, self._clock.now()):
                self._write_asked("refused", {"sequence": sequence, "asked": "anchor", "why": why})
                raise DeskFailure(f"The agent does not take this head: {why}.")
            if (sequence, digest) != self._known.anchor:
                self._write_asked("anchored", {"sequence": sequence, "digest": digest})

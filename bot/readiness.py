"""Whether the service can do its work, dependency by dependency, from what its parts already know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from loguru import logger

from bot.agent.client import hello
from bot.liveness import Liveness
from bot.slack.problems import said_together
from handlers.health import Dependency
from triage.concurrency import FAULTS, is_stop
from triage.errors import DeskFailure, SourceError, StoreUnavailable
from triage.ports.clock import Clock
from triage.ports.store import OutboxState, Store
from triage.untrusted_text import fault_words
from triage.wording import counted, duration

STUCK_SECONDS = 30.0
"""A loop that has not gone round for this long is stuck: each looks up every few seconds."""
OWED_SECONDS = 300.0
"""A message owed for this long means that people are not told."""
STORE_SECONDS, AGENT_SECONDS = 2.0, 1.0
"""How long the store and the agent have for their answer."""
EMBEDDED = "the host: the agent works in this process (TRIAGE_AGENT is not set)"
LOOPS = ("intake", "triage", "sender", "actions", "reconcile")


@dataclass(slots=True)
class Readiness:
    """Answers ``/readyz``. ``slack_problems`` and ``troubles`` are what parts say of themselves, by name.

    ``agent``: the address of the agent, empty where it works in this process.
    """

    store: Store
    clock: Clock
    liveness: Liveness
    slack_connected: Callable[[], bool]
    slack_problems: Callable[[], Mapping[str, str]]
    troubles: Callable[[], Mapping[str, str]]
    store_problem: Callable[[], str] = lambda: ""
    """What the store knows of itself: that its last commit failed, that the database is damaged."""
    agent: str = ""

    async def dependencies(self) -> dict[str, Dependency]:
        """Return each dependency's state; takes STORE_SECONDS and AGENT_SECONDS at the most."""
        found = {"store": Dependency(ok=True, needed=True)}
        try:
            async with asyncio.timeout(STORE_SECONDS):
                outbox = await self.store.read(lambda tx: tx.outbox.state())
        except (StoreUnavailable, TimeoutError) as error:
            why = str(error) or f"no answer within {STORE_SECONDS:g} s"
            found["store"] = Dependency(ok=False, needed=True, why=why)
        except FAULTS as error:
            found["outbox"] = _failed(error)
        else:
            found["outbox"] = self._outbox(outbox, self.clock.now())
        if problem := self.store_problem():
            found["store"] = Dependency(ok=False, needed=True, why=problem)
        found["loops"] = self._loops()
        found["slack"] = self._slack()
        found["agent"] = await self._agent()
        try:
            troubles = self.troubles()
        except Exception as error:  # noqa: BLE001 - one part's fault must not hide how the others are
            return {**found, "troubles": _failed(error)}
        return {
            **found,
            **{name: Dependency(ok=not why, needed=False, why=why) for name, why in troubles.items()},
        }

    async def _agent(self) -> Dependency:
        """Who touches the desk: an agent apart, asked now, or this very process, which then holds the host."""
        if not self.agent:
            return Dependency(ok=True, needed=False, facts={"apart": False, "holds": EMBEDDED})
        try:
            async with asyncio.timeout(AGENT_SECONDS):
                who = await hello(self.agent)
        except TimeoutError:
            return Dependency(ok=False, needed=False, why=f"no answer within {AGENT_SECONDS:g} s")
        except (DeskFailure, SourceError) as error:
            return Dependency(ok=False, needed=False, why=str(error))
        return Dependency(ok=True, needed=False, facts={"apart": True, "record": who.record.entries})

    @staticmethod
    def _outbox(state: OutboxState, now: datetime) -> Dependency:
        waits = (now - state.oldest_at).total_seconds() if state.oldest_at is not None else 0.0
        late = waits > OWED_SECONDS
        error = f": {state.last_error}" if state.last_error else ""
        owed = counted(state.pending, "message")
        why = f"the oldest of {owed} to Slack has waited for {duration(waits)}{error}" if late else ""
        facts = {"pending": state.pending, "oldest_seconds": round(waits, 1)}
        return Dependency(ok=not late, needed=False, why=why, facts=facts)

    def stuck(self) -> str:
        """Say which of the service's own loops have not gone round for too long; empty where all have."""
        stuck = [name for name in LOOPS if (self.liveness.age(name) or 0.0) > STUCK_SECONDS]
        return f"stuck: {', '.join(stuck)}" if stuck else ""

    def _loops(self) -> Dependency:
        why, ages = self.stuck(), {name: self.liveness.age(name) for name in LOOPS}
        facts = {"seconds_since": {name: round(age, 1) for name, age in ages.items() if age is not None}}
        return Dependency(ok=not why, needed=True, why=why, facts=facts)

    def _slack(self) -> Dependency:
        problems = self.slack_problems()
        if problems:
            return Dependency(ok=False, needed=False, why=said_together(problems.values()))
        connected = self.slack_connected()
        # Not needed: webhooks are taken and kept while Slack is away, which is when they matter.
        return Dependency(ok=connected, needed=False, why="" if connected else "no connection to Slack")


def _failed(error: BaseException) -> Dependency:
    """Return how something is of which we failed to find out. A request to stop is raised again."""
    if is_stop(error):
        raise error
    logger.opt(exception=error).error("how a part is cannot be told")
    return Dependency(ok=False, needed=False, why=fault_words(error))

"""What an answer may be made from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from triage.desk import Desk
from triage.diagnosis.checks import CHECKS
from triage.diagnosis.checks.base import CheckContext
from triage.diagnosis.runner import run_checks
from triage.errors import Refused
from triage.model import Finding, Incident
from triage.playbooks.model import Playbook
from triage.ports.clock import Clock
from triage.ports.sources import Sources
from triage.ports.store import Store, Tx
from triage.reports.checklists.model import ChecklistContext
from triage.reports.incident_view import IncidentView
from triage.wording import listed, nearest, together

CHECK_SECONDS = 4.0
"""How long a check may take that somebody waits for."""


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """Everything an answer may need. ``view`` gathers an incident's view; ``checklist`` a checklist's context."""

    store: Store
    desk: Desk
    sources: Sources
    clock: Clock
    view: Callable[[Tx, Incident], IncidentView]
    checklist: Callable[[], Awaitable[ChecklistContext]]

    @property
    def bots(self) -> tuple[str, ...]:
        """The desk's bots, in their order."""
        return tuple(bot.name for bot in self.desk.bots)

    def known_words(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return the words with those that name a bot as its name: ``bot 1`` is ``bot1``."""
        return together(words, self.bots)

    def known_bot(self, name: str) -> str:
        """Return a bot's name as the desk has it. Raises Refused, naming the bots, where there is none."""
        for bot in self.bots:
            if bot.lower() == name.lower():
                return bot
        like = nearest(name, self.bots)
        meant = f"did you mean {like}? " if like else ""
        raise Refused(f"There is no bot {name[:60]!r}; {meant}the desk has {listed(self.bots, 12)}.")

    async def findings(self, names: Sequence[str], bots: Sequence[str]) -> tuple[Finding, ...]:
        """Run checks about bots, each within ``CHECK_SECONDS``."""
        playbook = Playbook(
            "asked",
            "{subject}",
            None,
            tuple(name for name in names if name in CHECKS),
            deadline_seconds=CHECK_SECONDS,
        )
        return await run_checks(playbook, replace(self.context(bots), quick=True), self.clock)

    def context(self, bots: Sequence[str], since: datetime | None = None) -> CheckContext:
        """Return what checks about some bots may know."""
        now = self.clock.now()
        return CheckContext(
            desk=self.desk,
            sources=self.sources,
            now=now,
            since=since or now,
            bots=tuple(bots),
            containers=tuple(self.desk.container_of(bot) for bot in bots),
            single_bot=len(bots) == 1,
        )

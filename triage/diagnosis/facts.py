"""What rules may look at: the findings, the alerts, and what the triage is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from triage.model import Episode, Finding, FindingStatus, IncidentShape, Json, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from triage.desk import Desk


@dataclass(frozen=True, slots=True)
class Facts:
    """One triage as the rules see it; see each check's module for the shape of its data."""

    desk: Desk
    now: datetime
    since: datetime
    bots: tuple[str, ...]
    containers: tuple[str, ...]
    findings: Mapping[str, Finding]
    episodes: tuple[Episode, ...] = ()
    shape: IncidentShape = IncidentShape.SINGLE

    def data(self, check: str) -> Mapping[str, Json]:
        """Return a check's data; empty where it did not run or does not know."""
        finding = self.findings.get(check)
        return finding.data if finding is not None else {}

    def answered(self, check: str) -> bool:
        """Say whether a check ran and got an answer."""
        finding = self.findings.get(check)
        return finding is not None and (finding.status is not FindingStatus.UNKNOWN or bool(finding.data))

    def asked(self, check: str) -> bool:
        """Say whether a check was part of the playbook."""
        return check in self.findings

    def of_bots(self, check: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Yield each bot that a per-bot check speaks of, with its data."""
        yield from self.data(check).get("bots", {}).items()

    def state(self, bot: str) -> Mapping[str, Json]:
        """Return what the bot_state check knows of a bot; empty where nothing."""
        return dict(self.data("bot_state").get("bots", {}).get(bot, {}))

    def container(self, name: str) -> Mapping[str, Json]:
        """Return what the container check knows of a container; empty where nothing."""
        return dict(self.data("container").get("containers", {}).get(name, {}))

    def of_containers(self) -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Yield each container that the container check speaks of."""
        yield from self.data("container").get("containers", {}).items()

    def reasons(self, *wanted: str) -> list[tuple[str, str]]:
        """Return (bot, reason) for every guard reason among the wanted ones."""
        return [
            (bot, reason)
            for bot, state in self.of_bots("bot_state")
            if not state.get("frozen")
            for reason in state.get("reasons", ())
            if reason in wanted
        ]

    def alerts(self, *names: str) -> list[Episode]:
        """Return the firing alerts and the events of these names, in the incident."""
        return [each for each in self.episodes if each.name in names and (each.firing or each.is_event)]

    def events(self, *words: str) -> list[Episode]:
        """Return the incident's events whose name, reason or category is one of the words."""
        return [
            each
            for each in self.episodes
            if each.is_event
            and {each.name, each.labels.get("reason", ""), each.labels.get("category", "")} & set(words)
        ]

    def templates(self, bot: str) -> list[Mapping[str, Json]]:
        """Return a bot's error templates, the most frequent first."""
        return list(self.data("error_logs").get("bots", {}).get(bot, {}).get("templates", ()))

    def bot_of(self, container: str) -> str:
        """Return the bot that runs in a container, or an empty string."""
        bot = self.desk.bot_of_container(container)
        return bot.name if bot is not None else ""

    def subject_containers(self) -> list[str]:
        """Return the containers that the incident's alerts name."""
        return [each.subject.name for each in self.episodes if each.subject.kind is SubjectKind.CONTAINER]

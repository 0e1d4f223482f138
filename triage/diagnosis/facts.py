"""What rules may look at: the findings, the alerts, and what the triage is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from triage.diagnosis.logged_lines import LoggedLines, lines_of, trouble_times
from triage.logs.classes import LATE
from triage.model import Episode, Finding, FindingStatus, IncidentShape, Json, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triage.desk import Desk

_SUSPECT_SECONDS = 2 * 3600.0
_DIFFERING = frozenset({"image", "config"})


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
    asked_by_hand: bool = False
    """Somebody asks without any alert."""
    seen_troubles: tuple[Episode, ...] = ()
    """What shows on the desk by itself, as signals (see ``symptoms.troubles``)."""
    degraded_since: datetime | None = None
    """Since when our own degraded mode is on: the external stack is off on purpose."""

    # -- checks

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

    # -- bots

    def of_bots(self, check: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Yield each bot that a per-bot check speaks of, with its data."""
        yield from self.data(check).get("bots", {}).items()

    def state(self, bot: str) -> Mapping[str, Json]:
        """Return what the bot_state check knows of a bot; empty where nothing."""
        return dict(self.data("bot_state").get("bots", {}).get(bot, {}))

    def now_of(self, bot: str) -> Mapping[str, Json]:
        """Return a bot's state where it is fresh: what an old snapshot shows is no state."""
        state = self.state(bot)
        return {} if state.get("frozen") or not state.get("state") else state

    def reasons(self, bot: str) -> tuple[str, ...]:
        """Return the guard reasons that a bot gives now."""
        return tuple(self.now_of(bot).get("reasons", ()))

    def state_of_any(self, bot: str) -> str:
        """Return the state of any bot of the desk: of a bot that the triage is not about, the scope check knows."""
        state = self.state(bot)
        if state:
            return "frozen" if state.get("frozen") else str(state.get("state") or "no data")
        return str(self.data("scope").get("bots", {}).get(bot, ""))

    def peers(self, bots: tuple[str, ...]) -> dict[str, str]:
        """Return the states of the desk's other bots, where known."""
        names = dict.fromkeys(
            [*self.data("scope").get("bots", {}), *(name for name, _ in self.of_bots("bot_state"))]
        )
        states = {name: self.state_of_any(name) for name in names if name not in bots}
        return {name: state for name, state in states.items() if state and state != "no data"}

    def healthy_peers(self, bots: tuple[str, ...]) -> list[str]:
        """Return the other bots that run."""
        return [name for name, state in self.peers(bots).items() if state == "running"]

    # -- containers

    def container(self, name: str) -> Mapping[str, Json]:
        """Return what the container check knows of a container; empty where nothing."""
        return dict(self.data("container").get("containers", {}).get(name, {}))

    def container_of_bot(self, bot: str) -> Mapping[str, Json]:
        """Return what is known of a bot's container."""
        return self.container(self.desk.container_of(bot))

    def of_containers(self) -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Yield each container that the container check speaks of."""
        yield from self.data("container").get("containers", {}).items()

    def engine_knows(self, name: str) -> bool:
        """Say whether Docker itself told of a container: only it knows paused from stuck, stopped from ended.

        A container that nobody asked of counts as told where Docker answered for others.
        """
        if "down_as" in self.data("changes"):
            return True
        now = self.container(name)
        seen = [now] if now else [each for _, each in self.of_containers()]
        return any(each.get("by", "docker") == "docker" for each in seen)

    def bot_of(self, container: str) -> str:
        """Return the bot that runs in a container, or an empty string."""
        bot = self.desk.bot_of_container(container)
        return bot.name if bot is not None else ""

    def service_of(self, container: str) -> str:
        """Return the service (or bot) of the desk that runs in a container, or an empty string."""
        names = self.desk.compose.services
        found = next((name for name in names if self.desk.container_of(name) == container), "")
        return self.bot_of(container) or found

    def target_of(self, container: str) -> tuple[str, ...]:
        """Return what an action on a container has for its target: a bot or a service of the desk, if it is one."""
        return tuple(filter(None, [self.service_of(container)]))

    def down(self) -> tuple[str, ...]:
        """Return the desk's containers that do not run now, as the changes check saw them."""
        return tuple(self.data("changes").get("down", ()))

    def paused(self) -> tuple[str, ...]:
        """Return the desk's containers that Docker holds paused."""
        as_seen = {name for name, now in self.of_containers() if now.get("status") == "paused"}
        listed = {
            name for name, status in self.data("changes").get("down_as", {}).items() if status == "paused"
        }
        return tuple(sorted(as_seen | listed))

    def runs(self, name: str) -> bool | None:
        """Say whether a container of the desk runs, by any check that saw it; None where none did."""
        now = self.container(name)
        if now.get("running") is not None or now.get("missing"):
            return bool(now.get("running"))
        if self.answered("changes") and "down" in self.data("changes"):
            return name not in self.down()
        return None

    def hosts(self) -> Mapping[str, Mapping[str, Json]]:
        """Return the figures of each host."""
        hosts: Mapping[str, Mapping[str, Json]] = self.data("host").get("hosts", {})
        return hosts

    # -- the incident's signals

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

    def troubles(self) -> tuple[Episode, ...]:
        """Return what shows on the desk without any alert."""
        return self.seen_troubles

    def subject_containers(self) -> list[str]:
        """Return the containers that the incident's alerts name."""
        return [each.subject.name for each in self.episodes if each.subject.kind is SubjectKind.CONTAINER]

    def said(self, bot: str, category: str) -> list[Mapping[str, Json]]:
        """Return what the audit stream holds of a bot and a category, oldest first."""
        events = self.data("audit_trail").get("events", ())
        return [each for each in events if each["category"] == category and each["subject"] in {bot, ""}]

    # -- logs

    def templates(self, bot: str) -> list[Mapping[str, Json]]:
        """Return a bot's error templates, the most frequent first."""
        return list(self._log(bot).get("templates", ()))

    def logged(self, bot: str, *names: str) -> LoggedLines:
        """Return what a bot's log says of these classes (see ``triage.logs.class_table``)."""
        return lines_of(self._log(bot), names, self.now)

    def logs_on(self, bot: str) -> bool:
        """Say whether a bot wrote a line of trouble in the last five minutes, whether or not it was understood."""
        log = self._log(bot)
        late = any(each.get("late") for each in log.get("classes", ()))
        return late or any(self.now - at <= LATE for at in trouble_times(log))

    def works(self, bot: str) -> bool:
        """Say whether a bot is known to run now, and no guard of it complains."""
        return self.now_of(bot).get("state") == "running" and not self.reasons(bot)

    def _log(self, bot: str) -> Mapping[str, Json]:
        log: Mapping[str, Json] = self.data("error_logs").get("bots", {}).get(bot, {})
        return log

    # -- changes

    def changed(self, container: str) -> Mapping[str, Json] | None:
        """Return the change of a container that lies before the trouble and differs: image, configuration, files.

        ``what`` is image | config (Compose's) | files (the bot's own yml files were edited).
        """
        found = [each for each in self._changes(container) if each["what"] in _DIFFERING]
        edit = self.edited(self.bot_of(container))
        if edit and 0 <= edit["seconds_before"] <= _SUSPECT_SECONDS:
            found.append({**edit, "what": "files", "container": container})
        return min(found, key=lambda each: each["what"] != "image", default=None)

    def recreated(self, container: str) -> Mapping[str, Json] | None:
        """Return the creation of a container before the trouble, if it is unknown whether anything differs since."""
        return next(
            (each for each in self._changes(container) if each["what"] == "created" and not each.get("same")),
            None,
        )

    def _changes(self, container: str) -> list[Mapping[str, Json]]:
        return [
            each
            for each in self.data("changes").get("changes", ())
            if each["container"] == container and 0 <= each["seconds_before"] <= _SUSPECT_SECONDS
        ]

    def our_last_act(self, container: str) -> Mapping[str, Json] | None:
        """Return the newest change of a container that an action of ours made; its ``by`` is the action's title."""
        mine = [
            each
            for each in self.data("changes").get("changes", ())
            if each["container"] == container and each.get("by") and each.get("at")
        ]
        return max(mine, key=lambda each: datetime.fromisoformat(each["at"]), default=None)

    def edited(self, bot: str) -> Mapping[str, Json]:
        """Return the newest edit of a bot's configuration files, empty where there is none in the last day."""
        return dict(self.data("changes").get("edited", {}).get(bot, {}))

    def not_applied(self, bot: str) -> Mapping[str, Json]:
        """Return the newest edit of ``.env`` or the Compose file since a bot's container was created; empty for none.

        An edit that is known to concern other services only does not count.
        """
        container, service = self.desk.container_of(bot), self.desk.service_of(bot)
        others = {other.name.upper() for other in self.desk.bots if other.name != bot}
        for edit in self.data("changes").get("project", ()):
            keys = [key for key in edit["keys"] if not set(key.upper().split("_")) & others]
            about = bool(keys) or not edit["keys"]
            if edit["services"]:
                about = service in edit["services"]
            if about and container in edit["older"] and edit["seconds_before"] >= 0:
                return {**edit, "keys": keys}
        return {}

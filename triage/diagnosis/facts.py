"""What rules may look at: the findings, the alerts, and what the triage is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from triage.logs.class_table import CLASSES
from triage.logs.classes import LATE, classify
from triage.logs.templates import FRESH
from triage.model import Episode, Finding, FindingStatus, IncidentShape, Json, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triage.desk import Desk

_SUSPECT_SECONDS = 2 * 3600.0
_FADED, _GAPS = 4, 3
"""Lines have ended where a quarter of what came is left, or where three of their usual gaps are without one."""
_DIFFERING = frozenset({"image", "config"})


@dataclass(frozen=True, slots=True)
class LoggedLines:
    """Lines of one bot that say the same: how many, how many of them fresh, since when, which codes, one of them.

    ``late``: how many of the fresh ones came in the last five minutes. ``loudest``: the class that says most, with
    how many of the lines are its own. ``at_least``: the counts are lower bounds, not all lines were read.
    """

    count: int = 0
    fresh: int = 0
    codes: tuple[str, ...] = ()
    generic: bool = False
    first_at: datetime | None = None
    last_at: datetime | None = None
    example: str = ""
    names: tuple[str, ...] = ()
    late: int = 0
    loudest: str = ""
    loudest_count: int = 0
    at_least: bool = False

    @property
    def bound(self) -> str:
        """What is said before a count."""
        return "at least " if self.at_least else ""

    def over(self, now: datetime) -> bool:
        """Say whether they came for a while and have ended: by how often they came, not by the last one alone.

        A single line of everyday life after a flood does not go on with it; what comes every ten minutes has not
        ended because five minutes are without it.
        """
        if not self.fresh or self.first_at is None or self.last_at is None:
            return False
        earlier, window = self.fresh - self.late, LATE.total_seconds()
        if self.late:
            span = max(window, (now - self.first_at).total_seconds() - window)
            return _FADED * self.late <= earlier * window / span
        gap = (self.last_at - self.first_at).total_seconds() / max(1, self.fresh - 1)
        return (now - self.last_at).total_seconds() > max(window, _GAPS * gap)


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

    def box_of(self, bot: str) -> Mapping[str, Json]:
        """Return what is known of a bot's container."""
        return self.container(self.desk.container_of(bot))

    def of_containers(self) -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Yield each container that the container check speaks of."""
        yield from self.data("container").get("containers", {}).items()

    def engine_told(self, name: str) -> bool:
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
        compose = self.desk.compose
        names = (*compose.external_services, *compose.monitoring_services)
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
        return list(self.data("error_logs").get("bots", {}).get(bot, {}).get("templates", ()))

    def logged(self, bot: str, *names: str) -> LoggedLines:
        """Return what a bot's log says of these classes (see ``triage.logs.class_table``)."""
        found = [each for each in self._classes(bot) if each["name"] in names]
        if not found:
            return LoggedLines()
        loudest = max(found, key=lambda each: (bool(each["fresh"]), not each.get("generic"), each["count"]))
        return LoggedLines(
            count=sum(each["count"] for each in found),
            fresh=sum(each["count"] for each in found if each["fresh"]),
            codes=tuple(dict.fromkeys(str(each["code"]) for each in found if each.get("code"))),
            generic=all(each.get("generic") for each in found),
            first_at=_earliest(each.get("first_at") for each in found if each["fresh"]),
            last_at=_latest(each.get("last_at") for each in found),
            example=str(loudest.get("example", ""))[:140],
            loudest=str(loudest["name"]),
            loudest_count=sum(each["count"] for each in found if each["name"] == loudest["name"]),
            names=tuple(dict.fromkeys(str(each["name"]) for each in found)),
            late=sum(self._late(each) for each in found if each["fresh"]),
            at_least=bool(self.data("error_logs").get("bots", {}).get(bot, {}).get("at_least")),
        )

    def _late(self, entry: Mapping[str, Json]) -> int:
        """Count the late lines of a class; all of them where only its last one is known to be late, or nothing is."""
        if entry.get("late") is not None:
            return int(entry["late"])
        last_at = entry.get("last_at")
        ended = last_at and self.now - datetime.fromisoformat(last_at) > LATE
        return 0 if ended else int(entry["count"])

    def logs_on(self, bot: str) -> bool:
        """Say whether a bot wrote a line of trouble in the last five minutes, whether or not it was understood."""
        log = self.data("error_logs").get("bots", {}).get(bot, {})
        lines = _times(each.get("last_at") for part in ("templates", "others") for each in log.get(part, ()))
        late = any(each.get("late") for each in log.get("classes", ()))
        return late or any(self.now - at <= LATE for at in lines)

    def works(self, bot: str) -> bool:
        """Say whether a bot is known to run now, and no guard of it complains."""
        return self.now_of(bot).get("state") == "running" and not self.reasons(bot)

    def _classes(self, bot: str) -> list[Mapping[str, Json]]:
        entry = self.data("error_logs").get("bots", {}).get(bot, {})
        if "classes" in entry:
            return list(entry["classes"])
        return [each for template in entry.get("templates", ()) for each in _read(template)]

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
        """Return the creation of a container before the trouble of which it is not known whether anything differs."""
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

    def edited(self, bot: str) -> Mapping[str, Json]:
        """Return the newest edit of a bot's configuration files, empty where there is none in the last day."""
        return dict(self.data("changes").get("edited", {}).get(bot, {}))

    def not_applied(self, bot: str) -> Mapping[str, Json]:
        """Return the newest edit of ``.env`` or the Compose file that a bot's container was made before; empty for none.

        Of an edit of which it is known that it is about others only, nothing is said.
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


def _read(template: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Class a template: for evidence that holds no classes."""
    text = str(template.get("example") or template["text"])
    reading = classify(text)
    if reading is None:
        return []
    return [
        {
            "name": reading.name,
            "code": reading.code,
            "generic": reading.generic,
            "count": template["count"],
            "fresh": template["kind"] in FRESH,
            "first_at": template.get("first_at"),
            "last_at": template.get("last_at"),
            "example": text,
        }
    ]


def _times(values: Iterator[Json]) -> list[datetime]:
    return [datetime.fromisoformat(value) for value in values if value]


def _earliest(values: Iterator[Json]) -> datetime | None:
    return min(_times(values), default=None)


def _latest(values: Iterator[Json]) -> datetime | None:
    return max(_times(values), default=None)


def meaning(name: str) -> str:
    """Return what a class of log lines means."""
    return CLASSES[name].meaning

"""What a fault may do to the desk: the one interface that faults are written against. See docs/lab.md."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import Random

from demo.clock import NEVER
from demo.desk.bot_model import Bot, Unplaceable
from demo.desk.container import Container
from demo.desk.events import EXECUTION_INTENT
from demo.desk.exchange import Trouble
from demo.desk.replies import EVERYTHING, Endpoint, NoAnswer, Refusal, Way
from demo.desk.scenarios import steps
from demo.desk.services import EXTERNAL
from demo.desk.world import World
from demo.lab.bus import LabBus
from demo.lab.prometheus import LabPrometheus

LIFE_OF_INTENT = 180.0


@dataclass(slots=True)
class Planned:
    """Something to be done at ``at`` (Unix seconds), and then every ``every`` seconds until ``until``."""

    at: float
    do: Callable[[], None]
    every: float = 0.0
    until: float = NEVER


@dataclass(frozen=True, slots=True)
class LoneAlert:
    """An alert that no rule of the desk made: somebody posted it, or Alertmanager kept it."""

    labels: dict[str, str]
    annotations: dict[str, str]
    at: float


@dataclass(slots=True)
class Breaker:
    """The desk as a fault gets it: what a fault may change, one method each.

    ``bot`` is the bot it strikes in this run (empty where it is about none), ``dice`` the run's own random
    numbers. Times are seconds of the desk's time. ``world`` is the whole simulation, for what no method here does.
    """

    world: World
    prometheus: LabPrometheus
    bus: LabBus
    bot: str
    dice: Random
    planned: list[Planned] = field(default_factory=list)
    alerts: list[LoneAlert] = field(default_factory=list)
    degraded_since: float | None = None

    # time

    @property
    def now(self) -> float:
        """The desk's time, Unix seconds."""
        return self.world.clock.now()

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something later."""
        self.planned.append(Planned(self.now + seconds, do))

    def every(self, seconds: float, do: Callable[[], None], *, lasts: float = NEVER) -> None:
        """Do something now and then again and again."""
        self.planned.append(Planned(self.now, do, seconds, self.now + lasts))

    def work_off(self) -> None:
        """Do what is due (the lab calls this every five seconds)."""
        for plan in list(self.planned):
            while plan.at <= self.now and plan in self.planned:
                plan.do()
                plan.at += plan.every
                if not plan.every or plan.at > plan.until:
                    self.planned.remove(plan)

    # the exchange and the way to it

    def refuse(
        self,
        endpoints: tuple[Endpoint, ...],
        status: int,
        code: str = "",
        text: str = "",
        *,
        bots: Collection[str] | None = (),
        share: float = 1.0,
        side: str = "",
        lasts: float = NEVER,
    ) -> None:
        """Let the exchange answer no. ``bots``: empty for the struck one, None for all."""
        self._trouble(Refusal(status, code, text), endpoints, bots, share=share, side=side, lasts=lasts)

    def cut_off(
        self,
        way: Way,
        endpoints: tuple[Endpoint, ...] = EVERYTHING,
        *,
        bots: Collection[str] | None = (),
        share: float = 1.0,
        lasts: float = NEVER,
    ) -> None:
        """Let requests get no answer. ``bots``: empty for the struck one, None for all."""
        self._trouble(NoAnswer(way), endpoints, bots, share=share, lasts=lasts)

    def _trouble(
        self,
        reply: Refusal | NoAnswer,
        endpoints: tuple[Endpoint, ...],
        bots: Collection[str] | None,
        *,
        share: float,
        lasts: float,
        side: str = "",
    ) -> None:
        whom = (self.bot,) if bots is not None and not bots else bots
        trouble = Trouble(
            reply=reply, endpoints=endpoints, bots=whom, share=share, side=side, until=self.now + lasts
        )
        self.world.exchange.troubles.append(trouble)

    # a bot

    @property
    def struck(self) -> Bot:
        """The bot that the fault strikes."""
        return self.world.bots[self.bot]

    def says(
        self, level: str, logger: str, message: str, trace: Sequence[str] = (), *, bot: str = ""
    ) -> None:
        """Write one record of a bot's log, a traceback's lines after it; a bot that does not work writes nothing."""
        one = self.world.bots[bot or self.bot]
        if self.works(one.name) and one.process is not None:
            self.world.log(one, level, logger, message, trace)

    def keeps_saying(
        self,
        every: float,
        level: str,
        logger: str,
        message: str,
        trace: Sequence[str] = (),
        *,
        heals: bool = True,
    ) -> None:
        """Write a record again and again, until the bot's process is another one (``heals``) or for ever."""
        process = self.struck.process

        def say() -> None:
            if not heals or self.struck.process is process:
                self.says(level, logger, message, trace)

        self.every(every, say)

    def cannot_place(self, level: str, logger: str, message: str, *, side: str = "") -> None:
        """Let the client turn down orders by itself, with a record for each."""
        self.struck.unplaceable = Unplaceable(level, logger, message, side)

    def hold(self, reason: str, *, hard: bool = False) -> None:
        """Let one of the bot's own guards hold it."""
        self.struck.held_by[reason] = hard

    def intent(self, action: str, producer: str, **metadata: str) -> None:
        """Publish an execution intent for the bot, as a person's tool or a service does."""
        body = {
            "instance_name": self.bot,
            "controller_id": "epp_v2_4",
            "action": action,
            "target_base_pct": None,
            "expires_at_ms": int((self.now + LIFE_OF_INTENT) * 1000),
            "metadata": metadata,
        }
        make = self.world.envelopes.event
        self.world.publish(make(EXECUTION_INTENT, "execution_intent", producer, body, at=self.now))

    # containers, files, alerts

    def container(self, service: str = "") -> Container:
        """Return a service's container (the bot's own, where none is named)."""
        found = self.world.engine.of_service(service or self.bot)
        if found is None:
            raise LookupError(f"no container of {service or self.bot}")
        return found

    def works(self, service: str) -> bool:
        """Whether a service's container does its work."""
        return self.world.works(service)

    def crash(self, service: str = "", code: int = 1, *, oom: bool = False) -> None:
        """End a container's process on its own account; its restart policy decides what follows."""
        container = self.container(service)
        if container.alive:
            self.world.host.oom_kills += oom
            self.world.engine.crash(container, code, oom=oom)

    def dies_when_up(
        self, seconds: float, code: int, do: Callable[[], None] | None = None, *, service: str = ""
    ) -> None:
        """Let a process end whenever it has been up for so long; ``do`` is the last thing it does."""

        def look() -> None:
            container = self.container(service)
            if container.working and container.uptime(self.now) >= seconds:
                if do is not None:
                    do()
                self.world.engine.crash(container, code)

        self.every(5, look)

    def prints(self, service: str, text: str) -> None:
        """Write a line to a container's output, which no log shipper reads."""
        self.container(service).output.append((self.now, text))

    def set_env(self, key: str, value: str) -> None:
        """Change a line of ``.env``, or add it; nothing runs with it before it is recreated."""
        steps.set_env(self.world, key, value)

    def unset_env(self, key: str) -> None:
        """Remove a line of ``.env``."""
        steps.unset_env(self.world, key)

    def edit_compose(self, old: str, new: str) -> None:
        """Replace a piece of the Compose file's text. Raises LookupError where it is not there."""
        path = self.world.layout.compose_file
        text = path.read_text()
        if old not in text:
            raise LookupError(f"{path.name} does not hold {old!r}")
        path.write_text(text.replace(old, new, 1))

    def set_setting(self, key: str, value: str) -> None:
        """Change a setting of the bot's controller YAML."""
        steps.set_setting(self.world, self.bot, key, value)

    def restart(self, service: str = "") -> None:
        """Restart a container by hand."""
        steps.restart(self.world, service or self.bot)

    def recreate(self, service: str = "") -> None:
        """Recreate a container by hand, from the files as they are."""
        steps.recreate(self.world, service or self.bot)

    def degraded_mode(self) -> None:
        """Enter our own degraded mode: the external services are stopped, Redis last, and we know that it is on."""
        self.degraded_since = self.now
        for service in (*EXTERNAL, "redis"):
            self.world.engine.stop(self.container(service))

    def backlog(self, stream: str, entries: int) -> None:
        """Let a stream hold so many entries that the desk's own group has not read."""
        self.bus.added[stream] += entries

    def lose_rules(self) -> None:
        """Leave Prometheus without its rules, by a reload that failed."""
        self.prometheus.lose_rules()

    def alert(self, name: str, labels: dict[str, str], summary: str = "") -> None:
        """Let an alert fire that no rule of the desk made."""
        self.alerts.append(LoneAlert({"alertname": name, **labels}, {"summary": summary}, self.now))

"""The world of the desk: its parts, and the one step that moves them all by the same cause and effect."""

import json
import random
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

from demo.desk import artifacts, bot_process, bot_tick, compose_file, intents, layout, services
from demo.desk.artifacts import Artifacts
from demo.desk.bot_model import Account, Bot, Fill
from demo.desk.clock import SimClock
from demo.desk.container import Container
from demo.desk.engine import Engine
from demo.desk.events import EXECUTION_INTENT, Envelopes, Published
from demo.desk.exchange import Exchange
from demo.desk.guards import State
from demo.desk.host import Host, container_cpu, container_memory
from demo.desk.layout import BotPlan
from demo.desk.logbook import Logbook, line
from demo.desk.market import Market
from demo.desk.minute import row_of
from demo.desk.sweep import Sweep

TICK = 5.0
MINUTE = 60
PLANS = (BotPlan("bot1", "a", "BTC-USDT"), BotPlan("bot2", "d", "ETH-USDT"), BotPlan("bot3", "a", "SOL-USDT"))
PRICES = {"BTC-USDT": 67_500.0, "ETH-USDT": 1_950.0, "SOL-USDT": 84.0}
PROFILES = ("multi", "external", "test", "alerts")
KEPT_PUBLISHED = 2_000
SLEPT = 1_800
BACKUP_HOUR, DAY, HOUR = 4, 86_400, 3_600
BACKUPS_KEPT = 30
FIRST_EQUITY = 10_000.0


class World:
    """Everything that is true on the desk. Not thread-safe: one event loop owns it.

    ``clock`` is the world's own and moves only by ``advance``. ``published`` are the entries meant for Redis:
    a bus takes them from the left and brings intents to ``deliver``; it serves the port while
    ``redis.serving``. With ``remembering`` on, steps write no files yet and intents need no bus: that is how
    a past is made. ``exporter_reads``: the metrics exporter can read what the bots write; else it goes on
    to show what it read last.
    """

    def __init__(self, root: Path, *, start: float, seed: int = 7) -> None:
        self.seed, self.clock = seed, SimClock(0, start)
        self.layout = layout.build(root, PLANS, start)
        self.engine = Engine(self.clock, seed)
        self.engine.on_start.append(self._started)
        self.exchange = Exchange()
        self.redis, self.habits = services.Redis(), services.Habits()
        self.host = Host(random.Random(f"{seed}-host"), start - 40 * DAY)
        self.logbook, self.artifacts = Logbook(), Artifacts()
        self.envelopes = Envelopes(seed)
        self.service_dice = random.Random(f"{seed}-services")
        self.published: deque[Published] = deque(maxlen=KEPT_PUBLISHED)
        self.debug_logging: set[str] = set()
        self.sweep = Sweep(random.Random(f"{seed}-sweep"))
        self.bots = {plan.name: self._bot(plan, start) for plan in PLANS}
        self._minute = int(start // MINUTE)
        self.remembering = self.older_writer = False
        self.exporter_reads = True

    def _bot(self, plan: BotPlan, start: float) -> Bot:
        market = Market(plan.pair, PRICES[plan.pair], random.Random(f"{self.seed}-{plan.pair}"))
        half = FIRST_EQUITY / 2
        account = Account(base=half / market.mid, quote=half)
        dice = random.Random(f"{self.seed}-{plan.name}")
        return Bot(
            name=plan.name,
            variant=plan.variant,
            pair=plan.pair,
            trades=plan.variant != "d",
            market=market,
            account=account,
            dice=dice,
            since=start,
        )

    def up(self, profiles: Iterable[str] = PROFILES) -> None:
        """Bring the services of these profiles up, as the compose file in the desk's folder says."""
        project = compose_file.load(self.layout.compose_file, compose_file.read_env(self.layout.env))
        for spec in project.active(profiles):
            if spec.container_name not in self.engine.containers:
                self.engine.start(self.engine.create(spec, project.name))

    def calm_markets(self) -> None:
        """Hold the edge of every bot where it allows trading: what goes wrong from here on is no chance of the market."""
        for bot in self.bots.values():
            bot.calm, bot.gross_edge = True, max(bot.gross_edge, bot_tick.EDGE_MEAN)

    def advance(self, seconds: float, tick: float = TICK) -> None:
        """Let ``seconds`` pass, tick by tick."""
        while seconds > 0:
            part = min(tick, seconds)
            self._step(part)
            seconds -= part
        if not self.remembering:
            self.flush()

    def advance_to(self, now: float) -> None:
        """Catch up with a clock that runs by itself; a machine that slept is caught up with in long ticks."""
        behind = now - self.clock.now()
        if behind > 0:
            self.advance(behind, TICK if behind < SLEPT else MINUTE)

    def _step(self, seconds: float) -> None:
        self.clock.advance(seconds)
        now = self.clock.now()
        for bot in self.bots.values():
            bot.market.step(seconds)
        self.exchange.step(now)
        self.engine.step()
        services.step(self, seconds)
        for bot in self.bots.values():
            self._bot_step(bot, seconds)
        self.sweep.step(now, seconds, network_down=self.network_down)
        self._containers(seconds)
        self.host.step(self.engine, seconds, network_down=self.network_down)
        if int(now // MINUTE) > self._minute:
            self._minute = int(now // MINUTE)
            self._minutes(now)

    @property
    def network_down(self) -> bool:
        """Whether nothing outside the host can be reached."""
        return self.clock.now() < self.exchange.network_down_until

    def flush(self) -> None:
        """Write files and hand log lines on."""
        self.artifacts.flush()
        self.logbook.flush(shipping=self.works("promtail"))

    def works(self, service: str) -> bool:
        """Whether a service's container does its work."""
        container = self.engine.of_service(service)
        return container is not None and container.working

    def container_of(self, bot: Bot) -> Container | None:
        """Return a bot's container, if there is one."""
        return self.engine.of_service(bot.name)

    def log(self, bot: Bot, level: str, logger: str, message: str, trace: Sequence[str] = ()) -> None:
        """Write a line of a bot's log, its traceback after it, to all who read it."""
        now = self.clock.now()
        container = self.container_of(bot)
        first = line(now, container.pid if container else 0, logger, level, message)
        folder = self.layout.bot(bot.name) / "logs"
        files = [folder / "logs_hummingbot.log"]
        if level == "ERROR":
            bot.errors.append(now)
            files.append(folder / "errors.log")
        if container is not None:
            container.output.extend((now, text) for text in (first, *trace))
        labels = {"job": "bot_logs", "bot": bot.name}
        self.logbook.add(now, labels, (first, *trace), [] if self.host.full else files)

    def publish(self, event: Published) -> None:
        """Hand an event to the bus; what finds no Redis is lost, as on the desk."""
        if not self.redis.takes_writes:
            return
        self.published.append(event)
        if self.remembering and event.stream == EXECUTION_INTENT:
            self.deliver("0-0", json.dumps(event.payload))

    def deliver(self, entry_id: str, payload: str) -> None:
        """Hand an entry of the intent stream to the bot it names; a broken one goes to the first bot."""
        bot = self.bots.get(intents.addressee(payload) or "", next(iter(self.bots.values())))
        bot.inbox.append((entry_id, payload))

    def state_changed(self, bot: Bot, state: State, reasons: tuple[str, ...]) -> None:
        """Note a bot's new state and log it; the desk's bots publish no event of it."""
        now, why = self.clock.now(), "|".join(reasons)
        bot.state, bot.since = state, now
        level = "ERROR" if state == "hard_stop" else "INFO"
        self.log(
            bot,
            level,
            "hummingbot.strategy_v2.controllers.epp_v2_4",
            f"State {state}: {why or 'all guards clear'}",
        )

    def filled(self, bot: Bot, fill: Fill) -> None:
        """Write a fill to the bot's file."""
        if self.host.full or bot.process is None:
            return
        path = self.layout.artifacts(bot.name, bot.variant) / "fills.csv"
        self.artifacts.add(path, artifacts.FILLS, artifacts.fill_line(bot, fill, bot.process.fee_source))

    def _started(self, container: Container) -> None:
        self.debug_logging.discard(container.id)
        container.memory = container_memory(container.spec.name)
        bot = self.bots.get(container.spec.name)
        if bot is not None:
            bot_process.boot(self, bot, container)

    def _bot_step(self, bot: Bot, seconds: float) -> None:
        container = self.container_of(bot)
        if container is None or not container.working:
            bot.orders = 0 if container is None or not container.alive else bot.orders
            return
        if bot.process is None:
            self.engine.crash(container, 1)
            return
        while bot.inbox and self.redis.serving and self.clock.now() >= bot.process.ready_at:
            intents.take(self, bot, bot.process, *bot.inbox.popleft())
        bot_tick.step(self, bot, seconds)
        container.memory = container_memory(bot.name) * bot.dice.uniform(0.99, 1.01) + bot.process.leaked
        if container.memory >= container.spec.memory_limit > 0:
            self.host.oom_kills += 1
            self.engine.crash(container, 137, oom=True)

    def _containers(self, seconds: float) -> None:
        for container in self.engine.containers.values():
            if container.working:
                container.cpu_seconds += container_cpu(container.spec.name) * seconds

    def _minutes(self, now: float) -> None:
        if now % DAY // MINUTE == BACKUP_HOUR * HOUR // MINUTE:
            self._nightly(now)
        for bot in self.bots.values():
            container = self.container_of(bot)
            process = bot.process
            if container is None or not container.working or process is None or now < process.ready_at:
                continue
            if self.host.full or bot.deaf or process.stopped:
                continue
            self._write_row(bot, now)

    def _nightly(self, now: float) -> None:
        for name in self.bots:
            layout.snapshot(self.layout, name, now)
            for old in sorted(self.layout.backups.glob(f"{name}_2*.tar.gz"))[:-BACKUPS_KEPT]:
                old.unlink()

    def _write_row(self, bot: Bot, now: float) -> None:
        before, row = bot.row, row_of(bot, now)
        bot.row = row
        folder = self.layout.artifacts(bot.name, bot.variant)
        later = bot.name in artifacts.LATER_LAYOUT and not self.older_writer
        header = artifacts.MINUTE_LATER if later else artifacts.MINUTE_33
        text = artifacts.minute_line(bot, row, later=later)
        self.artifacts.add(folder / "minute.csv", header, text)
        self.logbook.add(now, {"job": "epp_csv", "bot": bot.name}, [text])
        if before is not None and int(before.at // DAY) < int(row.at // DAY):
            opened = before.equity - before.daily_pnl
            line_of_day = artifacts.daily_line(bot, before, opened, "|".join(before.reasons))
            self.artifacts.add(folder / "daily.csv", artifacts.DAILY, line_of_day)
        services.publish_minute(self, bot, row)

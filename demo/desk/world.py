"""The world of the desk: its parts, and the one step that moves all of them."""

from collections.abc import Iterable
from pathlib import Path

from demo.desk import artifacts, bot_process, bot_tick, compose_file, intents, layout, services
from demo.desk.bot_model import Bot
from demo.desk.container import Container
from demo.desk.host import container_cpu, container_memory
from demo.desk.minute import row_of
from demo.desk.world_state import DAY, HOUR, MINUTE, WorldState

TICK = 5.0
PROFILES = ("multi", "external", "test", "alerts")
SLEPT = 1_800
BACKUP_HOUR = 4
BACKUPS_KEPT = 30


class World(WorldState):
    """The desk as it moves: what `WorldState` holds, step by step. Not thread-safe: one event loop owns it."""

    def __init__(self, root: Path, *, start: float, seed: int = 7) -> None:
        super().__init__(root, start=start, seed=seed)
        self.engine.on_start.append(self._started)

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

    def flush(self) -> None:
        """Write files and hand log lines on."""
        self.artifacts.flush()
        self.logbook.flush(shipping=self.works("promtail"))

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
            if self.host.full or bot.writes_nothing or process.stopped:
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

"""The state of the simulated desk: its parts, and the methods by which one of them acts on the others."""

import json
import random
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from demo.clock import SimClock
from demo.desk import artifacts, layout
from demo.desk.artifacts import Artifacts
from demo.desk.bot_model import Account, Bot, Fill
from demo.desk.container import Container
from demo.desk.engine import Engine
from demo.desk.events import EXECUTION_INTENT, Envelopes, Published
from demo.desk.exchange import Exchange
from demo.desk.guards import State
from demo.desk.host import Host
from demo.desk.intent import addressee
from demo.desk.layout import BotPlan
from demo.desk.logbook import Logbook, line
from demo.desk.market import Market
from demo.desk.redis_state import Habits, Redis
from demo.desk.sweep import Sweep

PLANS = (BotPlan("bot1", "a", "BTC-USDT"), BotPlan("bot2", "d", "ETH-USDT"), BotPlan("bot3", "a", "SOL-USDT"))
PRICES = {"BTC-USDT": 67_500.0, "ETH-USDT": 1_950.0, "SOL-USDT": 84.0}
MINUTE, HOUR, DAY = 60, 3_600, 86_400
KEPT_PUBLISHED = 2_000
FIRST_EQUITY = 10_000.0


class WorldState:
    """Everything that is true on the desk, and what its parts do to it.

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
        self.exchange = Exchange()
        self.redis, self.habits = Redis(), Habits()
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

    @property
    def network_down(self) -> bool:
        """Whether nothing outside the host can be reached."""
        return self.clock.now() < self.exchange.network_down_until

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
        bot = self.bots.get(addressee(payload) or "", next(iter(self.bots.values())))
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

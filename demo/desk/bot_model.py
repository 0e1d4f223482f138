"""A simulated bot: its account at the exchange, which survives a restart, and its process, which does not."""

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from demo.clock import NEVER
from demo.desk.connection import Connector
from demo.desk.controller_code import Loaded
from demo.desk.guards import Limits, State
from demo.desk.images import Image
from demo.desk.market import Market

API_FEES = "api:bitget:user_fee_query"
PROJECT_FEES = "project:/home/hummingbot/project_config/fee_profiles.json"
API_FEE_PCT, PROJECT_FEE_PCT = 0.0008, 0.0010
ERROR_WINDOW = 600.0


@dataclass(slots=True)
class Account:
    """Balances in base and quote, and the day's and the life's totals (quote)."""

    base: float
    quote: float
    peak: float = 0.0
    day_open: float = 0.0
    day: int = -1
    traded_today: float = 0.0
    fills_today: int = 0
    fees_today: float = 0.0
    fills_total: int = 0
    latched: dict[str, float] = field(default_factory=dict)
    """Hard stops that stay until somebody resumes: reason → since (Unix seconds)."""

    def equity(self, mid: float) -> float:
        """Worth in quote."""
        return self.quote + self.base * mid

    def roll(self, day: int, mid: float) -> None:
        """Begin the day (days since the epoch), once."""
        if day != self.day:
            self.day = day
            self.day_open = self.peak = self.equity(mid)
            self.traded_today = self.fees_today = 0.0
            self.fills_today = 0


@dataclass(slots=True)
class Process:
    """What a bot's process holds in memory from its start on."""

    started_at: float
    ready_at: float
    code: Loaded
    image: Image
    config: Mapping[str, object]
    limits: Limits
    environment: Mapping[str, str]
    fee_source: str = API_FEES
    fee_pct: float = API_FEE_PCT
    leaked: float = 0.0
    cancel_fail_streak: int = 0
    killed: bool = False
    paused_by_intent: bool = False
    target_base_pct: float = 0.5
    operational_cycles: int = 0
    paper_fills: int = 0
    paper_rejects: int = 0
    seen_intents: dict[str, float] = field(default_factory=dict)
    connector: Connector = field(default_factory=Connector)
    stopped: bool = False
    """The strategy was stopped from within; the process runs on and does nothing."""

    @property
    def unknown_settings(self) -> tuple[str, ...]:
        """Settings the loaded code does not take: each tick of the controller fails on them."""
        accepted = self.code.accepts
        return tuple(key for key in self.config if key not in accepted)

    @property
    def leaks(self) -> bool:
        """Whether the internal paper engine keeps every order it sees."""
        return (
            bool(self.config.get("internal_paper_enabled"))
            and self.number("paper_order_queue_limit", 5_000) == 0
        )

    def number(self, key: str, default: float) -> float:
        """Return a numeric setting of the controller YAML."""
        value = self.config.get(key, default)
        return float(value) if isinstance(value, int | float) else default


@dataclass(frozen=True, slots=True)
class Row:
    """What the bot writes once a minute: minute.csv and with it the metrics. Shares are of 1."""

    at: float
    state: State
    reasons: tuple[str, ...]
    regime: str
    mid: float
    equity: float
    base_pct: float
    target_base_pct: float
    spread_pct: float
    net_edge_pct: float
    skew: float
    adverse_drift: float
    edge_blocked: bool
    base: float
    quote: float
    turnover_x: float
    cancel_per_min: float
    orders: int
    fills_today: int
    fees_today: float
    daily_pnl: float
    daily_loss_pct: float
    drawdown_pct: float
    fee_source: str
    fee_pct: float
    paper_fills: int
    paper_rejects: int
    queue_delay_ms: float


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade; fee and notional in quote."""

    at: float
    side: str
    price: float
    amount: float
    fee: float
    order_id: str
    state: State
    mid: float
    is_maker: bool


@dataclass(frozen=True, slots=True)
class Unplaceable:
    """Orders that the client itself turns down before it asks the exchange, and the line that says so."""

    level: str
    logger: str
    message: str
    side: str = ""


@dataclass(slots=True)
class Bot:
    """One bot of the desk.

    ``resting``: whether the last order of a side stands in the book. ``held_by``: further guards that hold it, each
    with whether it is a hard stop. ``writes_nothing``: nothing that it writes reaches minute.csv.
    ``calm``: its edge does not move by chance.
    """

    name: str
    variant: str
    pair: str
    trades: bool
    market: Market
    account: Account
    dice: random.Random
    process: Process | None = None
    state: State = "running"
    reasons: tuple[str, ...] = ()
    since: float = 0.0
    gross_edge: float = 0.0013
    edge_blocked: bool = False
    orders: int = 0
    cancel_per_min: float = 0.0
    row: Row | None = None
    errors: deque[float] = field(default_factory=lambda: deque(maxlen=20_000))
    inbox: deque[tuple[str, str]] = field(default_factory=deque)
    ws_reconnects: int = 0
    order_failures: int = 0
    kill_switches: int = 0
    tick_seconds: float = 0.02
    book_stale: bool = False
    silent_since: float = NEVER
    resting: dict[str, bool] = field(default_factory=lambda: {"BUY": True, "SELL": True})
    unplaceable: Unplaceable | None = None
    held_by: dict[str, bool] = field(default_factory=dict)
    writes_nothing: bool = False
    calm: bool = False
    shown: Row | None = None
    """The row that the metrics exporter read last."""

    def recent_errors(self, now: float) -> int:
        """Count the ERROR lines of the last ten minutes."""
        while self.errors and self.errors[0] < now - ERROR_WINDOW:
            self.errors.popleft()
        return len(self.errors)

    @property
    def equity(self) -> float:
        """The account's worth in quote."""
        return self.account.equity(self.market.mid)

    @property
    def base_pct(self) -> float:
        """The share of the worth that is in base."""
        return self.account.base * self.market.mid / self.equity

    @property
    def net_edge(self) -> float:
        """What a trade is expected to leave after fees, as a share of 1."""
        return self.gross_edge - self.fee_pct

    @property
    def fee_pct(self) -> float:
        """What a trade costs, as far as its process knows, as a share of 1."""
        return self.process.fee_pct if self.process else API_FEE_PCT

"""A small exporter that serves the desk's metrics as the test sets them."""

import time
from dataclasses import dataclass, field, replace
from typing import Self

from aiohttp import web

STATES = ("running", "soft_pause", "hard_stop")


@dataclass(frozen=True)
class BotNow:
    """What the exporter says of one bot. ``age``: how old its snapshot is, in seconds."""

    name: str
    variant: str = "a"
    state: str = "running"
    net_edge: float = 0.0002
    fee_source: str = "api:bitget:user_fee_query"
    maker_fee: float = 0.001
    taker_fee: float = 0.001
    pnl: float = 3.5
    orders: int = 2
    errors: int = 0
    risk_reasons: str = ""
    age: float = 2.0
    fills: int = 40
    extra: dict[str, float] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return its series in Prometheus' text format."""
        labels = f'bot="{self.name}",variant="{self.variant}",exchange="bitget",pair="BTC-USDT",regime="neutral_low_vol"'
        found = [f'hbot_bot_state{{{labels},state="{state}"}} {int(state == self.state)}' for state in STATES]
        found.append(f'hbot_bot_fee_source_info{{{labels},source="{self.fee_source}"}} 1')
        if self.risk_reasons:
            found.append(f'hbot_bot_risk_reasons_info{{{labels},reasons="{self.risk_reasons}"}} 1')
        gauges = {
            "net_edge_pct": self.net_edge,
            "soft_pause_edge": 0.0,
            "spread_pct": 0.004,
            "spread_floor_pct": 0.004,
            "turnover_today_x": 0.4,
            "orders_active": self.orders,
            "maker_fee_pct": self.maker_fee,
            "taker_fee_pct": self.taker_fee,
            "daily_pnl_quote": self.pnl,
            "daily_fills_count": self.fills,
            "fills_total": self.fills,
            "recent_error_lines": self.errors,
            "snapshot_timestamp_seconds": time.time() - self.age,
            "snapshot_age_seconds": self.age,
            **self.extra,
        }
        return [*found, *(f"hbot_bot_{name}{{{labels}}} {value}" for name, value in gauges.items())]


class Exporter:
    """Serves ``/metrics`` on a loopback port: a free one where none is named."""

    def __init__(self, *bots: str, port: int = 0) -> None:
        self.bots = {name: BotNow(name) for name in bots}
        self._port = port
        self.address = ""
        self._runner: web.AppRunner | None = None

    def set(self, bot: str, **changes: object) -> None:
        """Change what it says of a bot."""
        self.bots[bot] = replace(self.bots[bot], **changes)  # type: ignore[arg-type]

    def page(self) -> str:
        """Return the whole exposition, node-exporter's few series among it."""
        host = [
            'node_cpu_seconds_total{cpu="0",mode="idle"} ' + str(time.time() * 0.7),
            'node_cpu_seconds_total{cpu="0",mode="user"} ' + str(time.time() * 0.3),
            "node_memory_MemTotal_bytes 25769803776",
            "node_memory_MemAvailable_bytes 12884901888",
            'node_filesystem_size_bytes{device="/dev/vda",fstype="ext4",mountpoint="/"} 100',
            'node_filesystem_avail_bytes{device="/dev/vda",fstype="ext4",mountpoint="/"} 40',
        ]
        return "\n".join([line for bot in self.bots.values() for line in bot.lines()] + host) + "\n"

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        del request
        return web.Response(text=self.page())

"""The KPI digest over a year of ten bots: time and memory, figures as JSON lines. ``python -m bench.digest``.

The archive (5.2 million rows, about 2 GB) is written once below the system's temporary folder and kept there.
Memory is the sum over this process and its children, sampled every 10 ms while the digest runs, less what this
process had before; ``pss`` counts a page that several processes share once, ``rss`` once for each of them.
Files come from the page cache, as they do on a desk whose bots write them all day.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import shutil
import statistics
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bot.sources.minute_csv.digest import BotAsk, build_digest
from bot.sources.minute_csv.layouts import FILLS, MINUTE_24, MINUTE_33

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.kpis.model import DigestReport

BOTS = tuple(f"bot{number}" for number in range(1, 11))
END = datetime(2026, 2, 21, tzinfo=UTC)
VERSION = "4"
"""Of the archive's making: another one makes another archive."""
DAY_MARK = b"@@@@-@@-@@"
SOURCE = "project:/home/hummingbot/project_config/fee_profiles.json"


def archive(days: int) -> Path:
    """Return an archive of so many days that ends at END; made if it is not there yet."""
    folder = Path(tempfile.gettempdir()) / f"hbot-triage-bench-{VERSION}-{days}d"
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    began = time.monotonic()
    write_archive(folder, days, END)
    (folder / "complete").touch()
    print(
        f"# wrote {days * 1440 * len(BOTS):,} rows in {time.monotonic() - began:.0f} s: {folder}",
        file=sys.stderr,
    )
    return folder


def write_archive(folder: Path, days: int, end: datetime) -> None:
    """Write the files of all bots for the days before ``end`` (a midnight)."""
    for bot in BOTS:
        _write_bot(folder / bot / "logs" / "epp_v24" / f"{bot}_a", bot, days, end)


def _write_bot(folder: Path, bot: str, days: int, end: datetime) -> None:
    """Write a bot's files: the first third in an older layout, rotated twice, the rest current."""
    folder.mkdir(parents=True)
    rnd = random.Random(bot)  # noqa: S311 - figures to be read, no secrets
    old, new = ([_day(rnd, columns) for _ in range(3)] for columns in (MINUTE_24, MINUTE_33))
    first = end - timedelta(days=days)
    cuts = (days // 3, 2 * days // 3, days)
    at = 0
    for cut in cuts:
        rotated = first + timedelta(days=cut)
        name = "minute.csv" if cut == days else f"minute.legacy_{rotated:%Y%m%dT%H%M%SZ}.csv"
        with (folder / name).open("wb") as file:
            file.write(",".join(MINUTE_24 if cut == cuts[0] else MINUTE_33).encode() + b"\n")
            for day in range(at, cut):
                date = f"{first + timedelta(days=day):%Y-%m-%d}".encode()
                file.write((old if cut == cuts[0] else new)[day % 3].replace(DAY_MARK, date))
        at = cut
    fills = [_fills(rnd) for _ in range(3)]
    with (folder / "fills.csv").open("wb") as file:
        file.write(",".join(FILLS[17]).encode() + b"\n")
        for day in range(days):
            date = f"{first + timedelta(days=day):%Y-%m-%d}".encode()
            file.write(fills[day % 3].replace(DAY_MARK, date))


def _day(rnd: random.Random, columns: tuple[str, ...]) -> bytes:
    """Return a day of rows, its date a placeholder; numbers as long as the desk's writers make them."""
    rows: list[str] = []
    equity = peak = 10_000.0
    for minute in range(1440):
        equity += rnd.gauss(0, 1)
        peak = max(peak, equity)
        drawdown = (peak - equity) / peak
        values = dict.fromkeys(columns, "0.00425") | {
            "ts": f"{DAY_MARK.decode()}T{minute // 60:02}:{minute % 60:02}:00.{rnd.randrange(10**6):06}+00:00",
            "bot_variant": "a",
            "exchange": "bitget_paper_trade",
            "trading_pair": "BTC-USDT",
            "state": "soft_pause" if minute % 90 < 12 else "running",
            "regime": "neutral_low_vol",
            "equity_quote": f"{equity:.10f}",
            "base_pct": f"{0.5 + 0.02 * rnd.random():.28f}",
            "target_base_pct": "0.50",
            "net_edge_pct": f"{rnd.gauss(0.0002, 0.0003):.28f}",
            "mid": f"{67_000 + rnd.random():.10f}",
            "adverse_drift_30s": f"{rnd.random():.28f}",
            "market_spread_pct": f"{rnd.random():.27f}",
            "market_spread_bps": f"{rnd.random():.27f}",
            "turnover_today_x": f"{minute / 700:.28f}" if minute else "0E-10",
            "cancel_per_min": str(rnd.randrange(60)),
            "daily_loss_pct": f"{max(0.0, 1 - equity / 10_000):.27f}",
            "drawdown_pct": f"{drawdown:.27f}",
            "risk_reasons": "",
            "fee_source": SOURCE,
        }
        rows.append(",".join(values[name] for name in columns))
    return ("\n".join(rows) + "\n").encode()


def _fills(rnd: random.Random) -> bytes:
    rows = []
    for number in range(120):
        at = f"{DAY_MARK.decode()}T{number // 5:02}:{12 * (number % 5):02}:07.{rnd.randrange(10**6):06}+00:00"
        side, realized = rnd.choice(("buy", "sell")), f"{rnd.gauss(0.002, 0.01):.20f}"
        rows.append(
            f"{at},a,bitget_paper_trade,BTC-USDT,{side},67000.1,0.000118,7.9,0.0079,paper-{rnd.randrange(10**12)},"
            f"running,67000,0.004,0.0001,{SOURCE},True,{realized}"
        )
    return ("\n".join(rows) + "\n").encode()


class Memory:
    """The most that this process and its children held together, above what this process began with (MB)."""

    def __init__(self) -> None:
        self.pss = self.rss = 0.0
        self._me = psutil.Process()
        self._idle = self._sum([self._me])
        self._over = threading.Event()

    @contextmanager
    def watch(self) -> Iterator[Memory]:
        """Sample while the body runs."""
        thread = threading.Thread(target=self._sample)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    def _sample(self) -> None:
        while not self._over.wait(0.01):
            pss, rss = self._sum([self._me, *self._me.children(recursive=True)])
            self.pss = max(self.pss, pss - self._idle[0])
            self.rss = max(self.rss, rss - self._idle[1])

    @staticmethod
    def _sum(processes: list[psutil.Process]) -> tuple[float, float]:
        pss = rss = 0.0
        for process in processes:
            try:
                info = process.memory_full_info()
            except psutil.NoSuchProcess:
                continue
            pss += info.pss / 2**20
            rss += info.rss / 2**20
        return pss, rss


async def _lag(lags: list[float]) -> None:
    """Record by how much the event loop is late for a timer of 2 ms (in ms)."""
    while True:
        due = time.perf_counter() + 0.002
        await asyncio.sleep(0.002)
        lags.append(1000 * (time.perf_counter() - due))


def digest(days: int, hours: int, *, pictures: bool, lags: list[float] | None = None) -> DigestReport:
    """Build one digest of all bots at the end of an archive."""

    async def run(folder: Path | None) -> DigestReport:
        watcher = asyncio.create_task(_lag(lags)) if lags is not None else None
        try:
            asks = [BotAsk(bot, "a") for bot in BOTS]
            return await build_digest(
                archive(days), asks, (END - timedelta(hours=hours), END), pictures=folder
            )
        finally:
            if watcher is not None:
                watcher.cancel()

    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(run(Path(folder) if pictures else None))
    assert [bot.coverage.present for bot in report.bots] == [hours * 60] * len(BOTS), "every minute is read"
    assert len(report.pictures) == (len(BOTS) if pictures else 0), report.problems
    return report


def seconds(days: int, hours: int, *, pictures: bool, times: int) -> float:
    """Return the median time of a digest."""
    return statistics.median(digest(days, hours, pictures=pictures).seconds for _ in range(times))


def _cpu(hours: int) -> float:
    """Return the processor time of a digest's processes: what its time would be on one core of an idle machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    digest(365, hours, pictures=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def figures() -> Iterator[dict[str, object]]:
    """Measure, and yield a figure at a time."""
    for days in (365, 31):
        archive(days)
    digest(31, 24, pictures=True)  # the files of Python and Pillow come into the page cache
    yield _figure("digest_24h_10_bots_with_pictures", seconds(365, 24, pictures=True, times=5), "s", 0.7)
    yield _figure("digest_24h_10_bots_with_pictures_cpu", _cpu(24), "s", None)
    yield _figure("digest_24h_10_bots_figures_only", seconds(365, 24, pictures=False, times=5), "s", 1.5)
    with Memory().watch() as memory:
        digest(365, 24, pictures=True)
    yield _figure("digest_24h_memory_above_idle_pss", memory.pss, "MB", 60)
    yield _figure("digest_24h_memory_above_idle_rss", memory.rss, "MB", None)
    pairs = [[seconds(days, 24, pictures=False, times=1) for days in (365, 31)] for _ in range(9)]
    ratio = statistics.median(year for year, _ in pairs) / statistics.median(month for _, month in pairs)
    yield _figure("digest_24h_year_against_month", ratio, "ratio", 1.2)
    lags: list[float] = []
    report = digest(365, 30 * 24, pictures=True, lags=lags)
    yield _figure("digest_30d_10_bots_with_pictures", report.seconds, "s", 4)
    yield _figure("digest_30d_10_bots_with_pictures_cpu", _cpu(30 * 24), "s", None)
    yield _figure("digest_30d_event_loop_late_p99", statistics.quantiles(lags, n=100)[98], "ms", 50)
    with Memory().watch() as memory:
        digest(365, 30 * 24, pictures=True)
    yield _figure("digest_30d_memory_above_idle_pss", memory.pss, "MB", None)


def _figure(name: str, value: float, unit: str, limit: float | None) -> dict[str, object]:
    ok = limit is None or value <= limit
    return {"name": name, "value": round(value, 3), "unit": unit, "limit": limit, "ok": ok}


def main() -> int:
    """Print the figures; 1 where one is over its limit."""
    good = True
    for figure in figures():
        good = good and bool(figure["ok"])
        print(json.dumps(figure), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

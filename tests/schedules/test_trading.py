"""Trading now: looked at while an incident is open, told when it changes, and never guessed."""

from datetime import timedelta
from itertools import pairwise

import pytest

from bot.slack.rate_limits import RateLimiter
from bot.store import SqlStore
from schedules.trading import FAILS, LOOK_EVERY_SECONDS, REFRESH_SECONDS, TradingWatch
from tests.bot.slack.blocks.samples import incident
from tests.fakes.clock import ManualClock
from tests.fakes.sources import NOW, FakeSources, sample
from triage.desk import Desk
from triage.errors import SourceError, SourceUnreachable
from triage.incidents.notifications import tell_card
from triage.ports.minutes import NewestMinute
from triage.ports.sources import Sample, Series
from triage.ports.store import Tx
from triage.signals.trading import Trading, load_trading, trading_line

STATES = ("running", "soft_pause", "hard_stop")


def states(**of: str) -> list[Sample]:
    """Return the one-hot samples of bots' states, with orders and a result."""
    found = []
    for bot, state in of.items():
        found += [sample(float(state == one), "hbot_bot_state", bot=bot, state=one) for one in STATES]
        found += [
            sample(2.0, "hbot_bot_orders_active", bot=bot),
            sample(-10.0, "hbot_bot_daily_pnl_quote", bot=bot),
            sample(990.0, "hbot_bot_equity_quote", bot=bot),
        ]
    return found


def ages(**of: float) -> list[Sample]:
    """Return the ages of bots' snapshots in seconds."""
    return [sample(seconds, bot=bot) for bot, seconds in of.items()]


class Scene:
    """A watch on a store with one open incident."""

    def __init__(self, store: SqlStore) -> None:
        self.store, self.fakes, self.clock, self.told = store, FakeSources(), ManualClock(NOW), 0
        self.watch = TradingWatch(
            store=store, desk=Desk(), sources=self.fakes.port, clock=self.clock, wake_sender=self._tell
        )
        self.are("running", "running", "running")

    def _tell(self) -> None:
        self.told += 1

    def are(self, *of: str, old: float = 20.0) -> None:
        """Let the three bots be in these states; bot1's snapshot is so old (seconds)."""
        names = ("bot1", "bot2", "bot3")
        self.fakes.metrics.answers = {
            "__name__": states(**dict(zip(names, of, strict=True))),
            "time()": ages(bot1=old, bot2=20, bot3=20),
        }

    async def open(self) -> None:
        """Open an incident with its card."""

        def work(tx: Tx) -> None:
            tell_card(tx, tx.incidents.save(incident(id=0)), NOW)

        await self.store.write(work)

    async def look(self, seconds: float = 2) -> Trading | None:
        """Let so many seconds pass, look, and return what is kept."""
        self.clock.move(seconds)
        await self.watch.run()
        return await self.store.read(load_trading)

    async def wanted(self) -> int:
        """Return how often the card was asked for."""
        state = await self.store.read(lambda tx: tx.outbox.get(1))
        return state.wanted_revision if state is not None else 0


async def test_with_no_incident_open_nothing_is_asked(sqlite_store: SqlStore) -> None:
    """Prometheus is left alone while all is well."""
    scene = Scene(sqlite_store)
    assert await scene.look() is None
    assert scene.fakes.metrics.asked == []


async def test_a_change_of_state_asks_for_the_cards_edit_and_no_change_does_not(
    sqlite_store: SqlStore,
) -> None:
    """The first look, a pause, its end: three edits; ten quiet looks: none."""
    scene = Scene(sqlite_store)
    await scene.open()
    seen = await scene.look()
    assert seen is not None
    assert [one.trades for one in seen.bots] == [True, True, True]
    assert seen.bots[0].today == -0.01
    for _ in range(10):
        await scene.look()
    assert await scene.wanted() == 2
    scene.are("soft_pause", "running", "running")
    seen = await scene.look()
    assert seen is not None
    assert seen.bots[0].since == scene.clock.now() - timedelta(seconds=20), "since its snapshot says so"
    assert await scene.wanted() == 3
    scene.are("running", "running", "running")
    await scene.look()
    assert (await scene.wanted(), scene.told) == (4, 3)


async def test_figures_and_their_time_are_refreshed_once_a_minute(sqlite_store: SqlStore) -> None:
    """A line whose time stands still looks dead."""
    scene = Scene(sqlite_store)
    await scene.open()
    await scene.look()
    await scene.look(REFRESH_SECONDS + 1)
    assert await scene.wanted() == 3


async def test_since_when_it_stands_is_asked_of_the_history_once(sqlite_store: SqlStore) -> None:
    """The state is older than the incident: nobody saw it begin."""
    scene = Scene(sqlite_store)
    await scene.open()
    scene.are("hard_stop", "running", "running")
    points = tuple((NOW - timedelta(minutes=ago), float(ago <= 7)) for ago in range(30, -1, -1))
    scene.fakes.metrics.ranges = (Series({"bot": "bot1", "state": "hard_stop"}, points),)
    seen = await scene.look()
    assert seen is not None
    assert seen.bots[0].since == NOW - timedelta(minutes=7)
    asked = len(scene.fakes.metrics.asked)
    await scene.look()
    assert len(scene.fakes.metrics.asked) == asked + 2, "the history is not asked again"


async def test_an_old_snapshot_is_no_state(sqlite_store: SqlStore) -> None:
    """A frozen bot keeps its last state on show."""
    scene = Scene(sqlite_store)
    await scene.open()
    scene.are("running", "running", "running", old=400)
    seen = await scene.look()
    assert seen is not None
    assert [one.trades for one in seen.bots] == [False, True, True]
    assert seen.bots[0].silent


async def test_a_source_that_is_away_is_not_known_after_some_looks_and_says_so_once(
    sqlite_store: SqlStore,
) -> None:
    """One failed look proves nothing; then the card says that it is not known, with what was seen last."""
    scene = Scene(sqlite_store)
    await scene.open()
    await scene.look()
    scene.fakes.metrics.error = SourceUnreachable("Prometheus", "Connection refused")
    for _ in range(FAILS + 3):
        seen = await scene.look()
    assert seen is not None
    assert seen.why == "Prometheus: Connection refused (last seen 03:16 UTC: 3 of 3 bots)"
    assert await scene.wanted() == 3


async def test_a_source_that_never_answers_holds_nothing_up(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look ends by itself."""
    monkeypatch.setattr("schedules.trading.ANSWER_SECONDS", 0.3)
    scene = Scene(sqlite_store)
    await scene.open()
    scene.fakes.metrics.hangs = True
    assert await scene.look() is None


class Files:
    """The bots' own files: what each wrote last."""

    def __init__(self, **rows: NewestMinute | SourceError) -> None:
        self.rows = rows

    async def minute(self, bot: str) -> NewestMinute | None:
        """Return the row, or fail."""
        row = self.rows.get(bot)
        if isinstance(row, SourceError):
            raise row
        return row


def row(state: str, *, seconds_old: float = 20, reasons: tuple[str, ...] = ()) -> NewestMinute:
    """Return a row so old."""
    at = NOW - timedelta(seconds=seconds_old)
    return NewestMinute(at, state, reasons, orders=3.0, daily_loss=0.008, base=0.5, pair="BTC-USDT")


async def test_without_prometheus_the_bots_own_files_say_whether_they_trade(sqlite_store: SqlStore) -> None:
    """And the line says where it was read."""
    scene = Scene(sqlite_store)
    await scene.open()
    scene.fakes.metrics.error = SourceUnreachable("Prometheus", "connection refused")
    scene.watch.minutes = Files(
        bot1=row("running"), bot2=row("soft_pause", reasons=("bus_outage",)), bot3=row("running")
    )
    for _ in range(FAILS):
        seen = await scene.look()
    assert seen is not None
    line = trading_line(seen, (), {}, scene.clock.now())
    assert line.startswith("2 of 3 bots · bot2 paused (bus outage)")
    assert line.endswith("as of 03:15 UTC from minute.csv")
    assert "9 open orders" in line
    assert "−0.8 %" in line  # noqa: RUF001 - a minus


async def test_files_that_are_old_or_unreadable_leave_it_not_known(sqlite_store: SqlStore) -> None:
    """A bot whose newest minute is ten minutes old is silent, and one without a file is not known."""
    scene = Scene(sqlite_store)
    await scene.open()
    scene.fakes.metrics.error = SourceUnreachable("Prometheus", "connection refused")
    scene.watch.minutes = Files(
        bot1=row("running", seconds_old=600), bot2=SourceUnreachable("minute.csv", "no right")
    )
    for _ in range(FAILS):
        seen = await scene.look()
    assert seen is not None
    line = trading_line(seen, (), {}, scene.clock.now())
    assert line.startswith("not known · bot1 silent since 03:06 · bot2, bot3 not known")
    scene.watch.minutes = Files()
    seen = await scene.look()
    assert seen is not None
    assert trading_line(seen, (), {}, scene.clock.now()).startswith(
        "not known: Prometheus: connection refused"
    )


async def test_a_bot_that_prometheus_does_not_show_is_read_from_its_file(sqlite_store: SqlStore) -> None:
    """The exporter hangs, or does not know the bot: the others stay as measured."""
    scene = Scene(sqlite_store)
    await scene.open()
    scene.fakes.metrics.answers = {
        "__name__": states(bot1="running", bot3="running"),
        "time()": ages(bot1=20, bot3=20),
    }
    scene.watch.minutes = Files(
        bot1=row("hard_stop"), bot2=row("hard_stop", reasons=("drawdown_hard_limit",))
    )
    seen = await scene.look()
    assert seen is not None
    assert [one.state for one in seen.bots] == ["running", "hard_stop", "running"]
    assert "bot2 stopped (drawdown limit)" in trading_line(seen, (), {}, scene.clock.now())


async def test_every_change_is_on_the_card_within_five_seconds_and_edits_are_three_apart(
    sqlite_store: SqlStore,
) -> None:
    """Whenever a change falls between two looks, and however close changes are: the pace that was promised, to the tick.

    The clock is the test's, the watch and the sender's pace are the real ones. What a loaded machine adds is measured
    by the flow with every server.
    """
    scene, tick, promised, apart = Scene(sqlite_store), 0.25, 5.0, 3.0
    await scene.open()
    pace, shown, edits, follows = RateLimiter(scene.clock), 1, list[float](), list[float]()
    states = {"now": "running", "seen": "running", "shown": "running"}
    changed_at, looked_at = 0.0, 0.0
    for step in range(1, 600):
        now = scene.clock.monotonic()
        if (
            step % 37 == 0 or step % 41 == 0
        ):  # at every place between two looks, now and then two close together
            changed_at = now if states["now"] == states["shown"] else changed_at
            states["now"] = "soft_pause" if states["now"] == "running" else "running"
            scene.are(states["now"], "running", "running")
        if now - looked_at >= LOOK_EVERY_SECONDS:
            looked_at, states["seen"] = now, states["now"]
            await scene.look(0)
        wanted = await scene.wanted()
        if wanted > shown and pace.edit("C1", 1, card=True) <= 0:
            shown, edits = wanted, [*edits, now]
            if states["seen"] != states["shown"]:
                follows, states["shown"] = [*follows, now - changed_at], states["seen"]
        scene.clock.move(tick)
    assert len(follows) > 20
    assert max(follows) <= promised, follows
    assert min(later - earlier for earlier, later in pairwise(edits)) >= apart

"""Log lines that stop to come: told where bots live and lines are usual, ended by the first line."""

from datetime import timedelta

from bot.store import SqlStore
from schedules.log_flow import LogFlowWatch
from tests.fakes.clock import ManualClock
from tests.fakes.sources import NOW, FakeSources, sample
from tests.stores import stored_signals
from triage.desk import Desk
from triage.errors import SourceUnreachable
from triage.ports.sources import LogLine

DESK = Desk()


def spoken(fakes: FakeSources, *, lines: int = 400, bots: tuple[str, ...] = ("bot1",)) -> None:
    """Let lines have come until twenty minutes ago, and bots live."""
    for number in range(lines):
        fakes.logs.add(f"line {number}", ago=timedelta(minutes=20, seconds=30 * number))
    fakes.metrics.answers["hbot_bot_state"] = [sample(1, bot=name) for name in bots]


async def looked(store: SqlStore, fakes: FakeSources, times: int = 2, desk: Desk = DESK) -> LogFlowWatch:
    """Look so many times, a minute apart."""
    clock = ManualClock(NOW)
    watch = LogFlowWatch(store=store, desk=desk, sources=fakes.port, clock=clock, stored=lambda: None)
    for _ in range(times):
        await watch.run()
        clock.move(60)
    return watch


async def test_lines_that_stopped_while_bots_live_are_told_once_and_end_with_the_next_line(
    sqlite_store: SqlStore,
) -> None:
    """However many looks; and the condition does not end because what is usual has become little."""
    fakes = FakeSources()
    spoken(fakes)
    watch = await looked(sqlite_store, fakes, times=5)
    assert await stored_signals(sqlite_store) == [("LogsStopped", "firing")]
    del fakes.logs.held[:]
    watch.clock.move(3600)  # type: ignore[attr-defined]  # a clock of this test
    await watch.run()
    await watch.run()
    assert await stored_signals(sqlite_store) == [("LogsStopped", "firing")]
    fakes.logs.held.append(LogLine(watch.clock.now(), "back", {"job": "bot_logs", "bot": "bot1"}))
    await watch.run()
    await watch.run()
    assert await stored_signals(sqlite_store) == [("LogsStopped", "firing"), ("LogsStopped", "resolved")]


async def test_silence_that_was_told_does_not_end_because_nobody_knows_whether_bots_live(
    sqlite_store: SqlStore,
) -> None:
    """Prometheus goes away; a new process looks, when little has come for hours."""
    fakes = FakeSources()
    spoken(fakes)
    watch = await looked(sqlite_store, fakes)
    fakes.metrics.error = SourceUnreachable("Prometheus", "Connection refused")
    await watch.run()
    await watch.run()
    assert await stored_signals(sqlite_store) == [("LogsStopped", "firing")]
    del fakes.logs.held[:]
    await looked(sqlite_store, fakes, times=4)
    assert await stored_signals(sqlite_store) == [("LogsStopped", "firing")]


async def test_silence_that_is_to_be_expected_is_none(sqlite_store: SqlStore) -> None:
    """No bot lives; hardly anything is logged; Loki does not answer; it is turned off."""
    nobody, quiet, away, off = FakeSources(), FakeSources(), FakeSources(), FakeSources()
    for fakes in (nobody, quiet, away, off):
        spoken(fakes, lines=3 if fakes is quiet else 400, bots=() if fakes is nobody else ("bot1",))
    away.logs.error = SourceUnreachable("Loki", "Connection refused")
    for fakes in (nobody, quiet, away):
        await looked(sqlite_store, fakes)
    listening = DESK.listening.model_copy(update={"log_silence_minutes": 0})
    await looked(sqlite_store, off, desk=DESK.model_copy(update={"listening": listening}))
    assert await stored_signals(sqlite_store) == []

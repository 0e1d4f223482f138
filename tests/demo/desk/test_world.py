import csv
import tarfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from demo.desk.metrics_infra import pages
from demo.desk.past import world_with_past
from demo.desk.world import World

START = 1_771_600_000.0
COLUMNS_BEFORE, COLUMNS_LATER = 33, 36
DAY_MINUTES = 1_440
BOT_METRICS = {
    "state",
    "net_edge_pct",
    "soft_pause_edge",
    "spread_pct",
    "spread_floor_pct",
    "turnover_today_x",
    "orders_active",
    "maker_fee_pct",
    "taker_fee_pct",
    "fee_source_info",
    "daily_pnl_quote",
    "daily_fills_count",
    "fills_total",
    "recent_error_lines",
    "snapshot_timestamp_seconds",
    "snapshot_age_seconds",
    "risk_reasons_info",
    "equity_quote",
    "drawdown_pct",
    "daily_loss_pct",
    "cancel_per_min",
    "base_pct",
    "target_base_pct",
    "position_drift_pct",
    "margin_ratio",
    "order_book_stale",
    "ws_reconnect_total",
    "minute_last_age_seconds",
    "order_failure_total",
    "tick_duration_seconds",
    "kill_switch_count",
}


def _texts(root: Path, seed: int) -> tuple[str, dict[str, str]]:
    world = world_with_past(root, now=START, seed=seed, hours=2)
    world.flush()
    world.advance(600)
    minute = world.layout.artifacts("bot1", "a") / "minute.csv"
    return minute.read_text(), {job: page() for job, page in pages(world).items()}


def test_the_same_seed_makes_the_same_desk(tmp_path: Path) -> None:
    """Files and metrics of two worlds with one seed are equal; with another seed they are not."""
    first, second = _texts(tmp_path / "1", seed=7), _texts(tmp_path / "2", seed=7)
    other = _texts(tmp_path / "3", seed=8)
    assert first == second
    assert first != other


def test_no_file_of_a_new_desk_was_changed_of_late(tmp_path: Path) -> None:
    """A setting that seems to be edited as the demo starts is taken for the cause of what goes wrong next."""
    world = world_with_past(tmp_path, now=START, seed=1, hours=2)
    written = [*world.layout.data.rglob("conf/**/*"), *world.layout.compose.rglob("*"), world.layout.env]
    files = {path.name: path.stat().st_mtime for path in written if path.is_file()}
    assert {"conf_client.yml", "docker-compose.yml", ".env"} <= files.keys()
    assert {name for name, at in files.items() if at > START - 86_400} == set()


def test_a_calm_desk_breaks_no_rule_for_half_a_day(world: World) -> None:
    """Twelve hours without a scenario: no hard stop, no restart, no long pause, few errors, positive edge."""
    negative: Counter[str] = Counter()
    for _ in range(12 * 60):
        world.advance(60)
        for bot in world.bots.values():
            assert bot.state != "hard_stop"
            assert bot.recent_errors(world.clock.now()) <= 20
            if bot.state == "soft_pause":
                assert world.clock.now() - bot.since < 20 * 60
            negative[bot.name] = negative[bot.name] + 1 if bot.net_edge < 0 else 0
            assert negative[bot.name] < 15
    assert all(
        container.restart_count == 0 and container.running for container in world.engine.containers.values()
    )


def test_csv_rows_have_the_columns_of_their_header(world: World) -> None:
    """The older layout is rotated away with 33 columns, the later one names the paper engine's columns."""
    folder = world.layout.artifacts("bot1", "a")
    [legacy] = folder.glob("minute.legacy_*.csv")
    for path, columns in ((legacy, COLUMNS_BEFORE), (folder / "minute.csv", COLUMNS_LATER)):
        rows = list(csv.reader(path.read_text().splitlines()))
        assert {len(row) for row in rows} == {columns}
        assert rows[1][4] in {"running", "soft_pause", "hard_stop"}
        times = [row[0] for row in rows[1:]]
        assert times == sorted(times)
        assert len(rows) > 60
    assert (
        len(next(csv.reader((world.layout.artifacts("bot2", "d") / "minute.csv").read_text().splitlines())))
        == COLUMNS_BEFORE
    )


def test_fills_add_up_to_the_account(world: World) -> None:
    """Every fill in the file is one the account counts, and bot2, which only monitors, has none."""
    rows = list(csv.DictReader((world.layout.artifacts("bot1", "a") / "fills.csv").read_text().splitlines()))
    bot = world.bots["bot1"]
    assert len(rows) == bot.account.fills_total > 10
    assert sum(float(row["fee_quote"]) for row in rows) == pytest.approx(bot.account.fees_today, rel=1e-6)
    assert {row["side"] for row in rows} == {"buy", "sell"}
    assert not (world.layout.artifacts("bot2", "d") / "fills.csv").exists()


def test_two_days_of_past_cover_every_minute_and_close_their_days(tmp_path: Path) -> None:
    """The default past has 2,880 minutes, a daily row for each midnight, and nightly archives."""
    world = world_with_past(tmp_path, now=START)
    world.flush()
    folder = world.layout.artifacts("bot1", "a")
    rows = sum(len(path.read_text().splitlines()) - 1 for path in folder.glob("minute*.csv"))
    assert rows == 2 * DAY_MINUTES
    daily = list(csv.DictReader((folder / "daily.csv").read_text().splitlines()))
    assert [row["ts"][:10] for row in daily] == ["2026-02-18", "2026-02-19"]
    newest = max(world.layout.backups.glob("bot1_2*.tar.gz"))
    assert newest.name.startswith("bot1_20260220_0400")
    with tarfile.open(newest) as archive:
        names = archive.getnames()
    assert {"bot1/conf", "bot1/data", "bot1/scripts", "bot1/pmm_scripts"} <= set(names)
    assert not any("logs" in name for name in names)


def test_every_page_is_valid_exposition_text(world: World) -> None:
    """The reference parser reads every page, and no series is on it twice."""
    for job, page in pages(world).items():
        families = list(text_string_to_metric_families(page()))
        assert families, job
        keys = [(s.name, tuple(sorted(s.labels.items()))) for family in families for s in family.samples]
        assert len(keys) == len(set(keys)), job


def test_the_bots_page_has_every_metric_of_the_desk(world: World) -> None:
    """Each name of desk.md's list is there for each bot, the state one-hot."""
    samples = [
        s for family in text_string_to_metric_families(pages(world)["bot-metrics"]()) for s in family.samples
    ]
    for bot in world.bots:
        assert {s.name for s in samples if s.labels["bot"] == bot} == {
            f"hbot_bot_{name}" for name in BOT_METRICS
        }
        assert sum(s.value for s in samples if s.name == "hbot_bot_state" and s.labels["bot"] == bot) == 1


def test_a_dead_container_lingers_on_cadvisors_page_for_five_minutes(world: World) -> None:
    """Its last_seen stays where it was, then the series goes."""
    container = world.engine.find("hbot-grafana")
    assert container is not None
    world.engine.kill(container)
    died = world.clock.now()
    world.advance(240)
    page = pages(world)["cadvisor"]()
    [seen] = [
        s
        for f in text_string_to_metric_families(page)
        for s in f.samples
        if s.name == "container_last_seen" and s.labels["name"] == "hbot-grafana"
    ]
    assert seen.value == died
    world.advance(120)
    assert "hbot-grafana" not in pages(world)["cadvisor"]()


def test_snapshots_come_once_a_minute(world: World) -> None:
    """What the metrics show changes with the minute, not with the tick."""
    seen = []
    for _ in range(36):
        world.advance(5)
        row = world.bots["bot1"].row
        assert row is not None
        seen.append(row.at)
    changes = [b for a, b in pairwise(seen) if a != b]
    assert len(changes) == 3

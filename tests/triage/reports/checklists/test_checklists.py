"""The runbook's lists: each item passes, fails, or could not be checked; with fakes and with real files."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.desk.client_config import DeskClientConfigs
from bot.desk.controllers import DeskControllers
from bot.desk.env_file import DeskEnvFile
from bot.sources.minute_csv.newest import NewestMinutes
from tests.fakes.clock import ManualClock
from tests.fakes.sources import NOW, FakeSources, container, sample
from tests.flows.desk_files import write_desk, write_minutes
from triage.actions.loaded_controllers import loaded
from triage.desk import Desk
from triage.errors import SourceUnreachable
from triage.ports.actions import ControllerFile
from triage.ports.checklists import DashboardState, Datasource, PaperDiagnostics
from triage.ports.sources import UNREADABLE_RULE, RuleState, Target, unread_container, unread_target
from triage.reports.checklists import CHECKLISTS
from triage.reports.checklists.model import ChecklistContext, ItemStatus, run_checklist

PASS, FAIL, UNKNOWN = ItemStatus.PASS, ItemStatus.FAIL, ItemStatus.UNKNOWN
BOTS = ("bot1", "bot2", "bot3")


@dataclass
class FakeDashboards:
    """Grafana as the test says."""

    found: tuple[Datasource, ...] = (Datasource("Prometheus", "prometheus", healthy=True),)
    error: Exception | None = None
    boards: dict[str, DashboardState] = field(default_factory=dict)

    async def datasources(self) -> tuple[Datasource, ...]:
        """Answer or fail."""
        if self.error is not None:
            raise self.error
        return self.found

    async def dashboard(self, title: str) -> DashboardState:
        """Answer or fail."""
        if self.error is not None:
            raise self.error
        return self.boards.get(title, DashboardState(title, found=True, panels=3))


@dataclass
class Files:
    """A desk's files below a folder."""

    root: Path
    desk: Desk = field(default_factory=Desk)

    def __post_init__(self) -> None:
        write_desk(self.root, BOTS)
        for bot in BOTS:
            variant = self.desk.bot(bot)
            assert variant is not None
            write_minutes(self.root / "data", bot, NOW - timedelta(hours=1), NOW, variant=variant.variant)

    def path(self, name: str) -> Path:
        """Return a file's path."""
        return self.root / name

    def context(self, sources: FakeSources, **changes: object) -> ChecklistContext:
        """Return a context that reads these files."""
        variants = {bot.name: bot.variant for bot in self.desk.bots}
        made = ChecklistContext(
            desk=self.desk,
            sources=sources.port,
            env=DeskEnvFile(self.root / "env" / ".env"),
            controllers=DeskControllers(self.root / "data"),
            clients=DeskClientConfigs(self.root / "data"),
            dashboards=FakeDashboards(),
            papers=NewestMinutes(self.root / "data", ManualClock(NOW), variants),
            now=NOW,
        )
        return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Give a desk's files, all in order."""
    return Files(tmp_path)


async def seen(name: str, context: ChecklistContext) -> Mapping[str, tuple[ItemStatus, str]]:
    """Run a list; return each item's status and what was seen."""
    result = await run_checklist(CHECKLISTS[name], context, deadline=2)
    return {item.name: (item.status, item.seen) for item in result.items}


async def test_a_complete_env_with_a_pinned_image_passes(files: Files) -> None:
    """Every key of the template is there with a value."""
    found = await seen("startup", files.context(FakeSources()))
    assert found["env"] == (PASS, "2 keys of the template are set")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("HUMMINGBOT_IMAGE=hbot:1\n", "missing: REDIS_HOST"),
        ("HUMMINGBOT_IMAGE=hbot:1\nREDIS_HOST=\n", "empty: REDIS_HOST"),
        ("HUMMINGBOT_IMAGE=hbot:latest\nREDIS_HOST=redis\n", "not pinned (hbot:latest)"),
        ("HUMMINGBOT_IMAGE=registry:5000/hbot\nREDIS_HOST=redis\n", "not pinned"),
    ],
)
async def test_an_env_that_is_not_complete_fails_with_the_key(files: Files, text: str, why: str) -> None:
    """Missing, empty, and an image that is not pinned."""
    files.path("env/.env").write_text(text)
    status, words = (await seen("startup", files.context(FakeSources())))["env"]
    assert status is FAIL
    assert why in words


async def test_an_env_that_cannot_be_read_could_not_be_checked(files: Files) -> None:
    """No file is no pass, and no fail either."""
    files.path("env/.env").unlink()
    status, words = (await seen("startup", files.context(FakeSources())))["env"]
    assert status is UNKNOWN
    assert "cannot be read" in words


async def test_services_must_run_and_not_be_unhealthy(files: Files) -> None:
    """A container that is not there, stopped, or unhealthy is named."""
    sources = FakeSources()
    desk = files.desk
    names = [*BOTS, *desk.compose.monitoring_services, *desk.compose.external_services]
    sources.containers.hold(*(container(desk.container_of(name)) for name in names))
    assert (await seen("startup", files.context(sources)))["services"][0] is PASS
    sources.containers.hold(
        container("hbot-bot1", status="exited"), container("hbot-redis", health="unhealthy")
    )
    status, words = (await seen("startup", files.context(sources)))["services"]
    assert status is FAIL
    assert "hbot-bot1 is exited" in words
    assert "hbot-redis is unhealthy" in words


async def test_a_container_whose_entry_cannot_be_read_is_neither_missing_nor_running(files: Files) -> None:
    """What the others show counts: one that is stopped fails the list all the same."""
    sources = FakeSources()
    desk = files.desk
    names = [*BOTS, *desk.compose.monitoring_services, *desk.compose.external_services]
    entries = [container(desk.container_of(name)) for name in names]
    sources.containers.entries = [unread_container(), *entries[1:]]
    status, words = (await seen("startup", files.context(sources)))["services"]
    assert (status, words) == (
        UNKNOWN,
        f"1 of the {len(names)} containers of the engine's list cannot be read",
    )
    sources.containers.entries = [unread_container(), container("hbot-bot2", status="exited"), *entries[2:]]
    status, words = (await seen("startup", files.context(sources)))["services"]
    assert (status, words) == (FAIL, "hbot-bot2 is exited")


async def test_in_degraded_mode_the_external_services_are_not_missed(files: Files) -> None:
    """Redis is stopped on purpose: that is neither a fail nor silently fine."""
    sources = FakeSources()
    names = [*BOTS, *files.desk.compose.monitoring_services]
    sources.containers.hold(*(container(files.desk.container_of(name)) for name in names))
    found = await seen("startup", files.context(sources, degraded=True))
    assert found["services"][0] is PASS
    assert found["redis"] == (UNKNOWN, "degraded mode is on: Redis is stopped on purpose")


async def test_a_hard_stopped_strategy_does_not_run(files: Files) -> None:
    """The state metric decides, and a stopped bot is named."""
    sources = FakeSources()
    states = {"bot1": "running", "bot2": "hard_stop", "bot3": "running"}
    sources.metrics.answers = {
        "__name__=~": [sample(1, "hbot_bot_state", bot=bot, state=state) for bot, state in states.items()],
        "snapshot_timestamp": [sample(20, bot=bot) for bot in BOTS],
    }
    status, words = (await seen("startup", files.context(sources)))["strategies"]
    assert status is FAIL
    assert "bot2 is stopped" in words
    running = [sample(1, "hbot_bot_state", bot=bot, state="running") for bot in BOTS[1:]]
    sources.metrics.answers["__name__=~"] = running
    assert (await seen("startup", files.context(sources)))["strategies"] == (FAIL, "bot1 has no state")
    sources.metrics.unread["__name__=~"] = 1
    status, words = (await seen("startup", files.context(sources)))["strategies"]
    assert (status, words.partition(";")[0]) == (UNKNOWN, "no state that can be read of bot1")


async def test_the_dashboard_list_asks_prometheus_loki_and_grafana(files: Files) -> None:
    """Target up, rules loaded, series fresh, records there, datasources healthy, a drill not long ago."""
    sources = FakeSources()
    sources.metrics.scraped = [Target("bot-metrics", "exporter:9400", "up", NOW)]
    sources.metrics.rule_states = [RuleState("BotHardStopActive", "inactive", "ok")]
    sources.metrics.answers = {"timestamp(hbot_bot_state)": [sample(12, bot=bot) for bot in BOTS]}
    for bot in BOTS:
        sources.logs.add("2026-02-20 - INFO - fine", bot=bot)
    found = await seen("dashboard", files.context(sources, drilled_at=NOW - timedelta(days=3)))
    assert {status for status, _ in found.values()} == {PASS}
    sources.metrics.rule_states = [*sources.metrics.rule_states, UNREADABLE_RULE]
    assert (await seen("dashboard", files.context(sources)))["rules"][0] is ItemStatus.UNKNOWN


async def test_a_target_or_series_that_cannot_be_read_is_neither_missing_nor_well(files: Files) -> None:
    """It may be the exporter's, and a bot's."""
    sources = FakeSources()
    sources.metrics.scraped = [unread_target()]
    sources.metrics.answers = {"timestamp(hbot_bot_state)": [sample(12, bot=bot) for bot in BOTS[1:]]}
    sources.metrics.unread["timestamp(hbot_bot_state)"] = 1
    found = await seen("dashboard", files.context(sources))
    assert found["target"] == (UNKNOWN, "1 of the 1 targets of Prometheus cannot be read")
    assert found["refresh"] == (UNKNOWN, "1 of the 3 series cannot be read; of bot1 none could")


@pytest.mark.parametrize(("days", "expected"), [(None, FAIL), (3, PASS), (8, PASS), (9, FAIL)])
async def test_a_drill_is_good_for_a_week_and_a_day(
    files: Files, days: int | None, expected: ItemStatus
) -> None:
    """An older one, or none, is a fail with what to type."""
    drilled = NOW - timedelta(days=days) if days is not None else None
    status, words = (await seen("dashboard", files.context(FakeSources(), drilled_at=drilled)))["drill"]
    assert status is expected
    assert expected is PASS or "/triage drill" in words


@pytest.mark.parametrize(
    ("found", "expected", "words"),
    [
        ((), FAIL, "no datasource"),
        ((Datasource("Loki", "loki", healthy=False, message="refused"),), FAIL, "Loki: refused"),
        ((Datasource("X", "x", healthy=None),), UNKNOWN, "no check for X"),
        (
            (Datasource("P", "prometheus", healthy=True), Datasource("X", "x", healthy=None)),
            PASS,
            "P; no check for X",
        ),
    ],
)
async def test_grafanas_datasources(
    files: Files, found: tuple[Datasource, ...], expected: ItemStatus, words: str
) -> None:
    """One that is ill fails, one that cannot be asked is never silently good."""
    context = files.context(FakeSources(), dashboards=FakeDashboards(found))
    status, text = (await seen("dashboard", context))["datasources"]
    assert status is expected
    assert words in text


async def test_a_source_that_is_away_is_an_unknown_with_its_reason(files: Files) -> None:
    """It takes nothing from the other items."""
    away = SourceUnreachable("Grafana", "cannot connect to grafana:3000")
    context = files.context(FakeSources(), dashboards=FakeDashboards(error=away))
    status, words = (await seen("dashboard", context))["datasources"]
    assert (status, words) == (UNKNOWN, "Grafana: cannot connect to grafana:3000")


async def test_the_paper_list_reads_the_yaml_files_and_the_newest_minute(files: Files) -> None:
    """Controllers, exchanges, balances, diagnostics: all from real files."""
    found = await seen("paper", files.context(FakeSources()))
    assert {status for status, _ in found.values()} == {PASS}
    assert "bot1 1.0 BTC, 10000.0 USDT" in found["balances"][1]
    assert "0 rejects, 120 ms, neutral_low_vol, spread 0.12 %" in found["diagnostics"][1]


@pytest.mark.parametrize(
    ("file", "text", "item", "words"),
    [
        ("controllers/epp_v2_4.yml", "connector_name: bitget\n", "connector", "connector_name is bitget"),
        (
            "controllers/epp_v2_4.yml",
            "connector_name: bitget_paper_trade\ninternal_paper_enabled: false\n",
            "connector",
            "internal_paper_enabled is false",
        ),
        ("conf_client.yml", "paper_trade: {paper_trade_exchanges: [binance]}\n", "exchanges", "bot1"),
        (
            "conf_client.yml",
            "paper_trade_exchanges: [bitget]\npaper_trade_account_balance: {BTC: 0, USDT: 1e12}\n",
            "balances",
            "BTC 0",
        ),
        ("conf_client.yml", "paper_trade_account_balance: {USDT: 5000}\n", "balances", "BTC missing"),
    ],
)
async def test_a_paper_setting_that_is_wrong_fails_with_its_bot(
    files: Files, file: str, text: str, item: str, words: str
) -> None:
    """One wrong file of one bot is found and named."""
    files.path(f"data/bot1/conf/{file}").write_text(text)
    status, seen_words = (await seen("paper", files.context(FakeSources())))[item]
    assert status is FAIL
    assert words in seen_words


@pytest.mark.parametrize("content", [b"a: [", b"- just\n- a list\n", b"\xff\xfe\x00"])
async def test_a_config_that_is_none_could_not_be_checked(files: Files, content: bytes) -> None:
    """Half written, of another shape, or no text at all."""
    files.path("data/bot2/conf/conf_client.yml").write_bytes(content)
    status, words = (await seen("paper", files.context(FakeSources())))["exchanges"]
    assert status is UNKNOWN
    assert "conf_client.yml" in words


async def test_a_broken_neighbour_costs_only_itself(files: Files) -> None:
    """bot1's file is broken: what is wrong at bot2 is found all the same, and bot1 is said to be unread."""
    files.path("data/bot1/conf/conf_client.yml").write_text("a: [")
    files.path("data/bot2/conf/conf_client.yml").write_text("paper_trade_exchanges: [binance]\n")
    found = await seen("paper", files.context(FakeSources()))
    for item, words in (
        ("exchanges", "bot2: paper_trade_exchanges is ['binance']"),
        ("balances", "bot2: BTC missing"),
    ):
        status, said = found[item]
        assert status is FAIL
        assert words in said
        assert "bot1: " in said


async def test_a_bot_whose_files_say_nothing_of_its_orders_is_not_fine(files: Files) -> None:
    """The others trade on paper; of bot2 nobody knows."""
    for file in files.path("data/bot2/conf").rglob("*.yml"):
        if file.name != "conf_client.yml":
            file.unlink()
    for code in files.path("data/bot2").rglob("*.py"):
        code.unlink()
    status, said = (await seen("paper", files.context(FakeSources())))["connector"]
    assert status is UNKNOWN
    assert "bot2: no controller file names a connector_name" in said


async def test_diagnostics_come_from_the_last_whole_row(files: Files) -> None:
    """A row that is being written is not read; a writer without the columns gives nothing to check."""
    path = files.path("data/bot1/logs/epp_v24/bot1_a/minute.csv")
    with path.open("a") as file:
        file.write("2026-02-20T03:16:00+00:00,a,bitget_paper")
    assert (await seen("paper", files.context(FakeSources())))["diagnostics"][0] is PASS
    old = "2026-02-20T03:16:00+00:00,a,x,y,running,1,2,0.5,0.5,0,0,0,0,1\n"
    path.write_text("ts,bot_variant,exchange,trading_pair,state,mid\n" + old)
    status, words = (await seen("paper", files.context(FakeSources())))["diagnostics"]
    assert status is UNKNOWN
    assert "the writer records no paper_fill_count" in words


async def test_a_minute_of_long_ago_shows_no_diagnostics(files: Files) -> None:
    """A bot that stopped writing had good figures then."""
    papers = NewestMinutes(files.root / "data", ManualClock(NOW + timedelta(hours=3)), {})
    status, words = (await seen("paper", files.context(FakeSources(), papers=papers)))["diagnostics"]
    assert status is FAIL
    assert "bot1: its newest minute is 3 h" in words


async def test_one_slow_item_holds_nothing_up(files: Files) -> None:
    """Each item is under its own deadline."""
    sources = FakeSources()
    sources.streams.hangs = True
    result = await run_checklist(CHECKLISTS["health"], files.context(sources), deadline=0.2)
    found = {item.name: item for item in result.items}
    assert found["audit"].status is UNKNOWN
    assert found["audit"].seen == "no answer within 0.2 s"


async def test_what_was_seen_shows_no_secret(files: Files) -> None:
    """A password in an error stays unseen."""
    away = SourceUnreachable("Grafana", "http://admin:s3cret@grafana:3000 refused")
    context = files.context(FakeSources(), dashboards=FakeDashboards(error=away))
    assert "s3cret" not in (await seen("dashboard", context))["datasources"][1]


@pytest.mark.parametrize(
    ("board", "status", "says"),
    [
        (DashboardState("Hummingbot Bot Deep Dive", found=False), FAIL, "there is no dashboard"),
        (
            DashboardState("Hummingbot Bot Deep Dive", found=True, panels=2, without_data=("Net edge",)),
            FAIL,
            "no data in Net edge",
        ),
        (DashboardState("Hummingbot Bot Deep Dive", found=True), UNKNOWN, "no panel that could be asked"),
        (DashboardState("Hummingbot Bot Deep Dive", found=True, panels=9), PASS, "9 panels"),
    ],
)
async def test_the_desks_dashboards(
    files: Files, board: DashboardState, status: ItemStatus, says: str
) -> None:
    """Both are opened: there, with panels that return data."""
    grafana = FakeDashboards(boards={board.title: board})
    found, text = (await seen("dashboard", files.context(FakeSources(), dashboards=grafana)))["dashboards"]
    assert found is status
    assert says in text


async def test_a_minute_that_cannot_be_read_hides_no_neighbours(files: Files) -> None:
    """bot1's folder refuses; bot2 wrote nothing, which is found all the same."""

    class Papers:
        """Minutes of which one cannot be read."""

        async def newest(self, bot: str) -> PaperDiagnostics | None:
            """Refuse bot1."""
            if bot == "bot1":
                raise SourceUnreachable("minute.csv", "minute.csv cannot be read (Input/output error)")
            return None

    status, said = (await seen("paper", files.context(FakeSources(), papers=Papers())))["diagnostics"]
    assert status is FAIL
    assert "bot2 wrote no minute yet" in said
    assert "bot1: " in said


def test_where_no_script_loads_the_bots_controller_a_script_with_markets_counts_too() -> None:
    """Which of the two runs is not known, and the one with markets would trade on the exchange."""
    stub = ControllerFile("controllers/stub.yml", {"controller_name": "old"})
    loading = ControllerFile("scripts/v2.yml", {"controllers_config": "stub.yml"})
    own = ControllerFile("scripts/own.yml", {"markets": "bitget"})
    assert loaded((stub, loading, own), "").scripts == (loading, own)
    assert loaded((stub, loading, own), "old").scripts == (loading,)

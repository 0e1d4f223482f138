import re

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from demo.desk.exposition import ScrapeFailedError
from demo.desk.images import BAD_IMAGE, GOOD_IMAGE
from demo.desk.metrics_infra import pages
from demo.desk.scenarios import SCENARIOS
from demo.desk.scenarios.base import NOTHING
from demo.desk.world import World
from tests.demo.desk.operators import CACHES, Operator

EXTERNAL = ("coordination-service", "risk-service", "signal-service")


async def _degraded_mode(operator: Operator) -> None:
    await operator.compose("--profile", "multi", "--profile", "external", "stop", *EXTERNAL)
    await operator.compose("--profile", "multi", "--profile", "external", "stop", "redis")
    await operator.compose("--profile", "multi", "up", "-d")


async def _clear_cache(operator: Operator) -> None:
    assert (await operator.docker("exec", "hbot-bot1", "rm", "-rf", *CACHES))[0] == 0
    await _recreate(operator)


async def _recreate(operator: Operator, service: str = "bot1") -> None:
    code, _, said = await operator.compose(
        "--profile", "external", "up", "-d", "--force-recreate", "--no-deps", service
    )
    assert code == 0, said


async def _recreate_signal_service(operator: Operator) -> None:
    await _recreate(operator, "signal-service")


async def _restart(operator: Operator) -> None:
    assert (await operator.docker("restart", "hbot-bot1"))[0] == 0


async def _restart_exporter(operator: Operator) -> None:
    await operator.compose("restart", "bot-metrics-exporter")


async def _restart_redis(operator: Operator) -> None:
    await operator.compose("--profile", "external", "restart", "redis")


async def _restart_signal_service(operator: Operator) -> None:
    await operator.compose("--profile", "external", "restart", "signal-service")


async def _roll_image_back(operator: Operator) -> None:
    operator.env("HUMMINGBOT_IMAGE", GOOD_IMAGE)
    await _recreate(operator)


async def _roll_config_back(operator: Operator) -> None:
    await operator.restore_config("bot1")


async def _disable_internal_paper(operator: Operator) -> None:
    operator.edit("bot1", "internal_paper_enabled", "false")
    await _recreate(operator)


async def _pause(operator: Operator) -> None:
    await operator.intent("bot1", "soft_pause")


async def _resume(operator: Operator) -> None:
    await operator.intent("bot1", "resume")


async def _wait(operator: Operator) -> None:
    await operator.desk.step(1_500)


async def _resume_after_review(operator: Operator) -> None:
    await operator.desk.step(1_900)
    await _resume(operator)


CURES = [
    ("hard-stop", _resume_after_review),
    ("redis-dies", _degraded_mode),
    ("stale-bytecode", _clear_cache),
    ("stale-bytecode", _roll_config_back),
    ("bad-release", _roll_image_back),
    ("bad-config", _roll_config_back),
    ("fee-fallback", _restart),
    ("fee-fallback", _recreate),
    ("exchange-errors", _pause),
    ("oom-loop", _roll_config_back),
    ("oom-loop", _disable_internal_paper),
    ("frozen-bot", _restart),
    ("frozen-bot", _recreate),
    ("disk-fills", _recreate_signal_service),
    ("alert-storm", _wait),
    ("metrics-blind", _restart_exporter),
]
WRONG = [
    ("hard-stop", _restart),
    ("hard-stop", _resume),
    ("hard-stop", _roll_config_back),
    ("redis-dies", _restart_redis),
    ("redis-dies", _restart),
    ("stale-bytecode", _restart),
    ("stale-bytecode", _recreate),
    ("bad-release", _restart),
    ("bad-release", _clear_cache),
    ("bad-release", _roll_config_back),
    ("bad-config", _restart),
    ("bad-config", _roll_image_back),
    ("fee-fallback", _pause),
    ("exchange-errors", _restart),
    ("exchange-errors", _clear_cache),
    ("oom-loop", _restart),
    ("oom-loop", _recreate),
    ("frozen-bot", _pause),
    ("frozen-bot", _restart_exporter),
    ("disk-fills", _restart_signal_service),
    ("alert-storm", _restart),
    ("metrics-blind", _restart),
]


def _id(case: object) -> str:
    return getattr(case, "__name__", str(case)).strip("_")


async def _begin(operator: Operator, name: str) -> None:
    await operator.desk.step(120)
    SCENARIOS[name].start(operator.world)
    await operator.desk.step(SCENARIOS[name].develops_in)
    assert not SCENARIOS[name].cured(operator.world)


@pytest.mark.parametrize(("name", "remedy"), CURES, ids=_id)
async def test_the_right_remedy_cures(operator: Operator, name: str, remedy: object) -> None:
    """With the desk's own tools the cause is gone and the symptoms go with it."""
    assert callable(remedy)
    await _begin(operator, name)
    await remedy(operator)
    await operator.desk.step(1_020)
    assert SCENARIOS[name].cured(operator.world)


@pytest.mark.parametrize(("name", "remedy"), WRONG, ids=_id)
async def test_a_wrong_remedy_does_not_cure(operator: Operator, name: str, remedy: object) -> None:
    """What does not touch the cause leaves the symptoms or brings them back."""
    assert callable(remedy)
    await _begin(operator, name)
    await remedy(operator)
    await operator.desk.step(600)
    assert not SCENARIOS[name].cured(operator.world)


def test_every_scenario_says_what_it_is() -> None:
    """Names are unique words, each cause of the vocabulary has a scenario, each remedy is in the contract."""
    kinds = {
        NOTHING,
        "degraded_mode",
        "clear_cache",
        "rollback",
        "recreate",
        "restart",
        "soft_pause",
        "kill_switch",
    }
    kinds |= {"disable_internal_paper"}
    assert len({scenario.cause for scenario in SCENARIOS.values()}) == 11
    for name, scenario in SCENARIOS.items():
        assert re.fullmatch(r"[a-z-]+", name)
        assert scenario.remedies
        assert {remedy.kind for remedy in scenario.remedies} <= kinds
        assert scenario.alerts


def _sample(world: World, metric: str, **labels: str) -> float:
    """Return the one sample of a metric whose labels fit."""
    page = pages(world)["bot-metrics" if metric.startswith("hbot") else "node-exporter"]()
    if metric.startswith("container"):
        page = pages(world)["cadvisor"]()
    hits = [
        float(line.rpartition(" ")[2])
        for line in page.splitlines()
        if re.match(rf"{metric}[{{ ]", line)
        and all(f'{key}="{value}"' in line for key, value in labels.items())
    ]
    assert len(hits) == 1, (metric, labels, hits)
    return hits[0]


def _state(world: World, state: str, bot: str = "bot1") -> float:
    return _sample(world, "hbot_bot_state", bot=bot, state=state)


async def test_a_hard_stop_shows_on_metrics_and_csv_and_not_on_the_audit_stream(operator: Operator) -> None:
    """The state flips and the reason is in the newest row; the bots publish no event of their states."""
    await _begin(operator, "hard-stop")
    world = operator.world
    assert _state(world, "hard_stop") == 1
    assert _state(world, "hard_stop", "bot2") == 0
    assert _sample(world, "hbot_bot_drawdown_pct", bot="bot1") >= 0.025
    assert _sample(world, "hbot_bot_daily_pnl_quote", bot="bot1") < -50
    newest = (world.layout.artifacts("bot1", "a") / "minute.csv").read_text().splitlines()[-1]
    assert "drawdown_hard_limit" in newest
    audit = await operator.newest("hb.audit.v1")
    assert {str(one["category"]) for one in audit} <= {"risk_decision", "intent_applied", "intent_rejected"}


async def test_a_dead_redis_closes_its_port_and_loops_on_the_engine(operator: Operator) -> None:
    """The port is shut, restart counts climb, the services die with it, the bots pause for their bus."""
    await _begin(operator, "redis-dies")
    world = operator.world
    with pytest.raises(RedisConnectionError):
        await operator.newest("hb.audit.v1")
    for name in ("hbot-redis", "hbot-signal-service"):
        container = world.engine.find(name)
        assert container is not None
        assert container.restart_count >= 3
    assert _state(world, "soft_pause") == 1
    assert "Read-only file system" in (await operator.docker("logs", "hbot-redis"))[1]


async def test_stale_bytecode_shows_as_a_traceback_and_an_older_pyc(operator: Operator) -> None:
    """New error lines with their traceback, and a source newer than the bytecode beside it."""
    await _begin(operator, "stale-bytecode")
    assert any("unexpected keyword argument 'inventory_skew_cap'" in line for line in operator.errors("bot1"))
    assert any(line == "Traceback (most recent call last):" for _, line in operator.lines)
    code, out, _ = await operator.docker(
        *("exec", "hbot-bot1", "stat", "-c", "%Y %n", f"{CACHES[1]}/epp_v2_4.cpython-312.pyc"),
        "/home/hummingbot/controllers/market_making/epp_v2_4.py",
    )
    bytecode, source = (int(line.split()[0]) for line in out.splitlines())
    assert code == 0
    assert bytecode < source
    assert _sample(operator.world, "hbot_bot_recent_error_lines", bot="bot1") > 20


async def test_a_bad_release_shows_its_image_and_its_failed_cancels(operator: Operator) -> None:
    """The engine names the new image, the bot its cancel-fail limit, the log the refused parameter."""
    await _begin(operator, "bad-release")
    assert (await operator.docker("inspect", "-f", "{{.Config.Image}}", "hbot-bot1"))[1].strip() == BAD_IMAGE
    assert _state(operator.world, "hard_stop") == 1
    assert any("Failed to cancel order" in line for line in operator.errors("bot1"))
    assert _sample(operator.world, "hbot_bot_order_failure_total", bot="bot1") >= 8


async def test_a_fee_fallback_shows_its_source_and_dearer_fees(operator: Operator) -> None:
    """The info series names the project's file, and the maker fee is above the exchange's."""
    await _begin(operator, "fee-fallback")
    page = pages(operator.world)["bot-metrics"]()
    assert 'source="project:/home/hummingbot/project_config/fee_profiles.json"' in page
    assert _sample(operator.world, "hbot_bot_maker_fee_pct", bot="bot1") == 0.0010
    assert _sample(operator.world, "hbot_bot_maker_fee_pct", bot="bot3") == 0.0008


async def test_an_oom_loop_shows_on_the_engine_cadvisor_and_the_host(operator: Operator) -> None:
    """Restart count, OOM events and the host's counter climb; the engine tells of oom and die with 137."""
    await _begin(operator, "oom-loop")
    world = operator.world
    container = world.engine.find("hbot-bot1")
    assert container is not None
    assert container.restart_count >= 3
    assert _sample(world, "container_oom_events_total", name="hbot-bot1") >= 3
    assert _sample(world, "node_vmstat_oom_kill") >= 3
    actions = [event.action for event in world.engine.events if event.container_id == container.id]
    assert actions.count("oom") == container.restart_count
    assert any(event.attributes.get("exitCode") == "137" for event in world.engine.events)


async def test_a_frozen_bot_keeps_its_state_on_show_and_grows_old(operator: Operator) -> None:
    """The container runs, the state says running, the snapshot's age and the silence tell the truth."""
    await operator.desk.step(120)
    rows = (operator.world.layout.artifacts("bot1", "a") / "minute.csv").read_text()
    await _begin(operator, "frozen-bot")
    assert (await operator.docker("inspect", "-f", "{{.State.Status}}", "hbot-bot1"))[1].strip() == "running"
    assert _sample(operator.world, "hbot_bot_snapshot_age_seconds", bot="bot1") > 240
    assert _sample(operator.world, "hbot_bot_snapshot_age_seconds", bot="bot3") < 90
    after = (operator.world.layout.artifacts("bot1", "a") / "minute.csv").read_text()
    assert len(after.splitlines()) - len(rows.splitlines()) <= 2


async def test_a_full_disk_stops_the_minutes_and_says_so(operator: Operator) -> None:
    """No room is left, and the bots log that they cannot write."""
    await _begin(operator, "disk-fills")
    world = operator.world
    free = _sample(world, "node_filesystem_avail_bytes") / _sample(world, "node_filesystem_size_bytes")
    assert free < 0.03
    assert any("No space left on device" in line for line in operator.errors("bot1"))
    assert _sample(world, "hbot_bot_snapshot_age_seconds", bot="bot1") > 90


async def test_a_storm_breaks_hundreds_of_rules_at_once(operator: Operator) -> None:
    """Five rules for sixty bots: three hundred alerts of one cause."""
    await _begin(operator, "alert-storm")
    page = pages(operator.world)["bot-metrics"]()
    series = re.findall(
        r"hbot_bot_(?:order_book_stale|state|recent_error_lines|tick_duration_seconds)\{[^}]*sweep", page
    )
    stale = re.findall(r'hbot_bot_order_book_stale\{bot="sweep[^}]*\} 1\.0', page)
    loud = [int(n) for n in re.findall(r'hbot_bot_recent_error_lines\{bot="sweep[^}]*\} (\d+)', page)]
    assert len(stale) == len(loud) == 60
    assert min(loud) > 20
    assert len(series) > 300


async def test_blind_metrics_fail_the_scrape_while_the_bots_go_on(operator: Operator) -> None:
    """The target does not answer; the minutes keep coming."""
    await _begin(operator, "metrics-blind")
    with pytest.raises(ScrapeFailedError):
        operator.desk.scrapes["bot-metrics"]()
    row = operator.world.bots["bot1"].row
    assert row is not None
    assert operator.world.clock.now() - row.at < 90
    assert "node_cpu_seconds_total" in operator.desk.scrapes["node-exporter"]()

"""Each alert of the shipped rules fires when the desk's metrics say so, and none but the Watchdog when all is well."""

from collections.abc import Callable
from pathlib import Path

from demo.clock import ManualClock
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.scraping import Target

RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "desk-rules.yml"
BOT = 'bot="bot1",variant="a",exchange="bitget",pair="BTC-USDT",regime="{regime}"'
CONTAINER = 'name="hbot-bot1",id="/docker/1"'
DISK = 'device="/dev/sda1",fstype="ext4",mountpoint="/"'


def metrics(now: float, minute: float, *, well: bool) -> str:
    """Give the desk's exposition: `minute` since the start moves the counters; `regime` changes on the way."""
    bot = BOT.format(regime="up" if minute % 20 < 10 else "flat")
    ill = not well
    state = {"running": well, "soft_pause": False, "hard_stop": ill}
    values = {
        **{f'hbot_bot_state{{{bot},state="{name}"}}': float(on) for name, on in state.items()},
        f'hbot_bot_state{{{bot.replace("bot1", "bot2")},state="soft_pause"}}': float(ill),
        f'hbot_bot_state{{{bot.replace("bot1", "bot3")},state="running"}}': 1.0,
        f"hbot_bot_fills_total{{{bot.replace('bot1', 'bot3')}}}": 7 if ill else minute,
        f"hbot_bot_net_edge_pct{{{bot}}}": -0.0002 if ill else 0.0002,
        f'hbot_bot_fee_source_info{{{bot},source="{"manual:x" if ill else "api:bitget:user_fee_query"}"}}': 1,
        f"hbot_bot_daily_pnl_quote{{{bot}}}": -51 if ill else 5,
        f"hbot_bot_recent_error_lines{{{bot}}}": 21 if ill else 1,
        f"hbot_bot_snapshot_age_seconds{{{bot}}}": 300 if ill else 20,
        f"hbot_bot_minute_last_age_seconds{{{bot}}}": 400 if ill else 30,
        f"hbot_bot_order_book_stale{{{bot}}}": float(ill),
        f"hbot_bot_position_drift_pct{{{bot}}}": -0.06 if ill else 0.01,
        f"hbot_bot_margin_ratio{{{bot}}}": 0.05 if ill else 0.5,
        f"hbot_bot_order_failure_total{{{bot.split(',regime')[0]}}}": minute * 2 if ill else 3,
        f"hbot_bot_tick_duration_seconds{{{bot}}}": 6 if ill else 0.2,
        f"hbot_bot_kill_switch_count{{{bot.split(',regime')[0]}}}": minute // 5 if ill else 0,
        f"hbot_bot_ws_reconnect_total{{{bot.split(',regime')[0]}}}": minute if ill else 2,
        f"container_last_seen{{{CONTAINER}}}": now - (90 if ill else 5),
        f"container_cpu_usage_seconds_total{{{CONTAINER}}}": minute % 7 * 58 if ill else minute * 10,
        f"container_memory_working_set_bytes{{{CONTAINER}}}": 950 if ill else 400,
        f"container_spec_memory_limit_bytes{{{CONTAINER}}}": 1000,
        f"container_oom_events_total{{{CONTAINER}}}": minute // 5 if ill else 0,
        'node_cpu_seconds_total{cpu="0",mode="idle"}': minute * (5 if ill else 40),
        "node_memory_MemAvailable_bytes": 5 if ill else 60,
        "node_memory_MemTotal_bytes": 100,
        f"node_filesystem_avail_bytes{{{DISK}}}": 3 if ill else 50,
        f"node_filesystem_size_bytes{{{DISK}}}": 100,
        'node_network_receive_errs_total{device="eth0"}': minute * (800 if ill else 0),
        'node_network_transmit_errs_total{device="eth0"}': minute * (800 if ill else 0),
    }
    return "".join(f"{name} {value}\n" for name, value in values.items())


def refused() -> str:
    """Stand for a target that does not answer."""
    raise OSError("connection refused")


async def firing(*, well: bool) -> dict[str, dict[str, str]]:
    """Let the desk be well or ill for 75 minutes; gives alert name to its labels at any time while it fired."""
    clock = ManualClock()
    begin = clock.now()

    def source() -> str:
        return metrics(clock.now(), (clock.now() - begin) / 60, well=well)

    down: list[tuple[str, Callable[[], str]]] = [] if well else [("cadvisor", refused)]
    targets = [Target(job, f"{job}:1", what) for job, what in (("bot-metrics", source), *down)]
    seen: dict[str, dict[str, str]] = {}
    config = PrometheusConfig(targets=targets, rule_files=[RULES])
    async with PrometheusServer(config, clock) as prometheus:
        for _ in range(75 * 4):
            await prometheus.tick()
            alerts = prometheus.engine.active()
            seen |= {
                a.labels["alertname"]: {**a.labels, **a.annotations} for _, a in alerts if a.state == "firing"
            }
            clock.advance(15)
        assert all(r.health == "ok" for g in prometheus.engine.groups for r in g.rules)
    return seen


async def test_a_desk_that_is_well_has_only_the_watchdog() -> None:
    """A regime that changes, counters that grow: nothing to tell."""
    assert set(await firing(well=True)) == {"Watchdog"}


async def test_every_alert_can_fire_and_names_what_it_is_about() -> None:
    """Each rule of the file, in spite of a regime that changes every ten minutes; no template error."""
    seen = await firing(well=False)
    config = PrometheusConfig(rule_files=[RULES])
    rules = {r.spec.alert for g in PrometheusServer(config).engine.groups for r in g.rules}
    assert rules - seen.keys() == set()
    for name, labels in seen.items():
        assert "error expanding" not in " ".join(labels.values())
        assert labels["summary"].strip() == labels["summary"]
        subject = (
            "bot"
            if name.startswith(("Bot", "Order", "Kill"))
            else "name"
            if name.startswith("Container")
            else ""
        )
        assert not subject or labels[subject]
    assert seen["BotHardStopActive"]["summary"] == "bot1 is in hard_stop"
    assert seen["BotSoftPauseTooLong"]["bot"] == "bot2"
    assert seen["BotNoFillsWhileRunning"]["bot"] == "bot3"
    assert seen["PrometheusTargetDown"]["summary"] == "cadvisor at cadvisor:1 cannot be scraped"
    assert seen["MarginRatioLow"]["description"] == "Margin ratio is 5%."

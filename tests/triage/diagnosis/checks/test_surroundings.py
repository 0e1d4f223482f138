"""The checks of fees, host, scope, watchers, streams and bytecode."""

import json
import math
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.sources import NOW, FakeSources, container, healthy_redis, sample
from tests.triage.diagnosis.checks.context import context
from triage.desk import Desk
from triage.desk_sections.triage import TriageSettings
from triage.diagnosis.checks import bytecode, fee_source, host, scope, streams, watchers
from triage.errors import SourceError, SourceNotConfigured, SourceTimeout, SourceUnreachable
from triage.model import FindingStatus
from triage.ports.sources import (
    UNREADABLE_ALERT,
    UNREADABLE_RULE,
    FileStat,
    FiringAlert,
    GroupInfo,
    RuleState,
    StreamEntry,
    StreamInfo,
    Target,
    unread_firing,
    unread_target,
)
from triage.signals.rates import Rate

OK, WARNING, CRITICAL, UNKNOWN = FindingStatus


def with_fees(source: str, *, maker: float = 0.001, before: float = 0.001) -> FakeSources:
    """Let the metrics show bot1's fees."""
    sources = FakeSources()
    sources.metrics.answers = {
        "fee_source_info": [sample(1, bot="bot1", source=source)],
        "maker_fee_pct": [sample(maker, bot="bot1")],
        "taker_fee_pct": [sample(0.001, bot="bot1")],
        'maker_fee_pct{bot=~"bot1"} offset 1d': [sample(before, bot="bot1")],
        'taker_fee_pct{bot=~"bot1"} offset 1d': [sample(0.001, bot="bot1")],
    }
    return sources


@pytest.mark.parametrize(
    ("source", "status", "headline"),
    [
        (
            "api:bitget:user_fee_query",
            OK,
            "api:bitget:user_fee_query · maker 0.10 % taker 0.10 %, as yesterday",
        ),
        ("project:/x.json", WARNING, "fallback project:/x.json · maker 0.10 % taker 0.10 %, as yesterday"),
        ("connector:bitget", WARNING, "fallback connector:bitget · maker 0.10 % taker 0.10 %, as yesterday"),
        ("manual:0.1", CRITICAL, "unresolved (manual:0.1) · maker 0.10 % taker 0.10 %, as yesterday"),
        ("", CRITICAL, "unresolved (empty) · maker 0.10 % taker 0.10 %, as yesterday"),
        ("unknown", CRITICAL, "unresolved (unknown) · maker 0.10 % taker 0.10 %, as yesterday"),
        ("api:", CRITICAL, "unresolved (api:) · maker 0.10 % taker 0.10 %, as yesterday"),
    ],
)
async def test_fee_sources_are_classed(source: str, status: FindingStatus, headline: str) -> None:
    """API, resolved, unresolved."""
    finding = await fee_source.run(context(with_fees(source)))
    assert (finding.status, finding.headline) == (status, headline)


async def test_a_fee_that_changed_since_yesterday_is_a_warning() -> None:
    """Even from the API."""
    finding = await fee_source.run(context(with_fees("api:x:y", maker=0.002)))
    assert finding.status is WARNING
    assert finding.headline.endswith("maker 0.20 % taker 0.10 %, yesterday maker 0.10 % taker 0.10 %")


async def test_no_fee_source_on_show_is_unknown() -> None:
    """And names the bot."""
    finding = await fee_source.run(context(FakeSources()))
    assert (finding.status, finding.why) == (UNKNOWN, "no hbot_bot_fee_source_info series for bot1")


async def test_the_host_in_one_line_and_its_fullest_disk() -> None:
    """A figure over its limit is named with its mount."""
    sources = FakeSources()
    sources.metrics.answers = {
        "node_cpu_seconds_total": [sample(0.31, instance="n:9100")],
        "node_memory_MemTotal_bytes": [sample(0.52, instance="n:9100")],
        "node_filesystem_size_bytes": [
            sample(0.61, instance="n:9100", mountpoint="/"),
            sample(0.97, instance="n:9100", mountpoint="/data"),
        ],
    }
    finding = await host.run(context(sources))
    assert finding.status is CRITICAL
    assert finding.headline == "CPU 31 %, memory 52 %, disk 97 % (/data)"


async def test_a_host_whose_figures_are_no_numbers_is_named_beside_a_good_one() -> None:
    """It does not vanish from a finding that is fine."""
    sources = FakeSources()
    sources.metrics.answers = {
        "node_cpu_seconds_total": [sample(0.31, instance="n:9100"), sample(math.nan, instance="m:9100")],
        "node_memory_MemTotal_bytes": [sample(0.52, instance="n:9100"), sample(math.inf, instance="m:9100")],
        "node_filesystem_size_bytes": [sample(0.6, instance="n:9100", mountpoint="/")],
    }
    finding = await host.run(context(sources))
    assert finding.why == "m:9100: no figure of CPU, memory, disk"


async def test_no_host_is_unknown() -> None:
    """node-exporter is not there."""
    finding = await host.run(context(FakeSources()))
    assert (finding.status, finding.why) == (UNKNOWN, "Prometheus has no node-exporter series")


def with_states(**states: str) -> FakeSources:
    """Let the metrics show bots in states."""
    sources = FakeSources()
    sources.metrics.answers["hbot_bot_state"] = [
        sample(1, bot=bot, state=state) for bot, state in states.items()
    ]
    return sources


async def test_one_bot_only_is_said() -> None:
    """The others run, no other alert fires."""
    sources = with_states(bot1="hard_stop", bot2="running", bot3="running")
    sources.alerts.hold(alertname="BotHardStopActive", bot="bot1")
    sources.alerts.hold(alertname="Watchdog")
    finding = await scope.run(context(sources))
    assert finding.status is OK
    assert finding.headline == "bot1 only (2 other bots running) · no other alert fires"
    assert finding.data["wide"] is False


async def test_an_alert_that_cannot_be_read_is_no_alert_that_fires() -> None:
    """It is said, and that nothing else fires is not: who knows what it tells."""
    sources = with_states(bot1="hard_stop", bot2="running", bot3="running")
    sources.alerts.hold(alertname="BotHardStopActive", bot="bot1")
    sources.alerts.held.append(UNREADABLE_ALERT)
    finding = await scope.run(context(sources))
    assert finding.headline.endswith("no other alert that can be read fires")
    assert finding.why == "1 of the 2 alerts that Alertmanager holds cannot be read"
    assert (finding.status, set(finding.data["alerts"])) == (UNKNOWN, {"BotHardStopActive"})


async def test_a_bot_whose_state_cannot_be_read_is_not_without_data() -> None:
    """One series of the answer is lost: the other bots are known, nothing is well, and none shows "no data"."""
    sources = with_states(bot1="hard_stop", bot2="running")
    sources.metrics.unread["hbot_bot_state"] = 1
    finding = await scope.run(context(sources))
    assert finding.data["bots"] == {"bot1": "hard_stop", "bot2": "running", "bot3": ""}
    assert finding.data["no_data"] == []
    assert (finding.status, finding.why) == (UNKNOWN, "partial: 1 of the 3 series cannot be read")


async def test_a_bot_whose_age_cannot_be_read_is_not_taken_to_run() -> None:
    """Whether it is frozen is not known; of the others it is."""
    sources = with_states(bot1="hard_stop", bot2="running", bot3="running")
    sources.metrics.answers["snapshot_timestamp"] = [sample(20, bot="bot1"), sample(20, bot="bot2")]
    sources.metrics.unread["snapshot_timestamp"] = 1
    finding = await scope.run(context(sources))
    assert finding.data["bots"] == {"bot1": "hard_stop", "bot2": "running", "bot3": ""}
    assert finding.status is UNKNOWN


async def test_what_else_fires_by_rules_of_which_one_cannot_be_read_is_said_to_be_a_part() -> None:
    """Alertmanager is away, and Prometheus' own list has something unreadable in it."""
    sources = with_states(bot1="hard_stop", bot2="running", bot3="running")
    sources.alerts.error = SourceUnreachable("Alertmanager", "no connection")
    sources.metrics.firing = [unread_firing()]
    finding = await scope.run(context(sources))
    assert finding.headline.endswith("no other alert that can be read fires")
    assert "1 of the 1 alerts that Prometheus' rules hold cannot be read" in finding.why
    assert finding.status is UNKNOWN


@pytest.mark.parametrize("job", ["", watchers.JOB])
async def test_a_target_that_cannot_be_read_is_neither_missing_nor_up(job: str) -> None:
    """It may be the one that is looked for; one of another job changes nothing."""
    sources = watched()
    sources.metrics.scraped = [unread_target(job), unread_target("node")]
    finding = await watchers.run(context(sources))
    assert (finding.status, finding.data["target_up"]) == (UNKNOWN, None)
    assert "2 of the 2 targets of Prometheus cannot be read" in finding.headline
    sources = watched()
    sources.metrics.scraped = [*sources.metrics.scraped, unread_target("node")]
    assert (await watchers.run(context(sources))).status is OK


async def test_a_host_whose_figure_cannot_be_read_is_not_among_those_that_are_fine() -> None:
    """The others' figures are known; a limit that one of them has passed counts."""
    sources = FakeSources()
    sources.metrics.answers["node_cpu"] = [sample(0.2, instance="a"), sample(0.3, instance="b")]
    sources.metrics.unread["node_cpu"] = 1
    finding = await host.run(context(sources))
    assert finding.status is UNKNOWN
    assert finding.headline == "2 hosts that can be read, all fine"
    assert "1 of the 3 series cannot be read" in finding.why
    sources.metrics.answers["node_cpu"] = [sample(0.99, instance="a")]
    assert (await host.run(context(sources))).status is CRITICAL


async def test_where_all_bots_are_in_it_there_are_no_others() -> None:
    """``0 other bots running`` would read as if there were some that do not."""
    sources = with_states(bot1="frozen", bot2="frozen", bot3="frozen")
    finding = await scope.run(context(sources, "bot1", "bot2", "bot3"))
    assert finding.headline == "the desk has no other bots · no other alert fires"


async def test_the_whole_desk_is_critical() -> None:
    """All the others are not well either, and other alerts fire."""
    sources = with_states(bot1="hard_stop", bot2="soft_pause", bot3="running")
    sources.metrics.answers["snapshot_timestamp"] = [sample(900, bot="bot3")]
    sources.alerts.hold(alertname="RedisClientDisconnected", bot="bot2", state="suppressed")
    finding = await scope.run(context(sources))
    assert finding.status is CRITICAL
    assert finding.headline == (
        "other bots not well: bot2 paused, bot3 frozen · RedisClientDisconnected fires too"
    )
    assert finding.data["silenced"] == 1
    assert finding.data["wide"] is True


async def test_without_alertmanager_the_rules_say_what_fires() -> None:
    """And the finding says so."""
    sources = with_states(bot1="hard_stop", bot2="running", bot3="running")
    sources.alerts.error = SourceNotConfigured("Alertmanager")
    sources.metrics.firing = [FiringAlert({"alertname": "HighCpuUsage", "instance": "n"}, "firing", NOW)]
    finding = await scope.run(context(sources))
    assert "HighCpuUsage fires too" in finding.headline
    assert finding.why == "Alertmanager: not configured; alerts as Prometheus' rules hold them"


RULES = [RuleState(name, "inactive", "ok") for name in TriageSettings().expected_rules]


def watched() -> FakeSources:
    """Let all watchers be well."""
    sources = FakeSources()
    sources.metrics.scraped = [Target("bot-metrics", "e:9400", "up", NOW - timedelta(seconds=9))]
    sources.metrics.rule_states = RULES
    sources.metrics.answers["last_reload"] = [sample(1)]
    return sources


async def test_watchers_that_are_well_are_ok() -> None:
    """As the message shows it."""
    finding = await watchers.run(context(watched()))
    assert finding.status is OK
    assert finding.headline == "bot-metrics up, 9 s old · 9 rules ok · Loki ready · Alertmanager ready"


async def test_a_blind_watcher_is_the_finding_and_not_an_unknown() -> None:
    """Prometheus down, Loki slow: both are said, the worst decides."""
    sources = watched()
    sources.metrics.error = SourceUnreachable("Prometheus", "refused")
    sources.logs.error = SourceTimeout("Loki", "no answer within 3 s")
    finding = await watchers.run(context(sources))
    assert finding.status is CRITICAL
    assert finding.headline.startswith(
        "Prometheus does not answer: refused · Loki does not answer: no answer within 3 s"
    )
    assert finding.data["prometheus"] == "down"


async def test_a_rule_in_error_a_missing_one_and_a_failed_reload_are_named() -> None:
    """Alert rules loaded without errors is an item of the runbook."""
    sources = watched()
    sources.metrics.rule_states = [RuleState("BotFrozen", "inactive", "err", "many-to-many"), *RULES[1:]]
    sources.metrics.answers["last_reload"] = [sample(0)]
    finding = await watchers.run(context(sources))
    assert finding.status is CRITICAL
    assert "rules in error: BotFrozen (many-to-many)" in finding.headline
    assert "missing BotHardStopActive" in finding.headline
    assert "last reload" in finding.headline


async def test_a_desk_with_other_rules_says_which_it_expects() -> None:
    """`triage.expected_rules` of desk.yaml."""
    sources = watched()
    sources.metrics.rule_states = [RuleState("Mine", "inactive", "ok")]
    desk = Desk(triage=TriageSettings(expected_rules=("Mine",)))
    assert (await watchers.run(context(sources, desk=desk))).status is OK


async def test_rules_of_which_one_cannot_be_read_are_neither_well_nor_missing() -> None:
    """It may be the one that is expected, and in error."""
    sources = watched()
    sources.metrics.rule_states = [*RULES[1:], UNREADABLE_RULE]
    finding = await watchers.run(context(sources))
    assert finding.status is UNKNOWN
    assert f"1 of the {len(RULES)} rules or groups of Prometheus cannot be read" in finding.headline
    assert finding.data["rules_missing"] == []


async def test_streams_that_flow_are_ok() -> None:
    """Redis up, fresh data, no dead letters."""
    finding = await streams.run(context(FakeSources()))
    assert finding.status is OK
    assert (
        finding.headline
        == "Redis up, 9.5 MiB · market data 10 s old · audit 10 s old · 0 dead letters in 1 h"
    )


async def test_redis_that_does_not_answer_is_critical() -> None:
    """It is the incident that degraded mode is for."""
    sources = FakeSources()
    sources.streams.error = SourceTimeout("Redis", "no answer within 3 s")
    finding = await streams.run(context(sources))
    assert (finding.status, finding.headline) == (CRITICAL, "Redis does not answer: no answer within 3 s")


async def test_redis_that_is_not_configured_is_the_runner_s_unknown() -> None:
    """Nobody knows whether it is down."""
    sources = FakeSources()
    sources.streams.error = SourceNotConfigured("Redis")
    with pytest.raises(SourceNotConfigured):
        await streams.run(context(sources))


async def test_what_is_wrong_with_redis_is_named() -> None:
    """Role, saving, memory, stale data, lag, dead letters by reason."""
    sources = FakeSources()
    sources.streams.state = healthy_redis(
        role="slave", persistence_ok=False, memory_used=98, memory_max=100, ping_seconds=0.9
    )
    old = round((NOW - timedelta(minutes=9)).timestamp() * 1000)
    lagging = GroupInfo(name="hb_group_v1", pending=10, lag=4000, last_delivered_id="0-0", consumers=1)
    sources.streams.infos["hb.market_data.v1"] = StreamInfo("hb.market_data.v1", 5, f"{old}-0", (lagging,))
    dead = StreamEntry("1-0", {"payload": json.dumps({"reason": "schema_validation"})})
    sources.streams.entries["hb.dead_letter.v1"] = [dead] * 21 + [StreamEntry("2-0", {"payload": "["})]
    finding = await streams.run(context(sources))
    assert finding.status is CRITICAL
    for words in (
        "Redis is a slave: it takes no writes", "cannot save to disk", "memory 98 % of 100 B", "answers slowly (0.9 s)",
        "market data 9 min old", "hb_group_v1 is 4000 entries behind", "22 dead letters in 1 h (limit 20)",
    ):  # fmt: skip
        assert words in finding.headline
    assert finding.data["dead_letter_reasons"] == {"schema_validation": 21, "unreadable": 1}


async def test_streams_that_fill_and_are_read_by_nobody_are_not_ok() -> None:
    """After a flush the bots write on and the groups are gone; the finding says so though everything else is well."""
    sources = FakeSources()
    newest = f"{round((NOW.timestamp() - 10) * 1000)}-0"
    for stream in ("hb.market_data.v1", "hb.signal.v1"):
        sources.streams.infos[stream] = StreamInfo(stream, 3, newest)
    finding = await streams.run(context(sources))
    assert finding.status is WARNING
    assert "no group hb_group_v1 on hb.market_data.v1: nobody reads it on" in finding.headline


TIMES = "\N{MULTIPLICATION SIGN}"


def letters(count: int, *, ago: timedelta = timedelta(minutes=1)) -> list[StreamEntry]:
    """Make dead letters of one moment."""
    moment = round((NOW - ago).timestamp() * 1000)
    payload = json.dumps({"reason": "expired_intent", "entry_id": "1-0"})
    return [StreamEntry(f"{moment}-{n}", {"payload": payload}) for n in range(count)]


@pytest.mark.parametrize(
    ("entries", "memory", "words"),
    [
        (letters(6), Rate(6, 2, 20), "6 in 10 min (usual: 0): expired_intent {x}6"),
        (letters(6), Rate(6, 2000, 20), ""),
        (letters(6), Rate(0, 2, 20), "6 in 10 min (usual: 0): expired_intent {x}6"),
        (letters(6, ago=timedelta(minutes=30)), Rate(0, 2, 20), ""),
        (letters(6), None, ""),
        (letters(20), None, "20 in 10 min (no baseline yet): expired_intent {x}20"),
        (
            letters(21, ago=timedelta(minutes=30)),
            None,
            "21 dead letters in 1 h (limit 20): expired_intent {x}21",
        ),
    ],
    ids=["surge", "usual", "our count lags", "not lately", "few, no memory", "many, no memory", "limit"],
)
async def test_dead_letters_are_judged_as_their_signal_is(
    entries: list[StreamEntry], memory: Rate | None, words: str
) -> None:
    """By an absolute limit, and by their rate against the baseline that was counted; what Redis holds now counts."""
    sources = FakeSources()
    sources.streams.entries["hb.dead_letter.v1"] = entries
    finding = await streams.run(replace(context(sources), dead_letters=memory))
    assert finding.status is (WARNING if words else OK)
    assert (words.format(x=TIMES) or f"{len(entries)} dead letters in 1 h") in finding.headline


async def test_where_the_limit_was_met_each_reason_is_a_lower_bound_too() -> None:
    """Not the sum alone."""
    sources = FakeSources()
    sources.streams.entries["hb.dead_letter.v1"] = letters(1200, ago=timedelta(minutes=30))
    finding = await streams.run(context(sources))
    assert "≥ 1000 dead letters in 1 h" in finding.headline
    assert finding.details == (f"dead letters: ≥ {TIMES}1000 expired_intent",)


CODE = "/home/hummingbot/controllers"


def listing(**modified: timedelta) -> list[FileStat]:
    """Make the files of a container's code, changed so long ago; none of the others counts."""
    paths = {
        "source": f"{CODE}/market_making/epp_v2_4.py",
        "code": f"{CODE}/market_making/__pycache__/epp_v2_4.cpython-310.pyc",
        "other": f"{CODE}/helper.py",
        "same": f"{CODE}/epp_v2_4.py",
    }
    files = [FileStat(paths[name], NOW - ago, 10) for name, ago in modified.items()]
    return [*files, FileStat(f"{CODE}/notes.txt", NOW, 10)]


@pytest.mark.parametrize(
    ("code", "status", "controller", "headline"),
    [
        (listing(source=timedelta(days=9), code=timedelta(days=8)), OK, False, "runs the code on its disk"),
        (
            listing(source=timedelta(minutes=21), code=timedelta(days=8)),
            WARNING,
            True,
            "epp_v2_4.py newer than the process (changed 02:55)",
        ),
        (
            listing(source=timedelta(days=4), code=timedelta(days=8)),
            WARNING,
            True,
            "epp_v2_4.py newer than its bytecode (changed 03:16)",
        ),
        (
            listing(source=timedelta(days=9), other=timedelta(minutes=1)),
            WARNING,
            False,
            "helper.py newer than the process (changed 03:15)",
        ),
        (
            listing(source=timedelta(minutes=21), same=timedelta(minutes=22)),
            WARNING,
            True,
            "epp_v2_4.py newer than the process (changed 02:55)",
        ),
    ],
)
async def test_code_newer_than_what_runs_is_seen(
    code: list[FileStat],
    status: FindingStatus,
    controller: bool,  # noqa: FBT001 - a column of the table
    headline: str,
) -> None:
    """Newer than the process, or than its bytecode; the bot's own controller counts most."""
    sources = FakeSources()
    sources.containers.hold(container("hbot-bot1"))
    sources.containers.code["hbot-bot1"] = code
    finding = await bytecode.run(context(sources))
    assert (finding.status, finding.headline) == (status, headline)
    assert finding.data["bots"]["bot1"]["controller_stale"] is controller


def test_a_folder_is_asked_for_once() -> None:
    """A folder below another comes with it."""
    caches = ("/a/b/__pycache__", "/a/b/c/d/__pycache__", "/a/bc/__pycache__", "/x/__pycache__")
    assert bytecode.folders_of(caches) == ("/a/b", "/a/bc", "/x")


async def test_a_container_that_does_not_run_has_no_code_to_compare() -> None:
    """Unknown with its reason, not ok."""
    sources = FakeSources()
    with pytest.raises(SourceError, match="hbot-bot1 does not run"):
        await bytecode.run(context(sources))

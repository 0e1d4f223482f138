"""Edits of the desk's files that nobody applied, services that fall behind, and alerts that tell of too much."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.episodes import firing
from tests.fakes.sources import NOW
from tests.triage.diagnosis.evidence import alert, bot, box, errors, finding, kinds, redis, unknown, verdict
from triage.diagnosis.causes import NAMES
from triage.diagnosis.weights import EVERYDAY, LIKELY
from triage.model import Episode, Finding, Json, Severity, Source, Subject, SubjectKind

GROUP = "hb_group_v1"


def edit(**changes: Json) -> Finding:
    """What the changes check finds of an edited ``.env``; bot1's container is older."""
    one: dict[str, Json] = {
        "file": ".env", "at": (NOW - timedelta(minutes=20)).isoformat(), "seconds_before": 960.0,
        "keys": ["BUS_SOFT_PAUSE_ON_OUTAGE"], "services": [], "older": ["hbot-bot1"],
    }  # fmt: skip
    return finding("changes", {"changes": [], "down": [], "down_as": {}, "project": [{**one, **changes}]})


def behind(stream: str, lag: int = 2_000, **more: Json) -> Finding:
    """What the streams check finds of a group that has not read so many entries."""
    return redis(groups=[{"stream": stream, "name": GROUP, "lag": lag, "pending": 0}], **more)


def services(**down: str) -> Finding:
    """What the changes check finds: these containers are not up."""
    return finding(
        "changes",
        {
            "changes": [],
            "down": list(down),
            "down_as": {f"hbot-{key.replace('_', '-')}": how for key, how in down.items()},
        },
    )


def desk_alert(name: str) -> Episode:
    """An alert about the desk as a whole."""
    at = NOW - timedelta(minutes=4)
    about = Subject(SubjectKind.DESK, "hbot")
    return firing(name, about, at, source=Source.STREAMS, severity=Severity.SEV2)


def test_an_edit_that_no_recreate_took_over_explains_an_alert_that_settings_differ() -> None:
    """The cause names the file, the key, and what takes it over; no button is offered for a person's edit."""
    found = verdict(edit(), bot(), errors(), box(), alerts=(alert("BotSettingsDiffer"),))
    assert found.top is not None
    assert found.top.cause == "config_not_applied"
    assert found.top.confidence >= LIKELY
    assert "hbot-bot1 was made before .env (BUS_SOFT_PAUSE_ON_OUTAGE) was edited" in found.top.headline
    assert "a restart does not" in found.top.advice
    assert not kinds(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"older": []},  # it was made anew since
        {"keys": ["BOT2_LEVERAGE"]},  # another bot's
        {"keys": [], "services": ["redis"]},
        {"seconds_before": -60.0},  # after the trouble began
        {"keys": [], "services": []},  # which, is not known
        {"seconds_before": 40_000.0},  # in the morning
    ],
)
def test_an_edit_that_is_not_known_to_be_about_it_is_not_believed(changes: dict[str, Json]) -> None:
    """It may stand as a possibility."""
    found = verdict(edit(**changes), bot(), errors(), box(), alerts=(alert("BotSettingsDiffer"),))
    assert found.top is not None
    assert found.top.cause != "config_not_applied" or found.top.confidence < LIKELY


@pytest.mark.parametrize(
    ("stream", "service"),
    [
        ("hb.market_data.v1", "signal-service"),
        ("hb.signal.v1", "risk-service"),
        ("hb.risk_decision.v1", "coordination-service"),
    ],
)
def test_the_service_that_reads_a_stream_is_the_one_that_hangs(stream: str, service: str) -> None:
    """One restart is offered, its own; what runs and reads elsewhere is left alone."""
    found = verdict(behind(stream), services(), bot(), box(), alerts=(desk_alert("StreamGroupBehind"),))
    assert found.top is not None
    assert (found.top.cause, found.top.subject) == ("service_hung", f"hbot-{service}")
    assert [(each.kind, each.target) for each in found.actions] == [("restart", service)]


def test_a_paused_reader_does_not_hang_and_is_not_restarted() -> None:
    """It is unpaused by hand."""
    paused = services(risk_service="paused")
    found = verdict(behind("hb.signal.v1"), paused, bot(), box(), alerts=(desk_alert("StreamGroupBehind"),))
    assert found.top is not None
    assert found.top.cause == "paused_container"
    assert not kinds(found)


def test_a_stream_that_no_setting_names_blames_no_service() -> None:
    """Which consumer is idle is for Redis to tell."""
    found = verdict(
        behind("hb.other.v1"), services(), bot(), box(), alerts=(desk_alert("StreamGroupBehind"),)
    )
    assert not kinds(found)
    assert found.top is not None
    assert "XINFO CONSUMERS" in found.top.by_hand


def test_a_bus_that_lost_its_groups_is_seen_though_nobody_logs_it() -> None:
    """The services run, their streams hold entries, and their group is gone."""
    lost = redis(ungrouped=["hb.market_data.v1", "hb.signal.v1"], market_data_age_seconds=20.0)
    found = verdict(lost, services(), bot(), box(), alerts=(desk_alert("StreamLost"),))
    assert found.top is not None
    assert found.top.cause == "bus_lost"
    assert any("hb.signal.v1 has no group hb_group_v1" in each for each in found.top.because)


def test_an_everyday_pause_does_not_explain_an_alert_that_nobody_wrote_down() -> None:
    """It stands as a possibility: it would be there without the alert too."""
    paused = bot(state="soft_pause", reasons=["edge_gate_blocked"], edge_gate=True, held_seconds=1500.0)
    found = verdict(paused, errors(), box(), alerts=(alert("VolumeAnomaly"),))
    assert found.top is not None
    assert found.top.confidence < LIKELY
    believed = verdict(paused, errors(), box(), alerts=(alert("BotSoftPauseTooLong"),))
    assert believed.top is not None
    assert believed.top.cause == "edge_gate"
    assert set(NAMES) >= EVERYDAY


@pytest.mark.parametrize(
    ("held", "cause"), [(200.0, "nothing_is_wrong"), (1500.0, "edge_gate"), (None, "edge_gate")]
)
def test_an_alert_of_a_long_pause_does_not_mean_the_pause_of_a_moment_ago(
    held: float | None, cause: str
) -> None:
    """Where how long is not known, the pause that is seen counts."""
    paused = bot(state="soft_pause", reasons=["edge_gate_blocked"], edge_gate=True, held_seconds=held)
    found = verdict(paused, errors(), box(), alerts=(alert("BotSoftPauseTooLong"),))
    assert found.top is not None
    assert found.top.cause == cause


def test_a_bot_that_logs_is_not_restarted_because_its_figures_are_old() -> None:
    """It does something; what its log says counts."""
    denied = {
        "name": "code_error",
        "code": "",
        "generic": False,
        "count": 60,
        "usual": 0.0,
        "fresh": True,
        "first_at": (NOW - timedelta(minutes=9)).isoformat(),
        "last_at": NOW.isoformat(),
        "late": 30,
        "level": "ERROR",
        "logger": "x",
        "example": "PermissionError: [Errno 13] Permission denied: 'minute.csv'",
    }
    log = finding(
        "error_logs", {"bots": {"bot1": {"count": 60, "usual": 0.0, "templates": [], "classes": [denied]}}}
    )
    found = verdict(bot(frozen=True, age_seconds=400.0), log, box(), alerts=(alert("BotFrozen"),))
    assert found.top is not None
    assert found.top.cause == "code_error"
    assert "PermissionError" in found.top.headline
    assert not kinds(found)


def test_a_pause_of_a_minute_is_no_reason_for_an_hour_without_a_fill() -> None:
    """The everyday gate is closed now; what the alert tells of was before. A long pause is a reason."""
    closed: dict[str, Json] = {"state": "soft_pause", "reasons": ["edge_gate_blocked"], "edge_gate": True}
    calm = errors()
    brief = verdict(bot(**closed, held_seconds=90.0), calm, box(), alerts=(alert("BotNoFillsWhileRunning"),))
    assert "edge_gate" not in [each.cause for each in brief.causes]
    long = verdict(bot(**closed, held_seconds=5000.0), calm, box(), alerts=(alert("BotNoFillsWhileRunning"),))
    assert long.causes[0].cause == "edge_gate"


def test_beside_an_alert_nobody_wrote_down_what_is_usual_does_not_lead() -> None:
    """That nothing explains it comes first, also where a source is away; the gate stays a possibility."""
    closed = bot(state="soft_pause", reasons=["edge_gate_blocked"], edge_gate=True)
    for logs in (errors(), unknown("error_logs")):
        found = verdict(closed, logs, box(), alerts=(alert("VolumeAnomaly"),))
        assert [each.cause for each in found.causes] == ["no_cause_found", "edge_gate"]


def test_an_everyday_pause_that_began_just_before_an_alert_of_a_long_one_is_not_it() -> None:
    """It comes every few minutes. A pause for another reason that was there before the alert may be the one."""
    just = replace(alert("BotSoftPauseTooLong"), starts_at=NOW - timedelta(seconds=5))
    gate = bot(state="soft_pause", reasons=["edge_gate_blocked"], edge_gate=True, held_seconds=60.0)
    found = verdict(gate, errors(), box(), alerts=(just,))
    assert [each.cause for each in found.causes if each.stands] == ["nothing_is_wrong"]
    band = bot(state="soft_pause", reasons=["base_pct_above_max"], base_pct=0.95, held_seconds=60.0)
    other = verdict(band, errors(), box(), alerts=(just,))
    assert [each.cause for each in other.causes if each.stands] == ["inventory_band"]

"""What is over is a blip; what goes on or comes again never is, and nothing is paused for what has ended."""

from datetime import timedelta

import pytest

from tests.fakes.sources import NOW
from tests.triage.diagnosis.evidence import UP, alert, bot, bots, box, finding, kinds, verdict
from triage.diagnosis.logged_lines import LoggedLines
from triage.model import Finding, Json, Verdict


def logged(
    name: str, count: int, *, first: float, last: float, late: int, who: tuple[str, ...] = ("bot1",)
) -> Finding:
    """What the error_logs check finds of one class; ``first`` and ``last`` in minutes before now."""
    entry: dict[str, Json] = {
        "name": name, "code": "", "generic": False, "count": count, "usual": 0.0, "fresh": True,
        "first_at": (NOW - timedelta(minutes=first)).isoformat(), "late": late,
        "last_at": (NOW - timedelta(minutes=last)).isoformat(), "level": "ERROR", "logger": "connector",
        "example": "Server disconnected",
    }  # fmt: skip
    found = {"count": count, "usual": 0.0, "templates": [], "classes": [entry]}
    return finding("error_logs", {"window_seconds": 900.0, "bots": dict.fromkeys(who, found)})


def believed(found: Verdict) -> set[str]:
    """The causes that are said to be so."""
    return {each.cause for each in found.causes if each.confidence >= 0.5}


@pytest.mark.parametrize(
    ("count", "first", "last", "late", "over"),
    [
        (28, 12, 10, 0, True),
        (29, 12, 1, 1, True),  # an everyday line after the flood
        (28, 12, 0, 12, False),
        (40, 30, 0, 6, False),  # it comes as often as before
        (24, 118, 1, 1, False),  # it comes every five minutes
        (4, 40, 9, 0, False),  # it comes every ten minutes
        (1, 8, 8, 0, True),
        (0, 8, 8, 0, False),
    ],
)
def test_lines_have_ended_by_how_often_they_came(
    count: int, first: float, last: float, late: int, *, over: bool
) -> None:
    """A single late line does not go on with a flood; a slow drip has not ended between two drops."""
    lines = LoggedLines(
        count,
        count,
        first_at=NOW - timedelta(minutes=first),
        last_at=NOW - timedelta(minutes=last),
        late=late,
    )
    assert lines.over(NOW) is over


def test_an_interruption_that_is_over_is_a_blip_and_pauses_nothing() -> None:
    """The connections broke for a minute and a half; one everyday line came since."""
    log = logged("exchange_unreachable", 29, first=12, last=1, late=1)
    found = verdict(bot(), box(), log, alerts=(alert("WsReconnectSpike"),), name="WsReconnectSpike")
    assert believed(found) == {"blip"}
    assert "soft_pause" not in kinds(found)


def test_a_count_of_lines_that_were_not_all_read_is_a_lower_bound_in_the_verdict_too() -> None:
    """As in the finding that it stands on."""
    log = logged("exchange_unreachable", 29, first=12, last=1, late=1)
    log.data["bots"]["bot1"]["at_least"] = True
    found = verdict(bot(), box(), log, alerts=(alert("WsReconnectSpike"),), name="WsReconnectSpike")
    said = [text for cause in found.causes for text in cause.because]
    assert any("at least 29 such lines seen since" in text for text in said), said


def test_connections_that_go_on_breaking_are_no_blip() -> None:
    """The same flood that still comes; the bot was started anew meanwhile."""
    log = logged("exchange_unreachable", 40, first=12, last=0, late=16)
    found = verdict(
        bot(), box(up_seconds=200.0, restarts_hour=1), log, alerts=(alert("WsReconnectSpike"),),
        name="WsReconnectSpike",
    )  # fmt: skip
    assert "exchange_errors" in believed(found)
    assert "blip" not in believed(found)


@pytest.mark.parametrize("name", ["database_locked", "code_error", "disk_full", "redis_unreachable"])
def test_what_its_log_goes_on_telling_is_no_blip(name: str) -> None:
    """A restart does not make it over."""
    log = logged(name, 30, first=12, last=0, late=12)
    found = verdict(
        bot(), box(up_seconds=200.0, restarts_hour=1), log, alerts=(alert("BotLogErrorSpike"),),
        name="BotLogErrorSpike",
    )  # fmt: skip
    assert "blip" not in {each.cause for each in found.causes}


@pytest.mark.parametrize(
    "changes",
    [
        {"looping": True, "restarts": 6, "restarts_hour": 6, "up_seconds": 70.0},
        {"looping": False, "restarts": 2, "restarts_hour": 2, "up_seconds": 70.0},
        {"running": False, "status": "exited"},
    ],
)
def test_a_container_that_dies_again_is_no_blip(changes: dict[str, Json]) -> None:
    """Its connections broke and that is over; its process still ends again and again."""
    log = logged("exchange_unreachable", 28, first=14, last=12, late=0)
    found = verdict(
        bot(), box(**changes), log, alerts=(alert("ContainerDied", event=True),), name="ContainerDied"
    )
    assert "blip" not in {each.cause for each in found.causes}


def test_one_restart_is_a_blip() -> None:
    """It died once and has been up since."""
    found = verdict(
        bot(), box(restarts=1, restarts_hour=1, exit_code=139, up_seconds=150.0),
        finding("error_logs", {"window_seconds": 900.0, "bots": {}}),
        alerts=(alert("ContainerDied", event=True),), name="ContainerDied",
    )  # fmt: skip
    assert believed(found) == {"blip"}


def test_a_false_alert_about_a_container_that_never_ended_is_no_blip() -> None:
    """It is up for as long as the alert is about; nothing says that it was ever away."""
    found = verdict(
        bot(), box(up_seconds=400.0), finding("error_logs", {"window_seconds": 900.0, "bots": {}}),
        finding("watchers", {"target_up": True, "prometheus": "ready", "rules_bad": []}),
        alerts=(alert("ContainerDown"),), name="ContainerDown",
    )  # fmt: skip
    assert believed(found) == {"nothing_is_wrong"}


def test_silent_books_are_not_failing_requests() -> None:
    """Streams without data are closed and opened anew: some such lines on each bot, and the guard of each."""
    who = ("bot1", "bot2", "bot3")
    silent: dict[str, Json] = {"state": "soft_pause", "reasons": ["order_book_stale"]}
    log = logged("exchange_unreachable", 3, first=12, last=2, late=1, who=who)
    boxes = finding("container", {"containers": {f"hbot-{name}": UP for name in who}})
    found = verdict(
        bots(**dict.fromkeys(who, silent)), boxes, log, alerts=tuple(alert("OrderBookStale", name) for name in who),
        name="OrderBookStale", bots=who,
    )  # fmt: skip
    assert believed(found) == {"market_data_stale"}


def test_errors_that_stopped_are_not_believed_where_the_bots_state_is_not_known() -> None:
    """Without its state nobody knows that it works again; that requests fail now is not so either."""
    log = logged("exchange_unreachable", 28, first=12, last=10, late=0)
    found = verdict(box(), log, alerts=(alert("WsReconnectSpike"),), name="WsReconnectSpike")
    assert not believed(found)


def test_the_lines_of_a_stopped_bot_end_with_it() -> None:
    """It stands in hard_stop since its requests failed: that no line comes any more excuses nothing."""
    log = logged("exchange_unreachable", 40, first=14, last=9, late=0)
    stopped = bot(state="hard_stop", reasons=["connector_not_ready"])
    assert "exchange_errors" in believed(verdict(stopped, box(), log, alerts=(alert("BotHardStopActive"),)))


@pytest.mark.parametrize(("restarts", "cause"), [(1, "oom_killed_once"), (4, "oom_restart_loop")])
def test_a_creation_by_hand_is_no_second_kill(restarts: int, cause: str) -> None:
    """It was made anew in the same hour: two ends, one of them by itself."""
    killed = box(
        restarts=restarts,
        restarts_hour=max(2, restarts),
        oom=True,
        oom_count=1,
        exit_code=137,
        up_seconds=300.0,
    )
    found = verdict(
        bot(), killed, alerts=(alert("ContainerOomKilled", event=True),), name="ContainerOomKilled"
    )
    assert believed(found) == {cause}


@pytest.mark.parametrize(("ends", "cause"), [(1, "oom_killed_once"), (3, "oom_restart_loop")])
def test_an_alert_of_a_loop_is_no_single_kill(ends: int, cause: str) -> None:
    """The engine tells but the last kill and counts its restarts anew; the alert and the hour's ends say it was not one."""
    killed = box(restarts=0, restarts_hour=ends, oom=True, oom_count=1, exit_code=137, up_seconds=300.0)
    alerts = (alert("ContainerOomKilled", event=True), alert("ContainerRestartLoop"))
    found = verdict(bot(), killed, alerts=alerts, name="ContainerRestartLoop")
    assert believed(found) == {cause}
    assert found.top is not None
    assert not any("once" in text for text in found.top.because) or ends == 1


def test_books_that_stand_behind_a_certificate_are_its_consequence() -> None:
    """The guard's reason tells what the bot met, its log why."""
    log = logged("tls_failure", 60, first=6, last=0, late=50)
    paused = bot(state="soft_pause", reasons=["order_book_stale", "connector_not_ready"])
    found = verdict(paused, box(), log, alerts=(alert("OrderBookStale"),), name="OrderBookStale")
    assert believed(found) == {"tls_failure"}


def test_what_somebody_restarted_before_the_alert_was_not_interrupted() -> None:
    """An old alert after a restart by hand is false; after a crash the interruption is what it was about."""
    young = box(up_seconds=400.0, restarts_hour=1)
    asked = {
        "container": "hbot-bot1",
        "what": "stopped",
        "seconds_before": 160.0,
        "image": "bot:2",
        "ours": True,
    }
    by_hand = finding("changes", {"changes": [asked], "down": []})
    calm = finding("error_logs", {"bots": {"bot1": {"count": 0, "usual": 0.0, "templates": []}}})
    alerts = (alert("BotFrozen"),)
    assert believed(verdict(bot(), young, by_hand, calm, alerts=alerts, name="BotFrozen")) == {
        "nothing_is_wrong"
    }
    anew = {**asked, "what": "created", "same": True}
    again = finding("changes", {"changes": [anew], "down": []})
    assert believed(verdict(bot(), young, again, calm, alerts=alerts, name="BotFrozen")) == {
        "nothing_is_wrong"
    }
    crashed = finding("changes", {"changes": [], "down": []})
    assert believed(verdict(bot(), young, crashed, calm, alerts=alerts, name="BotFrozen")) == {"blip"}

"""Verdicts on alerts whose names nobody wrote down: what their words tell narrows the causes and claims no more."""

from dataclasses import replace
from datetime import timedelta

from tests.fakes.sources import NOW
from tests.triage.diagnosis.evidence import alert, bot, bots, box, errors, finding, machine, redis, verdict
from triage.model import FindingStatus, Subject, SubjectKind

EXPIRED = 'HTTP status is 400. Error: {"code":"40008","msg":"Request timestamp expired"}'
REFUSED = 'HTTP status is 400. Error: {"code":"40006","msg":"Invalid ACCESS_KEY"}'


def test_what_is_paused_by_other_words_has_the_same_cause() -> None:
    """As surely as the alert of the desk's own rules."""
    paused = bot(state="soft_pause", reasons=["edge_gate_blocked"], held_seconds=3000.0, edge_gate=True)
    own = verdict(paused, alerts=(alert("BotSoftPauseTooLong"),))
    other = verdict(paused, alerts=(alert("SoftPauseActive"),))
    assert own.top is not None
    assert other.top is not None
    assert (other.top.cause, other.top.confidence) == (own.top.cause, own.top.confidence)


def test_a_pause_that_is_over_is_said_and_nothing_else_is_called_wrong() -> None:
    """What the words state is measured: the bot is not paused."""
    found = verdict(bot(), box(), alerts=(alert("SoftPauseActive"),))
    assert found.top is not None
    assert found.top.cause == "nothing_is_wrong"


def test_what_the_words_do_not_state_is_not_denied() -> None:
    """That Redis answers, or fees come from the exchange, is another thing than what the alert states."""
    for name, subject in (
        ("RedisTooManyConnections", Subject(SubjectKind.CONTAINER, "hbot-redis")),
        ("FeeMismatch", Subject(SubjectKind.BOT, "bot1")),
        ("MemoryGrowing", Subject(SubjectKind.BOT, "bot1")),
        ("MetricsStale", Subject(SubjectKind.BOT, "bot1")),
    ):
        fires = replace(alert(name), subject=subject)
        found = verdict(bot(), redis(reachable=True), box(memory=0.3), alerts=(fires,))
        assert "nothing_is_wrong" not in [each.cause for each in found.causes], name


def test_a_cause_explains_no_alert_whose_words_tell_of_another_thing() -> None:
    """A refused key makes no backup fail, though the bot's log is full of it."""
    said = errors((REFUSED, 60, "new"))
    backup = verdict(said, bot(), alerts=(alert("NightlyBackupFailed"),))
    orders = verdict(said, bot(), alerts=(alert("OrdersRejected"),))
    assert [each.cause for each in backup.causes] == ["no_cause_found"]
    assert orders.causes[0].cause == "credentials_refused"


def test_what_is_down_elsewhere_is_not_what_an_alert_of_several_names_tells_of() -> None:
    """Redis that is down explains ``hbot-redis, hbot-x`` and not ``hbot-x, hbot-y``."""
    down = (redis(reachable=False), box("hbot-redis", status="exited", running=False, exit_code=1))
    about = {
        names: verdict(
            *down, alerts=(replace(alert("ServiceDown"), subject=Subject(SubjectKind.DESK, names)),)
        )
        for names in ("hbot-redis, hbot-x", "hbot-x, hbot-y")
    }
    named = about["hbot-redis, hbot-x"].top
    assert named is not None
    assert named.cause == "redis_down"
    assert [each.cause for each in about["hbot-x, hbot-y"].causes] == ["no_cause_found"]


def test_an_alert_of_the_host_s_clock_tells_its_cause_and_what_the_exchange_made_of_it() -> None:
    """Alone it is likely; with the exchange's refusals it is sure, and a login that fails beside them is no refused key."""
    fires = replace(alert("NodeClockSkewDetected"), subject=Subject(SubjectKind.HOST, "vps-1:9100"))
    alone = verdict(bot(), machine(), errors(), alerts=(fires,))
    assert [each.cause for each in alone.causes if each.stands] == ["clock_skew"]
    assert alone.causes[0].strength == "likely"
    refused = errors(
        (EXPIRED, 60, "new"), ("Error authenticating the private websocket connection", 60, "new")
    )
    both = verdict(refused, bot(orders=0), machine(), alerts=(fires, alert("ExchangeOrderFailureSpike")))
    assert [each.cause for each in both.causes if each.stands] == ["clock_skew"]
    assert both.causes[0].strength == "certain"
    key = verdict(errors((REFUSED, 60, "new")), bot(orders=0), alerts=(alert("ExchangeOrderFailureSpike"),))
    assert key.causes[0].cause == "credentials_refused"


def test_what_the_exchange_does_to_one_bot_is_not_said_of_the_exchange() -> None:
    """Others run on there: it fails this one's requests."""
    said = errors(
        ("OSError: Error executing request POST https://x/cancel. HTTP status is 500. Error: N/A", 60, "new")
    )
    fires = (alert("ExchangeOrderFailureSpike"),)
    one = verdict(said, bots(bot1={}, bot2={}), alerts=fires)
    alone = verdict(said, bot(), alerts=fires)
    assert one.top is not None
    assert alone.top is not None
    assert one.top.headline.endswith("; bot2 runs on.")
    assert one.top.headline.startswith("The exchange fails bot1's requests (500)")
    assert alone.top.headline.startswith("The exchange itself fails (500)")


def test_a_log_shipper_that_ships_nothing_takes_no_container_down() -> None:
    """Of a bot, and of several names; its own container it explains."""
    silent = (
        bots(bot1={}, bot2={}, bot3={}),
        finding("error_logs", {"bots": {}}, FindingStatus.UNKNOWN),
        finding("watchers", {"loki": "ok"}),
    )
    for subject in (Subject(SubjectKind.BOT, "bot3"), Subject(SubjectKind.DESK, "bot3, hbot-loki")):
        fires = replace(alert("ContainerDown"), subject=subject)
        found = verdict(*silent, alerts=(fires,), bots=("bot1", "bot2", "bot3"))
        assert "log_shipper_down" not in [each.cause for each in found.causes], subject
    shipper = replace(alert("ContainerDown"), subject=Subject(SubjectKind.CONTAINER, "hbot-promtail"))
    own = verdict(*silent, alerts=(shipper,), bots=("bot1", "bot2", "bot3"))
    assert own.causes[0].cause == "log_shipper_down"


def test_a_case_that_an_alert_makes_alone_explains_no_strange_one() -> None:
    """A clock that is off makes no systemd unit fail."""
    host = Subject(SubjectKind.HOST, "vps-1:9100")
    fires = (
        replace(alert("NodeClockSkewDetected"), subject=host),
        replace(alert("HostUnitCrashed"), subject=host),
    )
    found = verdict(bot(), machine(), errors(), alerts=fires)
    assert found.causes[0].cause == "clock_skew"
    assert found.unexplained == ("HostUnitCrashed vps-1:9100",)


def test_nothing_is_wrong_stands_alone() -> None:
    """A file that was edited after the bot started is a possibility beside it, and no second cause."""
    edited = {
        "file": ".env", "at": (NOW - timedelta(minutes=20)).isoformat(), "seconds_before": 960.0,
        "keys": ["BUS_SOFT_PAUSE_ON_OUTAGE"], "services": [], "older": ["hbot-bot1"],
    }  # fmt: skip
    changed = finding("changes", {"changes": [], "down": [], "down_as": {}, "project": [edited]})
    found = verdict(changed, bot(), box(), errors(), alerts=(alert("SoftPauseActive"),))
    assert {each.cause for each in found.causes} == {"nothing_is_wrong", "config_not_applied"}
    assert [each.cause for each in found.causes if each.stands] == ["nothing_is_wrong"]

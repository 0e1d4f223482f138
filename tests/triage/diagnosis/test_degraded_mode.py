"""Our own degraded mode: what is off because of it is no fault, and a desk in it is not simply well."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.store import SqlStore
from tests.fakes.sources import NOW, FakeSources
from tests.triage.diagnosis.checks.context import context
from tests.triage.diagnosis.evidence import UP, alert, bot, box, errors, finding, kinds, redis
from triage.actions.degraded import degraded_since
from triage.actions.remedies import conclude
from triage.diagnosis.record import as_json, from_json, record_of
from triage.memory.degraded_mode import Degraded, put_degraded
from triage.model import Episode, Finding, Verdict
from triage.playbooks.lookup import playbook_for

SINCE = NOW - timedelta(minutes=30)
GONE = {"running": False, "status": "exited", "exit_code": 0}


def judged(
    *findings: Finding, alerts: tuple[Episode, ...] = (), since: datetime | None = SINCE, asked: bool = False
) -> Verdict:
    """Diagnose while degraded mode is on since a time; ``asked``: by hand, without an incident."""
    ctx = replace(context(FakeSources()), degraded_since=since)
    ctx = replace(ctx, incident=None) if asked else ctx
    return conclude(findings, ctx, alerts, playbook_for(ctx.desk, "ContainerDown"))


@pytest.mark.parametrize(("sure", "known"), [(True, SINCE), (False, None)])
async def test_a_mode_that_was_only_begun_explains_nothing(
    sqlite_store: SqlStore, *, sure: bool, known: datetime | None
) -> None:
    """Its action did not come to its end: what stands may stand for another reason, and it may be tried again."""
    await sqlite_store.write(lambda tx: put_degraded(tx, Degraded(SINCE, 1, sure=sure)))
    assert await sqlite_store.read(degraded_since) == known


def test_a_service_that_is_off_because_of_it_is_no_fault() -> None:
    """Its container is down, and an alert says so; it was stopped on purpose, and nothing is offered."""
    found = judged(
        box("hbot-risk-service", **GONE),
        redis(reachable=False),
        bot(),
        alerts=(alert("ContainerDown", "risk-service"),),
    )
    assert found.top is not None
    assert found.top.cause == "degraded_mode"
    assert [each.cause for each in found.causes if each.stands] == ["degraded_mode"]
    assert not kinds(found)


@pytest.mark.parametrize(("by", "named"), [("Degraded mode", "redis_down"), ("", "container_stopped")])
def test_what_it_stops_while_it_is_entered_is_not_blamed(by: str, named: str) -> None:
    """It is not surely on before it ended: a service that it has stopped by then is neither a cause nor to be restarted."""
    service = "hbot-signal-service"
    stop = {
        "container": service,
        "what": "killed",
        "seconds_before": -37.0,
        "image": "x",
        "ours": True,
        "by": by,
    }
    boxes = finding(
        "container", {"containers": {"hbot-redis": {**UP, "looping": True}, service: {**UP, **GONE}}}
    )
    found = judged(
        boxes,
        finding("changes", {"changes": [stop], "down": [service], "down_as": {service: "exited"}}),
        redis(reachable=False),
        bot(),
        alerts=(
            alert("ContainerRestartLoop", "redis"),
            alert("RedisDown"),
            alert("ContainerDown", "signal-service"),
        ),
        since=None,
    )
    assert any(each.cause == named and each.stands for each in found.causes)
    blamed = {each.cause for each in found.causes if each.cause in {"container_stopped", "service_down"}}
    assert bool(blamed) is not bool(by)
    assert ("restart", "signal-service") not in {(each.kind, each.target) for each in found.actions} or not by


@pytest.mark.parametrize("by", ["Restart of signal-service", ""])
def test_the_stop_of_a_restart_is_not_why_a_container_is_down(by: str) -> None:
    """It ran again after it: what ended it since is a fault, whoever restarted it before."""
    service = "hbot-signal-service"
    made = {"container": service, "image": "x", "image_before": "", "ours": True, "same": False}
    changes = [
        {**made, "what": "killed", "seconds_before": 1500.0, "by": by},
        {**made, "what": "started", "seconds_before": 1490.0, "by": by},
    ]
    found = judged(
        box(service, **{**GONE, "exit_code": 1}),
        finding("changes", {"changes": changes, "down": [service], "down_as": {service: "exited"}}),
        redis(),
        bot(),
        alerts=(alert("ContainerDown", "signal-service"),),
        since=None,
    )
    assert found.top is not None
    assert found.top.cause == "service_down"
    assert ("restart", "signal-service") in {(each.kind, each.target) for each in found.actions}
    assert "container_stopped" not in {each.cause for each in found.causes if each.stands}


def test_what_was_there_before_it_is_not_explained_by_it() -> None:
    """Redis ended, degraded mode was entered for it: Redis is the cause, and entering it again is not offered."""
    first = replace(alert("RedisDown"), starts_at=SINCE - timedelta(minutes=5))
    found = judged(box("hbot-redis", **GONE), redis(reachable=False), bot(), alerts=(first,))
    assert found.top is not None
    assert found.top.cause == "redis_down"
    assert "degraded_mode" not in kinds(found)


def test_a_bot_that_fails_while_it_is_on_has_its_own_cause() -> None:
    """A refused key is a refused key."""
    lines = errors(("HTTP status is 400. Error: {'code': '40006', 'msg': 'Invalid ACCESS_KEY'}", 30, "new"))
    found = judged(lines, box(), bot(), redis(reachable=False), alerts=(alert("BotLogErrorSpike"),))
    assert found.top is not None
    assert found.top.cause == "credentials_refused"


def test_who_asks_is_told_of_it_and_not_that_nothing_is_wrong() -> None:
    """Without it the same findings are a healthy desk."""
    healthy = (bot(), box(), errors(), redis())
    assert judged(*healthy, since=None, asked=True).causes[0].cause == "nothing_is_wrong"
    found = judged(*healthy, asked=True)
    assert found.causes[0].cause == "degraded_mode"
    assert f"since {SINCE:%H:%M}" in found.causes[0].headline


def test_a_false_alert_is_false_beside_it() -> None:
    """What is said of the alert holds, and no more is said than that."""
    found = judged(bot(), box(), errors(), redis(reachable=False), alerts=(alert("BotHardStopActive"),))
    assert found.top is not None
    assert found.top.cause == "nothing_is_wrong"
    assert "degraded mode" in found.top.headline


def test_a_record_keeps_it_and_an_older_one_says_that_it_does_not_know() -> None:
    """The verdict of a record is that of its triage."""
    ctx = replace(context(FakeSources()), degraded_since=SINCE)
    record = record_of(ctx, (bot(),), (), playbook_for(ctx.desk, "ContainerDown"))
    data = as_json(record)
    assert from_json(data).degraded_since == SINCE
    old = from_json({key: value for key, value in data.items() if key != "degraded_since"} | {"schema": 1})
    assert old.degraded_since is None
    assert "degraded mode was on" in old.caveats[0]

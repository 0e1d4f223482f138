"""What is said of a Redis that answers: only what is so."""

from dataclasses import replace

import pytest

from tests.triage.diagnosis.evidence import UP, alert, box, finding, kinds, redis, unknown, verdict
from triage.model import Episode, Finding, Json, Source


def ours(name: str) -> Episode:
    """One of our own signals about Redis."""
    return replace(alert(name), source=Source.STREAMS)


FULL: dict[str, Json] = {"memory_used": 99, "memory_max": 100}


@pytest.mark.parametrize(
    ("fires", "state", "words"),
    [
        ("RedisSlow", {}, "is not well: it answers slowly."),
        (
            "RedisEvicting",
            {**FULL, "memory_policy": "allkeys-lru"},
            "is not well: it drops keys to stay below its memory limit.",
        ),
        ("RedisNotSaving", {"persistence_ok": False}, "is not well: it cannot save to disk."),
        ("RedisReadOnly", {"role": "slave"}, "cannot do its work: it is a slave and takes no writes."),
        ("RedisReadOnly", FULL, "cannot do its work: its memory is 99 % of its limit."),
        (
            "RedisReadOnly",
            {"persistence_ok": False},
            "cannot do its work: it takes no writes; it cannot save to disk.",
        ),
    ],
)
def test_what_is_said_of_redis_holds(fires: str, state: dict[str, Json], words: str) -> None:
    """A slow one works; one that may drop keys is full every day."""
    found = verdict(redis(**state), box("hbot-redis"), alerts=(ours(fires),), name=fires)
    assert found.top is not None
    assert found.top.cause == "redis_unwell"
    assert found.top.headline == f"Redis answers and {words}"


ENDED: dict[str, Json] = {**UP, "running": False, "status": "exited", "exit_code": 1, "restarts_hour": 1}


@pytest.mark.parametrize(
    ("streams", "offered"),
    [
        (redis(), []),  # between two of its ends
        (redis(reachable=False), ["degraded_mode"]),
        (unknown("streams"), ["degraded_mode"]),
    ],
)
@pytest.mark.parametrize("follower", [ENDED, {**ENDED, "status": "restarting", "looping": True}])
def test_a_redis_in_a_loop_is_the_cause_and_its_services_follow(
    streams: Finding, offered: list[str], follower: dict[str, Json]
) -> None:
    """One cause and one thing to do, however little is known in the first seconds."""
    boxes = {
        "hbot-redis": {**ENDED, "looping": True, "status": "restarting", "restarts_hour": 4},
        "hbot-signal-service": follower,
        "hbot-risk-service": follower,
    }
    told = [
        alert("ContainerRestartLoop", "redis", event=True),
        *(alert("ContainerDied", name.removeprefix("hbot-"), event=True) for name in boxes),
    ]
    found = verdict(
        finding("container", {"containers": boxes}), streams, alerts=tuple(told), name="ContainerRestartLoop"
    )
    standing = [each for each in found.causes if each.stands]
    assert [each.cause for each in standing] == ["redis_down"]
    assert standing[0].headline.startswith("Redis dies again and again")
    assert any(
        text.startswith("Each of signal-service, risk-service does not run") for text in standing[0].follows
    )
    assert standing[0].by_hand == "docker logs --tail 50 hbot-redis"
    assert kinds(found) == offered

"""What is said of a Redis that answers: only what is so."""

from dataclasses import replace

import pytest

from tests.triage.diagnosis.evidence import alert, box, redis, verdict
from triage.model import Episode, Json, Source


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

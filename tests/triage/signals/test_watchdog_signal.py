"""The dead-man's switch, armed and not, and the troubles of our own that last."""

from datetime import datetime, timedelta

import pytest

from tests.triage.signals.happening import DESK, NOW
from triage.signals.troubles import LastingTroubles
from triage.signals.watchdog import watchdog_missing

LIMIT, SPAN = DESK.watchdog.max_silence_seconds, DESK.listening.trouble_seconds


def ago(seconds: float) -> datetime:
    """Return a moment before now."""
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("seen", "rule_loaded", "started", "blind"),
    [
        (ago(LIMIT), False, ago(9999), False),
        (ago(LIMIT + 1), False, ago(9999), True),
        (ago(9999), False, ago(LIMIT), False),
        (ago(9999), False, ago(LIMIT + 1), True),
        (None, False, ago(9999), False),
        (None, True, ago(LIMIT), False),
        (None, True, ago(LIMIT + 1), True),
    ],
    ids=[
        "came lately", "stopped coming", "we were away", "we are back for long",
        "no rule", "rule, not long", "rule, never came",
    ],
)  # fmt: skip
def test_alerting_is_blind_when_the_watchdog_stopped_coming(
    seen: datetime | None,
    rule_loaded: bool,  # noqa: FBT001 - a row of the table
    started: datetime,
    blind: bool,  # noqa: FBT001 - as above
) -> None:
    """Armed once it was seen or its rule is loaded; time in which we did not listen does not count."""
    found = watchdog_missing(DESK, seen=seen, rule_loaded=rule_loaded, started=started, now=NOW)
    assert (found is not None) is blind


def test_watchdog_missing_says_since_when() -> None:
    """The last time it came, which may be before our start; or that it never did."""
    found = watchdog_missing(DESK, seen=ago(840), rule_loaded=True, started=ago(720), now=NOW)
    assert found is not None
    assert found.text == "alerting is blind since 03:02: Watchdog has not come for 14 min"
    assert found.since == ago(840)
    never = watchdog_missing(DESK, seen=None, rule_loaded=True, started=ago(720), now=NOW)
    assert never is not None
    assert "never reached us" in never.text


def test_a_switch_that_is_off_never_fires() -> None:
    """A desk may say that it wants none."""
    off = DESK.model_copy(update={"watchdog": DESK.watchdog.model_copy(update={"enabled": False})})
    assert watchdog_missing(off, seen=ago(9999), rule_loaded=True, started=ago(9999), now=NOW) is None


def test_a_trouble_is_told_once_it_has_lasted() -> None:
    """Not before we know for how long; one that pauses begins anew; each for itself."""
    lasting = LastingTroubles()
    steps: list[tuple[float, dict[str, str], list[str] | None]] = [
        (0, {"loki": "refused"}, None),
        (SPAN - 1, {"loki": "refused"}, None),
        (SPAN, {"loki": "refused", "docker": "gone"}, ["loki"]),
        (SPAN + 10, {"loki": "", "docker": "gone"}, []),
        (SPAN + 20, {"loki": "refused", "docker": "gone"}, []),
        (2 * SPAN, {"loki": "refused", "docker": "gone"}, ["docker"]),
        (2 * SPAN + 20, {"loki": "refused", "docker": "gone"}, ["docker", "loki"]),
        (2 * SPAN + 30, {}, []),
    ]
    for seconds, troubles, told in steps:
        found = lasting.look(DESK, troubles, NOW + timedelta(seconds=seconds))
        assert (None if found is None else sorted(found)) == told, seconds


def test_a_trouble_lasts_though_the_clock_is_set_back() -> None:
    """It is told after as long again, not when the clock has come to where it was."""
    lasting, back = LastingTroubles(), NOW - timedelta(hours=2)
    told: list[tuple[datetime, list[str] | None]] = [
        (NOW, None),
        (NOW + timedelta(seconds=SPAN), ["loki"]),
        (back, None),
        (back + timedelta(seconds=SPAN), ["loki"]),
    ]
    for at, expected in told:
        found = lasting.look(DESK, {"loki": "refused"}, at)
        assert (None if found is None else sorted(found)) == expected, at


def test_a_told_trouble_names_itself_and_shows_no_secret() -> None:
    """With since when, and its words masked."""
    lasting = LastingTroubles()
    wrong = {"heartbeat": "https://ana:s3cr3t@ping/x refused"}
    lasting.look(DESK, wrong, NOW)
    found = lasting.look(DESK, wrong, NOW + timedelta(seconds=SPAN)) or {}
    condition = found["heartbeat"]
    assert condition.text.startswith("heartbeat: ")
    assert "s3cr3t" not in condition.text
    assert (condition.since, condition.labels["dependency"]) == (NOW, "heartbeat")

"""The Alertmanager adapter against a real Alertmanager."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.sources.opening import open_sources
from tests.servers.alertmanager import AlertmanagerServer
from triage.errors import SourceRejected
from triage.ports.sources import Alerts, Matcher, Silences

HOSTILE = 'a "quoted" {x="y"}\nline \\ <!channel>'


@pytest.fixture
async def alerts(alertmanager_server: AlertmanagerServer) -> AsyncIterator[Alerts]:
    """Give the adapter."""
    async with open_sources(alertmanager_url=alertmanager_server.url) as sources:
        yield sources.alerts


async def fire(alerts: Alerts, **labels: str) -> None:
    """Fire an alert for an hour."""
    now = datetime.now(UTC)
    await alerts.fire(labels, {"summary": HOSTILE}, start=now, end=now + timedelta(hours=1))


async def silenced(alerts: Alerts, *matchers: Matcher) -> str:
    """Write a silence of an hour that began a moment ago."""
    now = datetime.now(UTC)
    return await alerts.silence(
        matchers, start=now, end=now + timedelta(hours=1), created_by="ana", comment="on it"
    )


async def test_a_fired_alert_is_held_with_its_text_unchanged(alerts: Alerts) -> None:
    """Labels and annotations come back byte for byte."""
    await fire(alerts, alertname="Drill", bot=HOSTILE)
    (held,) = await alerts.alerts()
    assert held.labels == {"alertname": "Drill", "bot": HOSTILE}
    assert held.annotations == {"summary": HOSTILE}
    assert held.state in {"active", "unprocessed"}
    assert held.fingerprint
    assert held.starts_at.startswith(str(datetime.now(UTC).year))


async def test_a_silence_suppresses_and_its_end_lets_it_through(alerts: Alerts) -> None:
    """Written, seen on the alert, listed, ended, not listed any more."""
    await fire(alerts, alertname="Drill", bot=HOSTILE)
    name = await silenced(alerts, Matcher("alertname", "Drill"), Matcher("bot", HOSTILE))
    (held,) = await alerts.alerts()
    assert (held.state, held.silenced_by) == ("suppressed", (name,))
    (silence,) = (await alerts.silences()).held
    assert silence.matchers == (Matcher("alertname", "Drill"), Matcher("bot", HOSTILE))
    assert (silence.created_by, silence.comment, silence.state) == ("ana", "on it", "active")
    await alerts.expire_silence(name)
    assert await alerts.silences() == Silences(())
    (held,) = await alerts.alerts()
    assert held.state == "active"


async def test_a_regular_expression_and_an_inequality_come_back_as_such(alerts: Alerts) -> None:
    """Both flags of a matcher are written and read."""
    matchers = (Matcher("bot", "bot[12]", is_regex=True), Matcher("severity", "info", is_equal=False))
    await silenced(alerts, *matchers)
    (silence,) = (await alerts.silences()).held
    assert silence.matchers == matchers


async def test_a_matcher_without_a_value_leaves_out_who_has_the_label(alerts: Alerts) -> None:
    """So a silence made for an alert with few labels does not hide one with more."""
    name = await silenced(alerts, Matcher("alertname", "Down"), Matcher("job", "node"), Matcher("bot", ""))
    await fire(alerts, alertname="Down", job="node", severity="info")
    await fire(alerts, alertname="Down", job="node", bot="bot1")
    hidden = {held.labels.get("bot", ""): held.silenced_by for held in await alerts.alerts()}
    assert hidden == {"": (name,), "bot1": ()}
    (silence,) = (await alerts.silences()).held
    assert Matcher("bot", "") in silence.matchers


async def test_a_silence_without_matchers_is_rejected_with_alertmanager_s_words(alerts: Alerts) -> None:
    """Its 422 is an object, its 400 a string: either way the operator reads why."""
    with pytest.raises(SourceRejected, match="matcher"):
        await silenced(alerts)
    with pytest.raises(SourceRejected, match=r"regex|missing closing"):
        await silenced(alerts, Matcher("bot", "(", is_regex=True))


async def test_the_end_of_an_unknown_silence_is_rejected(alerts: Alerts) -> None:
    """Old versions answer it with a 500: it is no fault of theirs, there is nothing to end."""
    with pytest.raises(SourceRejected, match="there is no silence"):
        await alerts.expire_silence("00000000-0000-0000-0000-000000000000")


async def test_it_is_ready(alerts: Alerts) -> None:
    """Readiness is asked where Alertmanager has it."""
    await alerts.ready()

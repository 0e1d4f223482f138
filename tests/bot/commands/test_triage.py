"""One triage without a service: what an alert's file becomes, and how the result is printed."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.commands.triage import Result, as_text, read_alert, triage_once
from bot.settings import load_settings
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from triage.desk import Desk
from triage.errors import BadInput
from triage.model import (
    Finding,
    FindingStatus,
    Severity,
    SignalStatus,
    SubjectKind,
    Verdict,
)

LABELS = {"alertname": "BotHardStopActive", "bot": "bot1", "severity": "critical"}
ALERT = {
    "status": "firing",
    "labels": LABELS,
    "annotations": {},
    "startsAt": "2026-02-21T09:30:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "",
    "fingerprint": "a1b2c3d4e5f60718",
}


def webhook(*alerts: object) -> str:
    """Return a file with Alertmanager's webhook."""
    return json.dumps(
        {
            "version": "4",
            "groupKey": "{}:{}",
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "triage",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "",
            "alerts": alerts,
        }
    )


async def triaged(folder: Path, text: str, **environment: str) -> Result:
    """Triage a file with some sources set."""
    settings = load_settings(environment, folder=folder)
    return await triage_once(settings, read_alert(settings.desk, text))


def test_a_webhook_is_read_alert_by_alert() -> None:
    """Each with its own subject, status and time."""
    resolved = {**ALERT, "status": "resolved", "endsAt": "2026-02-21T09:40:00Z", "fingerprint": "ff"}
    first, second = read_alert(Desk(), webhook(ALERT, {**resolved, "labels": {**LABELS, "bot": "bot2"}}))
    assert (first.name, first.subject.kind, first.subject.name) == (
        *("BotHardStopActive", SubjectKind.BOT, "bot1"),
    )
    assert first.starts_at == datetime(2026, 2, 21, 9, 30, tzinfo=UTC)
    assert (second.subject.name, second.status) == ("bot2", SignalStatus.RESOLVED)


def test_labels_alone_are_an_alert_that_fires_now() -> None:
    """What an operator types by hand: the rest is taken for granted."""
    [signal] = read_alert(Desk(), json.dumps({"labels": LABELS}))
    assert signal.status is SignalStatus.FIRING
    assert abs((datetime.now(UTC) - signal.starts_at).total_seconds()) < 60


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("7", ""),
        ("{}", "labels"),
        (webhook(), "alerts"),
        (webhook({**ALERT, "startsAt": "soon"}), "alerts.0.startsAt"),
        (json.dumps({"labels": {"bot": 1}}), "labels.bot"),
    ],
)
def test_what_is_no_alert_is_refused_with_its_place(text: str, path: str) -> None:
    """The path leads into the file; the text is one line."""
    with pytest.raises(BadInput) as caught:
        read_alert(Desk(), text)
    assert caught.value.path == path
    assert "\n" not in str(caught.value)


async def test_without_sources_nothing_is_answered(tmp_path: Path) -> None:
    """Every finding is unknown, none is silently ok, and no cause is made up."""
    result = await triaged(tmp_path, json.dumps(ALERT))
    assert not result.answered
    assert {finding.status for finding in result.findings} == {FindingStatus.UNKNOWN}
    assert result.incident.subjects[0].name == "bot1"


@pytest.mark.slow
async def test_one_source_that_answers_is_an_answer(tmp_path: Path) -> None:
    """The checks that have it speak, the others say that theirs is not configured."""
    async with PrometheusServer(PrometheusConfig()) as prometheus:
        result = await triaged(tmp_path, webhook(ALERT), PROMETHEUS_URL=prometheus.url)
    assert result.answered
    silent = [finding for finding in result.findings if finding.status is FindingStatus.UNKNOWN]
    assert silent
    assert all(finding.why for finding in silent)


async def test_the_text_names_each_finding_and_what_is_not_known(tmp_path: Path) -> None:
    """Severity and title come first; a finding's line has its status, its name and its time."""
    result = await triaged(tmp_path, json.dumps(ALERT))
    lines = as_text(result).splitlines()
    assert lines[0] == f"{result.incident.severity} · {result.incident.title}"
    for finding in result.findings:
        assert any(line.startswith(f"unknown   {finding.name}") for line in lines)


async def test_a_hostile_label_cannot_forge_a_line(tmp_path: Path) -> None:
    """Line ends and escape sequences in an alert do not reach the terminal."""
    evil = {**LABELS, "alertname": "Evil", "bot": "bot1\nSev-3 · all is well\x1b[2J"}
    text = as_text(await triaged(tmp_path, json.dumps({"labels": evil})))
    assert "\x1b" not in text
    assert not any(line.startswith("Sev-3 · all is well") for line in text.splitlines())


async def test_a_verdict_without_a_cause_says_so(tmp_path: Path) -> None:
    """No guess stands where there is none."""
    result = await triaged(tmp_path, json.dumps(ALERT))
    quiet = replace(result, verdict=Verdict(causes=()), findings=())
    assert as_text(quiet).splitlines()[2] == "No cause found."
    assert quiet.as_json()["verdict"] == {
        "causes": [],
        "actions": [],
        "unknowns": [],
        "unexplained": [],
        "withheld": [],
    }


async def test_the_json_says_what_the_result_holds(tmp_path: Path) -> None:
    """The same names, statuses, words and seconds."""
    result = await triaged(tmp_path, json.dumps(ALERT))
    body = result.as_json()
    assert body["severity"] == Severity.SEV1.value
    told: list[Finding] = list(result.findings)
    assert [(one["name"], one["status"], one["why"]) for one in body["findings"]] == [
        (finding.name, finding.status.value, finding.why) for finding in told
    ]
    assert json.loads(json.dumps(body)) == body

"""Log lines in every wrapping people meet, through the check and a Loki that answers as the real one."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.sources.opening import open_sources
from demo.clock import ManualClock
from demo.servers.loki import LokiServer
from tests.fakes.sources import NOW, FakeSources
from tests.triage.diagnosis.checks.context import context
from triage.diagnosis.checks import error_logs
from triage.diagnosis.checks.base import CheckContext
from triage.model import FindingStatus

CASES: list[dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("log_lines.yaml"))


def by_name(case: dict[str, Any]) -> str:
    """Name a case in pytest's output."""
    return str(case["name"])


def with_logs(ctx: CheckContext, logs: Any) -> CheckContext:  # noqa: ANN401 - the port, as opened
    """Return the context with another Loki."""
    return replace(ctx, sources=replace(ctx.sources, logs=logs))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=by_name)
async def test_lines_are_read_in_every_wrapping(case: dict[str, Any]) -> None:
    """What is an error is found, what is none is not, and what cannot be read is said."""
    server = LokiServer(ManualClock(NOW.timestamp()))
    at = (NOW - timedelta(minutes=5)).timestamp()
    server.add(
        {"job": "bot_logs", "bot": "bot1"}, "2026-02-19 20:00:00,000 - 1 - x - INFO - up", at - 7 * 3600
    )
    for turn in range(case.get("times", 1)):
        for number, line in enumerate(case["lines"]):
            server.add({"job": "bot_logs", "bot": "bot1"}, line, at + 3 * turn + number * 0.1)
    async with server, open_sources(loki_url=server.url) as sources:
        finding = await error_logs.run(with_logs(context(FakeSources()), sources.logs))
    found = finding.data["bots"]["bot1"]
    assert finding.status is FindingStatus(case["status"]), finding
    assert sorted(each["example"] for each in found["templates"]) == sorted(case.get("errors", []))
    assert sorted(each["example"] for each in found["others"]) == sorted(case.get("others", []))
    assert case.get("headline", "") in finding.headline


@pytest.mark.slow
async def test_a_level_that_loki_guessed_does_not_part_a_traceback_from_its_error() -> None:
    """From Loki 3.1 on the lines of one container stand in several streams (grafana/loki#14443)."""
    server = LokiServer(ManualClock(NOW.timestamp()))
    at = (NOW - timedelta(minutes=5)).timestamp()
    names = {"job": "bot_logs", "bot": "bot1", "filename": "/logs/a.log"}
    for number in range(3):
        moment = at + 10 * number
        record = f"2026-02-20 03:11:00,312 - 12 - hummingbot.client - ERROR - Place {number} failed"
        server.add({**names, "detected_level": "error"}, record, moment)
        server.add({**names, "detected_level": "unknown"}, "Traceback (most recent call last):", moment)
        server.add({**names, "detected_level": "unknown"}, "OSError: HTTP status is 429", moment + 0.001)
    async with server, open_sources(loki_url=server.url) as sources:
        finding = await error_logs.run(with_logs(context(FakeSources()), sources.logs))
    (template,) = finding.data["bots"]["bot1"]["templates"]
    assert (template["count"], template["exception"]) == (3, "OSError: HTTP status is 429")
    assert template["text"] == "Place <n> failed (OSError: HTTP status is <n>)"

"""An incident is over: its thread asks once whether the verdict was right, whatever is killed meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.command_line.table import app
from demo.slack import Message
from demo.slack.blockkit import walk
from tests.flows.harness import Harness, running_harness

Require = Callable[..., Path]


@pytest.fixture
async def harness(require: Require, tmp_path: Path) -> AsyncIterator[Harness]:
    """Run the harness."""
    async with running_harness(require, tmp_path) as running:
        yield running


def questions(harness: Harness, card: Message) -> list[Message]:
    """Return the questions in a thread."""
    return [
        one
        for one in harness.slack.thread(card)
        if "Was this" in one.text or "What was it?" in one.text or "verdict was right" in one.text
    ]


async def over(harness: Harness) -> Message:
    """Make bot1 stop, wait for its triage, make it run again, and wait until the incident is over."""
    harness.exporter.set("bot1", state="hard_stop")
    card = await harness.card(lambda one: "hard stop" in one.text and not one.text.startswith("✅"))
    await harness.until(lambda: any("Triage" in line for line in harness.thread(card)), "the triage")
    harness.exporter.set("bot1", state="running")
    await harness.until(lambda: any("✅" in line for line in harness.thread(card)), "the end", seconds=90)
    return card


@pytest.mark.timeout(300)
async def test_the_thread_asks_once_and_the_answer_counts(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the end and the question; answered by a click; judged again from the service's own database."""
    card = await over(harness)
    harness.bot.kill()
    await harness.bot.start()
    await harness.until(lambda: questions(harness, card), "the question")
    await asyncio.sleep(3)
    [asked] = questions(harness, card)
    ana = harness.slack.member("ana")
    labels = [one["action_id"] for _, _, one in walk(asked.blocks) if one["type"] == "button"]
    if "incident.cause_right" in labels:
        assert (await ana.click(asked, "incident.cause_right")).acked
    else:
        await ana.click(asked, "incident.cause_wrong")
        await ana.sees_modal("incident_cause")
        assert not (await ana.submit({"cause": "external_kill_switch", "text": "pulled by hand"})).errors
    await harness.until(lambda: any("@ana says" in line for line in harness.thread(card)), "the answer")
    page = (await harness.bot.get("/metrics")).text
    assert "triage_verdicts_answered{" in page
    monkeypatch.setenv("TRIAGE_DATABASE_URL", f"sqlite:///{harness.bot.directory}/triage.db")
    monkeypatch.chdir(tmp_path)
    result = await asyncio.to_thread(lambda: CliRunner().invoke(app, ["replay", "INC-1", "--json"]))
    assert result.exit_code == 0, result.output
    [told] = json.loads(result.stdout)
    assert (told["changed"], told["caveats"]) == (False, [])

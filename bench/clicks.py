"""Buttons under load: ``python -m bench.clicks``.

50 webhooks a second arrive, one of them each second with a new alert of one of 40 containers, the others repeats;
incidents open, are posted and triaged as in operation. Meanwhile an operator presses Silence on a bot's incident four
times a second. The clock starts when our Slack server sends the click and stops at the socket's acknowledgement and
at the arrival of ``views.open``.

Then a restart is asked for and confirmed under the same load, several times: how soon the form shows its plan, and each
state of each step must be in the thread soon after it came about: from the step's own time in the database to the
arrival of the edit that shows it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import httpx

from bench.figures import Figure, p99, tell
from bench.harness import CALM, TOKEN, Harness, running_service
from bench.load import alert, webhook
from bench.simulated import simulated_desk
from demo.slack import Message

WEBHOOKS_A_SECOND, CLICKS_A_SECOND, SECONDS, ACTIONS = 50, 4, 30, 5
ACKNOWLEDGED_MS, MODAL_MS, PROGRESS_MS = 100.0, 500.0, 1000.0


@dataclass(slots=True)
class _Load:
    """What arrives while the operator works."""

    harness: Harness
    sent: int = 0
    slow: float = 0.0
    numbers: Iterator[int] = field(default_factory=count)

    async def run(self) -> None:
        """Send until cancelled; a webhook that is not answered at once does not hold the next one back."""
        began = time.monotonic()
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http, asyncio.TaskGroup() as group:
            for number in self.numbers:
                await asyncio.sleep(max(0.0, began + number / WEBHOOKS_A_SECOND - time.monotonic()))
                group.create_task(self._send(http, number))

    async def _send(self, http: httpx.AsyncClient, number: int) -> None:
        which = number // WEBHOOKS_A_SECOND
        labels = {"alertname": f"Load{which // 40}", "name": f"box-{which % 40:02}", "severity": "warning"}
        body = json.dumps(webhook(alert(f"load-{which}", labels)))
        began = time.monotonic()
        answer = await http.post(
            f"{self.harness.bot.url}/webhooks/alertmanager", content=body, headers=_headers()
        )
        assert answer.status_code == 200, answer.text
        self.sent += 1
        self.slow = max(self.slow, time.monotonic() - began)


def _headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


@asynccontextmanager
async def _under_load(harness: Harness) -> AsyncIterator[_Load]:
    load = _Load(harness)
    running = asyncio.create_task(load.run())
    await asyncio.sleep(3)
    try:
        yield load
    finally:
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled():
            running.result()


async def _card(harness: Harness) -> Message:
    """Open an incident of a bot and return its card."""
    labels = {"alertname": "BotNegativeEdgePersistent", "bot": "bot1", "severity": "warning"}
    body = json.dumps(webhook(alert("edge", labels)))
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        await http.post(f"{harness.bot.url}/webhooks/alertmanager", content=body, headers=_headers())
    return await harness.slack.message(
        lambda message: all(word in json.dumps(message.blocks) for word in ("incident.silence", "bot1")),
        what="the card",
    )


@dataclass(slots=True)
class _Clicks:
    acknowledged: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)


async def _click(harness: Harness, card: Message) -> _Clicks:
    """Press the button again and again; returns the times in ms."""
    ana, times, began = harness.slack.member("ana"), _Clicks(), time.monotonic()
    for number in range(CLICKS_A_SECOND * SECONDS):
        await asyncio.sleep(max(0.0, began + number / CLICKS_A_SECOND - time.monotonic()))
        harness.slack.calls.clear()
        clicked = time.monotonic()
        outcome = await ana.click(card, "incident.silence")
        assert outcome.acked, outcome
        times.acknowledged.append(outcome.seconds * 1000)
        times.opened.append(await _arrival(harness, "views.open", clicked))
        await ana.close(cleared=True)
    return times


async def _arrival(harness: Harness, method: str, since: float) -> float:
    for _ in range(1000):
        found = harness.slack.calls.of(method, ok=True)
        if found:
            return (found[0].at - since) * 1000
        await asyncio.sleep(0.005)
    raise AssertionError(f"no {method} within 5 s of a click\n{harness.bot.log()[-2000:]}")


async def _act(harness: Harness, number: int) -> tuple[float, list[float]]:
    """Restart a bot and wait for the end, in ms: how late its plan was shown, and the two ends of each step."""
    ana, reason = harness.slack.member("ana"), f"bench {number}"
    harness.slack.calls.clear()
    asked = time.monotonic()
    assert (await ana.command("/triage do restart bot1")).acked
    await harness.slack.workspace.until(
        lambda: ana.modal is not None and "Side effects" in json.dumps(ana.modal.body), 10, "the plan"
    )
    planned = (time.monotonic() - asked) * 1000
    assert (await ana.submit({"reason": reason})).acked
    await ana.close(cleared=True)
    await harness.slack.message(
        lambda message: reason in (said := json.dumps(message.blocks)) and "Succeeded" in said,
        what="the end of the action",
        seconds=60,
    )
    edits = [
        (call.wall, json.dumps(call.args["blocks"], ensure_ascii=False))
        for method in ("chat.postMessage", "chat.update")
        for call in harness.slack.calls.of(method, ok=True)
        if reason in json.dumps(call.args.get("blocks", ""))
    ]
    with sqlite3.connect(f"file:{harness.folder}/triage.db?mode=ro", uri=True) as database:
        query = (
            "SELECT title, started_at, finished_at FROM action_steps "
            "WHERE action_id = (SELECT max(action_id) FROM action_steps)"
        )
        steps = database.execute(query).fetchall()
    return planned, [
        late
        for title, began, ended in steps
        for late in (
            _shown_after(edits, began, rf"[◐✓] (\d+ )?{title}"),
            _shown_after(edits, ended, rf"✓ (\d+ )?{title}"),
        )
    ]


def _shown_after(edits: list[tuple[float, str]], moment: int, pattern: str) -> float:
    """Return the ms from a moment (microseconds of Unix time) to the first edit that shows what came about."""
    line = re.compile(f'"{pattern}"')
    arrived = next(wall for wall, blocks in edits if line.search(blocks))
    return max(0.0, arrived * 1000 - moment / 1000)


async def _figures() -> list[Figure]:
    async with simulated_desk() as desk:
        settings = {**CALM, **desk.settings}
        sources = dict(desk.sources)
        del sources["ALERTMANAGER_URL"]  # it knows nothing of these alerts, and would end them
        async with running_service(desk=settings, sources=sources) as harness:
            card = await _card(harness)
            async with _under_load(harness) as load:
                times = await _click(harness, card)
                acted = [await _act(harness, number) for number in range(ACTIONS)]
    late = [value for _, shown in acted for value in shown]
    return [
        Figure("clicks_webhooks_sent", load.sent, "webhooks"),
        Figure("click_acknowledged_p99", p99(times.acknowledged), "ms", ACKNOWLEDGED_MS),
        Figure("click_acknowledged_median", statistics.median(times.acknowledged), "ms"),
        Figure("click_modal_open_p99", p99(times.opened), "ms", MODAL_MS),
        Figure("click_modal_open_median", statistics.median(times.opened), "ms"),
        Figure("plan_shown_worst", max(planned for planned, _ in acted), "ms"),
        Figure("step_shown_after_worst", max(late), "ms", PROGRESS_MS),
        Figure("step_shown_after_median", statistics.median(late), "ms"),
    ]


if __name__ == "__main__":
    sys.exit(tell(asyncio.run(_figures())))

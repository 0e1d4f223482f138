"""Every subcommand of ``/triage``, typed by a member against the simulated desk: ``python -m bench.commands``.

Each is typed TIMES times. The first answer is what Slack gives three seconds for: the socket's acknowledgement, and then
something to read (the answer itself, "Looking…", or a form). The answer is what stands in its place at the end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from bench.figures import Figure, tell
from bench.harness import CALM, TOKEN, Harness, running_service
from bench.load import alert, webhook
from bench.simulated import simulated_desk
from demo.slack import Actor, Message

TIMES = 4
LIMIT_MS = 3000.0
PATIENCE_SECONDS = 120
CHANNEL = "desk-alerts"
READING = (
    "help",
    "status",
    "status bot1",
    "run bot1",
    "incidents",
    "show 1",
    "kpi",
    "kpi bot1 7d",
    "kpi 30d",
    "checklist",
    "checklist startup",
    "checklist dashboard",
    "checklist paper",
    "checklist health",
    "actions",
    "statsu",
)
"""Subcommands that only read."""
FORMS = ("silence 1", "do restart bot1")
"""Subcommands that a form answers."""
ONCE = ("ack 1", "postmortem 1", "drill", "resolve 1")
"""Subcommands that change something: typed once each, in this order."""


@dataclass(slots=True)
class _Typed:
    """What was measured, in ms, by the line that was typed."""

    acknowledged: dict[str, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    answer: dict[str, float] = field(default_factory=dict)

    def note(self, line: str, *, acknowledged: float, first: float, answer: float) -> None:
        """Keep the worst of each."""
        for kept, value in (
            (self.acknowledged, acknowledged),
            (self.first, first),
            (self.answer, answer),
        ):
            kept[line] = max(kept.get(line, 0.0), value)


async def _until(there: Callable[[], bool], began: float, what: str) -> float:
    """Return the ms since ``began`` at which something was there."""
    while not there():
        assert time.monotonic() - began < PATIENCE_SECONDS, what
        await asyncio.sleep(0.002)
    return 1000 * (time.monotonic() - began)


async def _type(harness: Harness, ana: Actor, line: str, typed: _Typed) -> None:
    """Type a line, and time its acknowledgement, what is first there to read, and its answer."""
    before = {message.ts for message in harness.slack.ephemerals(CHANNEL, "ana")}

    def said() -> list[Message]:
        return [message for message in harness.slack.ephemerals(CHANNEL, "ana") if message.ts not in before]

    began = time.monotonic()
    outcome = await ana.command(f"/triage {line}", CHANNEL)
    assert outcome.acked, outcome
    if line in FORMS:
        first = await _until(lambda: ana.modal is not None, began, line)
        answer = await _until(lambda: "Looking" not in json.dumps(_body(ana)), began, line)
        await ana.close(cleared=True)
    else:
        first = await _until(lambda: bool(said()), began, line)
        answer = await _until(lambda: bool(said()) and "Looking…" not in said()[-1].text, began, line)
    typed.note(line, acknowledged=1000 * outcome.seconds, first=first, answer=answer)


def _body(ana: Actor) -> object:
    return None if ana.modal is None else ana.modal.body


async def _open_incident(harness: Harness) -> None:
    """Open the incident that the subcommands are about."""
    labels = {"alertname": "BotHardStopActive", "bot": "bot1", "severity": "critical"}
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        answer = await http.post(
            f"{harness.bot.url}/webhooks/alertmanager",
            content=json.dumps(webhook(alert("hard-stop", labels))),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
    assert answer.status_code == 200, answer.text
    await harness.slack.message(lambda message: "INC-1" in json.dumps(message.blocks), what="a card")


async def _measure() -> _Typed:
    typed = _Typed()
    async with simulated_desk() as desk:
        sources = {**desk.sources}
        async with running_service(desk={**CALM, **desk.settings}, sources=sources) as harness:
            await _open_incident(harness)
            ana = harness.slack.member("ana")
            for _ in range(TIMES):
                for line in (*READING, *FORMS):
                    await _type(harness, ana, line, typed)
            for line in ONCE:
                await _type(harness, ana, line, typed)
    return typed


def _worst(name: str, times: dict[str, float], limit: float | None) -> Figure:
    line = max(times, key=lambda each: times[each])
    print(f"# {name}: worst was /triage {line}", file=sys.stderr)
    return Figure(name, times[line], "ms", limit)


def figures() -> list[Figure]:
    """Measure."""
    typed = asyncio.run(_measure())
    for line, took in sorted(typed.answer.items(), key=lambda item: -item[1]):
        print(f"# {line:<20} first word {typed.first[line]:7.0f} ms, answer {took:7.0f} ms", file=sys.stderr)
    return [
        _worst("command_acknowledged_worst", typed.acknowledged, LIMIT_MS),
        _worst("command_first_word_worst", typed.first, LIMIT_MS),
        _worst("command_answer_worst", typed.answer, None),
    ]


if __name__ == "__main__":
    sys.exit(tell(figures()))

"""The card of an open incident follows the bots' states, and escalation is said once each, through a killed process."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from demo.slack import Message
from tests.flows.harness import HARD_STOP, Harness, running_harness, shown

Require = Callable[..., Path]
BOTS = ("bot1", "bot2")
FOLLOWS, APART = 5.0, 3.0
"""Seconds within which a card follows what Prometheus knows, and between two of its edits."""
LOOK, SEEN = 0.1, 1.0
"""Seconds between our own looks, and by how much more or less than the one before it an edit may take to be seen."""
STEPS = (0.05, 0.18, 0.28)
"""Minutes after which the steps of escalation are due."""


@pytest.fixture
async def harness(require: Require, tmp_path: Path) -> AsyncIterator[Harness]:
    """Run the harness with three quick steps of escalation."""
    mentions = ({"mention": ["U0ANA00001"]}, {"mention": ["S0OPERATOR"]}, {"mention": ["U0BEN00001"]})
    desk = {
        "bots": [{"name": bot} for bot in BOTS],
        "escalation": {
            "gather_minutes": 0,
            "steps": [{"after_minutes": after, **whom} for after, whom in zip(STEPS, mentions, strict=True)],
        },
    }
    async with running_harness(require, tmp_path, bots=BOTS, rules=(HARD_STOP,), desk=desk) as running:
        yield running


@dataclass
class Edits:
    """When a card's text was seen to change, by the loop's clock.

    ``late``: the seconds in all by which our own looks came late. So long the machine kept us waiting, and with us
    the service and the Slack that runs here: it is taken off the time in which the card must follow, and nothing else is.
    """

    harness: Harness
    card: Message
    texts: list[tuple[float, str]] = field(default_factory=list)
    before: list[float] = field(default_factory=list)
    """When the look before each of them was: it changed after that."""
    late: float = 0.0

    def clock(self) -> float:
        """Return the loop's seconds without those that the machine kept us waiting."""
        return asyncio.get_running_loop().time() - self.late

    def now(self) -> str:
        """Return the card as it is shown."""
        return shown(next(one for one in self.harness.cards() if one.ts == self.card.ts))

    def show(self, words: str) -> bool:
        """Say whether the card shows these words."""
        return words in self.now()

    async def watch(self) -> None:
        """Look ten times a second."""
        time = asyncio.get_running_loop().time
        before = time()
        while True:
            text, began = self.now(), time()
            if not self.texts or self.texts[-1][1] != text:
                self.texts.append((began, text))
                self.before.append(before)
            before = began
            await asyncio.sleep(LOOK)
            self.late += max(0.0, time() - began - LOOK)


async def prometheus_says(harness: Harness, bot: str, state: str) -> None:
    """Wait until Prometheus itself shows a bot's state."""
    query = f'hbot_bot_state{{bot="{bot}",state="{state}"}} == 1'

    await harness.prometheus.until(query, within=30)


@pytest.mark.timeout(300)
async def test_the_card_follows_a_bots_state_and_is_edited_at_most_every_few_seconds(
    harness: Harness,
) -> None:
    """bot2 pauses, runs, pauses while bot1's incident is open: each is on the card in time, edits apart."""
    harness.exporter.set("bot1", state="hard_stop")
    card = await harness.card(lambda one: "hard stop" in one.text)
    await harness.until(lambda: any("Triage" in line for line in harness.thread(card)), "the triage")
    edits = Edits(harness, card)
    watcher = asyncio.create_task(edits.watch())
    took = []
    try:
        for state, says in (
            ("soft_pause", "bot2 paused"),
            ("running", "1 of 2 bots"),
            ("soft_pause", "bot2 paused"),
        ):
            harness.exporter.set("bot2", state=state)
            await prometheus_says(harness, "bot2", state)
            known = edits.clock()
            await harness.until(partial(edits.show, says), f"{says} on the card", seconds=40)
            took.append(edits.clock() - known)
    finally:
        watcher.cancel()
    assert max(took) < FOLLOWS, (took, edits.late)
    edited = list(zip(edits.before, (at for at, _ in edits.texts), strict=True))[1:]
    gaps = [later - earlier for (earlier, _), (_, later) in itertools.pairwise(edited)]
    assert all(gap > APART - SEEN for gap in gaps), gaps


@pytest.mark.timeout(300)
async def test_three_steps_of_escalation_are_said_once_each_though_the_service_is_killed(
    harness: Harness,
) -> None:
    """Ana, the operators, Ben: one line each in the channel's thread, with a kill between the first and the rest."""
    harness.exporter.set("bot1", state="hard_stop")
    card = await harness.card(lambda one: "hard stop" in one.text)

    def steps() -> list[int]:
        """Return the steps that the thread tells; several lines may stand in one message.

        Where it took the service so long to start that a step was not told in time, the next one tells of it too.
        """
        said = " ".join(str(message.blocks) for message in harness.slack.thread(card))
        told = re.findall(r"acknowledged INC-1 for [^:]+: step (\d)(?:, and with it steps? (\d))?", said)
        return sorted(int(number) for line in told for number in line if number)

    await harness.until(steps, "the first step", seconds=60)
    harness.bot.kill()
    await harness.bot.start()
    # Where Slack's answer to a line came too late for the service, a second copy of it stands there until it is taken back.
    await harness.until(lambda: steps() == [1, 2, 3], "all three steps, each once", seconds=120)
    await asyncio.sleep(4)
    assert steps() == [1, 2, 3]

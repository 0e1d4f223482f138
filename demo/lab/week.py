"""A healthy week: nothing goes wrong, and triage is asked 144 times a day. It should find nothing to blame."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from demo.lab.judgement import BELIEVED, SAYS_NOTHING
from demo.lab.triage import ask
from demo.lab.watched_desk import PreparedDesks

ASKS_A_DAY = 144
DAY = 86_400.0
WEEK_TICK = 15.0


@dataclass(frozen=True, slots=True)
class Week:
    """What a healthy week brought: asks, incidents by name, blamed causes by name, actions offered."""

    days: float
    asks: int
    incidents: Counter[str]
    blamed: Counter[str]
    offered: Counter[str]

    @property
    def good(self) -> bool:
        """Whether nothing was reported, blamed or offered."""
        return not self.incidents and not self.blamed and not self.offered

    @property
    def text(self) -> str:
        """What it brought, in words."""
        told = (
            ("incidents", self.incidents),
            ("blamed causes", self.blamed),
            ("actions offered", self.offered),
        )
        counts = "; ".join(f"{sum(each.values())} {name} {dict(each) or ''}".strip() for name, each in told)
        return f"{self.days:g} healthy days, {self.asks} asks: {counts}"


async def healthy_week(days: float = 7.0, seed: int = 1) -> Week:
    """Run a healthy desk, and ask about its bots in turn."""
    blamed, offered = Counter[str](), Counter[str]()
    asks = round(days * ASKS_A_DAY)
    with tempfile.TemporaryDirectory(prefix="hbot-lab-") as folder:
        watched, _ = await PreparedDesks(Path(folder)).take(seed)
        bots = tuple(watched.world.bots)
        for number in range(asks):
            await watched.pass_time(DAY / ASKS_A_DAY, WEEK_TICK)
            verdict = (await ask(watched, bots[number % len(bots)])).verdict
            top = verdict.top
            if top is not None and top.confidence >= BELIEVED and top.cause not in SAYS_NOTHING:
                blamed[top.cause] += 1
            offered.update(action.kind for action in verdict.actions)
            watched.prometheus.tsdb.forget_before(round((watched.now - 2 * DAY) * 1000))
        return Week(
            days=days,
            asks=asks,
            incidents=Counter(each.name for each in watched.all_incidents()),
            blamed=blamed,
            offered=offered,
        )

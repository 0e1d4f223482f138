"""The fee at the exchange itself changed: the edge falls from that minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"edge", "pause", "fees", "loss", "no_fills"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """The source is still the exchange, and what it says is another fee than a day ago."""
    for bot, fees in facts.of_bots("fee_source"):
        if fees["kind"] != "api" or not fees["changed"]:
            continue
        case = bot_case(facts, "fee_changed", bot)
        figure = ", ".join(
            f"{side} {percent(fees.get(f'{side}_before'))} → {percent(fees.get(side))}"
            for side in ("maker", "taker")
            if fees.get(side) is not None and fees.get(side) != fees.get(f"{side}_before")
        )
        rose = any((fees.get(side) or 0) > (fees.get(f"{side}_before") or 0) for side in ("maker", "taker"))
        case.sees(
            "strong" if rose else "hint",
            f"{bot}: {figure or 'its fees differ'} since yesterday",
            "fee_source",
        )
        edge = facts.now_of(bot).get("net_edge_15m")
        if rose and edge is not None and edge < 0:
            case.sees("some", f"{bot}: net edge {percent(edge, signed=True)} over 15 min", "bot_state")
        yield from case.concludes(
            f"The exchange's fees for {{who}} changed{f' ({figure})' if figure else ''}.",
            "Look at the account's fee level (VIP, promotion, BGB): thresholds were made for the fee before.",
            by_hand="look at the account's fee level at the exchange; then decide about the thresholds",
        )

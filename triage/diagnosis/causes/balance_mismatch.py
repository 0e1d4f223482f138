"""The bot's books and the exchange's balances differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"pause", "stop", "position", "no_fills"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason alone: nothing else that is asked compares the balances."""
    for _, case in guarded(facts, "balance_mismatch", "balance_mismatch"):
        yield from case.concludes(
            "{who}'s books and the exchange's balances differ.",
            "Compare the balances at the exchange with what the bot believes before it may trade on.",
            by_hand="compare balances and open orders at the exchange with `status` in the bot's terminal",
        )

"""The bot's orders are outside the exchange's rules: for size, price or value, or for their kind and number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import Words, bot_case, reads_log, said_of
from triage.diagnosis.causes._families import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = REFUSED
_SIZE = Words(
    "The exchange rejects {who}'s orders: size, step or value is outside its rules",
    "Compare order size and rounding in the configuration with the exchange's rules.",
    "put the order size right in the bot's configuration",
    "minimum",
)
_KIND = Words(
    "The exchange rejects {who}'s orders: they break a rule other than of size and price",
    "Read the exchange's words below, and compare with how the bot places its orders and how many are open.",
    "look at the open orders at the exchange, then at how the bot places them",
    "Error",
)
_PARAMETER = Words(
    "The exchange rejects {who}'s requests: it refuses a parameter that they hold",
    "Compare what was released or configured last with what the exchange takes.",
    "read the exchange's words, and which release or setting sends them",
    "arameter",
)
_OF_CLASS = {"order_refused": _KIND, "parameter_refused": _PARAMETER}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for refused orders; the class that most lines have gives the words and the advice."""
    for bot in facts.bots:
        case = bot_case(facts, "order_rejected", bot)
        found = reads_log(case, bot, "order_rejected", *_OF_CLASS)
        yield from said_of(case, bot, found, _OF_CLASS.get(found.loudest, _SIZE))

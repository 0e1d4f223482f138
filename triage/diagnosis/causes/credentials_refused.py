"""The exchange refuses the key (its signature, its rights, the address it comes from) or has locked its account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import ENOUGH, Words, bot_case, reads_log, said_of
from triage.diagnosis.causes._families import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = REFUSED | {"fees", "frozen"}
_KEY = Words(
    "The exchange refuses {who}'s key",
    "Check key, passphrase, rights and allowed addresses at the exchange; a restart asks with the same key.",
    "put the key right at the exchange and in the bot; look at its open orders first",
    "authenticat",
)
_ACCOUNT = Words(
    "The exchange has locked or restricted {who}'s account",
    "Log in at the exchange and see what it asks for; a new key of the same account is refused too.",
    "settle it with the exchange's support; look at the open orders first",
    "ccount",
)


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for a refused key or account; a bot that runs with open orders speaks against it."""
    for bot in facts.bots:
        case = bot_case(facts, "credentials_refused", bot)
        found = reads_log(case, bot, "credentials_refused", "account_restricted")
        now = facts.now_of(bot)
        if found.fresh < ENOUGH and now.get("state") == "running" and (now.get("orders") or 0) > 0:
            case.doubts(
                "contradiction", f"{bot} runs and has orders: its key is good for trading", "bot_state"
            )
        if not found.codes and facts.logged(bot, "clock_skew").fresh:
            case.doubts(
                "contradiction",
                f"{bot}: its requests are refused for their time, which locks it out too",
                "error_logs",
            )
        words = _ACCOUNT if found.loudest == "account_restricted" else _KEY
        yield from said_of(case, bot, found, words)

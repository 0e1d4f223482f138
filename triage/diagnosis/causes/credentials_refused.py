"""The exchange refuses the key: its signature, its rights, or the address it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import ENOUGH, bot_case, coded, look_in_log, reads_log, since
from triage.diagnosis.causes._families import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = REFUSED | {"fees", "frozen"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """The exchange refuses the key: its signature, its rights, or the address it comes from."""
    for bot in facts.bots:
        case = bot_case(facts, "credentials_refused", bot)
        found = reads_log(case, bot, "credentials_refused")
        now = facts.now_of(bot)
        if found.fresh < ENOUGH and now.get("state") == "running" and (now.get("orders") or 0) > 0:
            case.doubts(
                "contradiction", f"{bot} runs and has orders: its key is good for trading", "bot_state"
            )
        yield from case.concludes(
            f"The exchange refuses {{who}}'s key{coded(found)}{since(case)}.",
            "Check key, passphrase, rights and allowed addresses at the exchange; a restart asks with the same key.",
            settle=look_in_log(facts, bot, found.codes[0] if found.codes else "authenticat"),
            by_hand="put the key right at the exchange and in the bot; look at its open orders first",
        )

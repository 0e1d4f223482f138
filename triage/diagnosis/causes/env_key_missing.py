"""A variable that it needs is not set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import STANDING, TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | STANDING | {"fees"}

_PASSWORD_MISSING = frozenset({4, 64})
"""Exit codes of the bot's start script."""


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for a variable that is not set, and at the exit codes of a missing password."""
    for bot in facts.bots:
        case = bot_case(facts, "env_key_missing", bot)
        reads_log(case, bot, "env_key_missing")
        if facts.container_of_bot(bot).get("exit_code") in _PASSWORD_MISSING:
            case.sees(
                "strong",
                f"exit code {facts.container_of_bot(bot)['exit_code']}: its password is missing",
                "container",
            )
        yield from case.concludes(
            "{who} misses a variable of its environment{since}.",
            "Put the key back into .env (env/.env.template lists them) and recreate it.",
            settle=look_in_log(facts, bot, "not set\\|password"),
            by_hand="compare env/.env with env/.env.template, put the key back, then recreate it",
        )

"""Error lines that no rule knows, on a bot that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log
from triage.diagnosis.logged_lines import advice, meaning
from triage.logs.class_table import OF_NO_CAUSE
from triage.logs.templates import FRESH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"errors"})
_NAMED = ("elsewhere", "watch_limit")
"""What is no cause and has a name all the same."""
_OF_ALL = 5
"""A fifth of the new lines or more that a rule knows: then it is they that have to be explained."""


def _known(facts: Facts, bot: str) -> int:
    """Count the new lines that the table knows and that are not harmless."""
    classes = facts.data("error_logs").get("bots", {}).get(bot, {}).get("classes", ())
    return sum(each["count"] for each in classes if each["fresh"] and each["name"] not in OF_NO_CAUSE)


def rule(facts: Facts) -> Iterable[Candidate]:
    """New lines of no class that the table knows, while the bot runs as it should."""
    for bot in facts.bots:
        case = bot_case(facts, "log_errors_other", bot)
        fresh = [each for each in facts.templates(bot) if each["kind"] in FRESH]
        # A socket that closed once beside a flood nobody understands is usual, and no answer to the flood.
        if not fresh or _OF_ALL * _known(facts, bot) > sum(each["count"] for each in fresh):
            continue
        case.sees("some", f"new lines: {str(fresh[0]['text'])[:120]}", "error_logs")
        if facts.now_of(bot).get("state") == "running" and not facts.reasons(bot):
            case.sees("clear", f"{bot} runs as it should", "bot_state")
        case.needs("bot_state")
        named = facts.logged(bot, *_NAMED)
        if named.fresh:
            case.sees("hint", f"{bot}: {meaning(named.loudest)}: {named.example}", "error_logs")
        yield from case.concludes(
            f"{{who}} logs that {meaning(named.loudest)}, and runs as it should."
            if named.fresh
            else f"{{who}} logs errors that are known to no rule, and runs as it should: {str(fresh[0]['text'])[:100]}",
            f"{advice(named.loudest)[:1].upper()}{advice(named.loudest)[1:]}; the bot works meanwhile."
            if named.fresh
            else "Read the new lines once; nothing needs to be done while the bot works.",
            settle=look_in_log(facts, bot, "ERROR"),
            by_hand="read the new lines and tell whoever owns the strategy; nothing is urgent while the bot works",
        )

"""A file was edited after the process started, and the process still runs with the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case
from triage.logs.templates import FRESH
from triage.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"pause", "no_fills", "position", "edge", "fees", "loss"})

_LATELY_SECONDS = 7200.0


def rule(facts: Facts) -> Iterable[Candidate]:
    """An edit that is newer than the process, while nothing else speaks."""
    for bot in facts.bots:
        edit = facts.edited(bot)
        if not edit or not edit.get("after_start") or edit["seconds_before"] < 0:
            continue
        case = bot_case(facts, "config_not_applied", bot)
        lately = edit["seconds_before"] <= _LATELY_SECONDS
        case.sees(
            "clear" if lately else "some",
            f"{edit['path']} was edited {duration(edit['seconds_before'])} before, after the process started",
            "changes",
        )
        if (
            lately
            and facts.answered("error_logs")
            and not any(each["kind"] in FRESH for each in facts.templates(bot))
        ):
            case.sees("hint", f"{bot} works, and no error of it is new", "error_logs")
        case.needs("changes", "error_logs")
        yield from case.concludes(
            f"{edit['path']} of {{who}} was edited after it started; it may still run with the file before.",
            "Compare the file with what the bot shows; recreate it if the edit is meant.",
            by_hand=f"compare {edit['path']} with `config` in the bot's terminal; recreate the bot if the edit is meant",
        )

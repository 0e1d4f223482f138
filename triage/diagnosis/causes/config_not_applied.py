"""A file was edited after the process started, and the process still runs with the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case
from triage.logs.templates import FRESH
from triage.wording import duration, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate, Case
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
        _calm(case, facts, bot, lately=lately)
        yield from case.concludes(
            f"{edit['path']} of {{who}} was edited after it started; it may still run with the file before.",
            "Compare the file with what the bot shows; recreate it if the edit is meant.",
            by_hand=f"compare {edit['path']} with `config` in the bot's terminal; recreate the bot if the edit is meant",
        )
    yield from _project(facts)


def _project(facts: Facts) -> Iterable[Candidate]:
    """An edit of ``.env`` or the Compose file: only a container that is made anew takes it over."""
    for bot in facts.bots:
        edit = facts.not_applied(bot)
        if not edit:
            continue
        container = facts.desk.container_of(bot)
        case = bot_case(facts, "config_not_applied", bot)
        lately = edit["seconds_before"] <= _LATELY_SECONDS
        what = f"{edit['file']} ({listed(edit['keys'], 3)})" if edit["keys"] else edit["file"]
        case.sees(
            "clear" if lately and (edit["keys"] or edit["services"]) else "some",
            f"{what} was edited {duration(edit['seconds_before'])} before; {container} was made before that",
            "changes",
        )
        _calm(case, facts, bot, lately=lately)
        yield from case.concludes(
            f"{container} was made before {what} was edited and runs with what was there before.",
            "See whether the edit is meant for it; a recreate takes it over, a restart does not.",
            settle=f"docker inspect {container} --format '{{{{.Created}}}} {{{{.Config.Image}}}}'",
            by_hand=f"compare {edit['file']} with what {container} runs with; recreate {bot} if the edit is meant for it",
        )


def _calm(case: Case, facts: Facts, bot: str, *, lately: bool) -> None:
    """That a bot works and logs nothing new is what an edit of lately leaves it with, while it is not taken over."""
    calm = facts.answered("error_logs") and not any(each["kind"] in FRESH for each in facts.templates(bot))
    if lately and calm:
        case.sees("hint", f"{bot} works, and no error of it is new", "error_logs")
    case.needs("changes", "error_logs")

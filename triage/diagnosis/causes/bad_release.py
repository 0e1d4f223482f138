"""What was deployed before the trouble is broken."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._evidence import bot_case
from triage.diagnosis.symptoms import delay_seconds
from triage.signals.guard_reasons import LIMITS, in_words
from triage.wording import clock_time, doing, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triage.diagnosis.case import Candidate, Case
    from triage.diagnosis.facts import Facts
    from triage.diagnosis.logged_lines import LoggedLines
    from triage.diagnosis.weights import Level
    from triage.model import Json

EXPLAINS = frozenset(
    {
        "stop",
        "pause",
        "no_fills",
        "errors",
        "orders",
        "book",
        "position",
        "slow",
        "down",
        "loop",
        "oom",
        "unhealthy",
        "frozen",
        "loss",
        "edge",
        "fees",
        "container_memory",
        "container_cpu",
    }
)
_WHATS = {
    "image": "the new image {image}",
    "config": "another configuration",
    "files": "another {path}",
}
_ITS_OWN = ("code_error", "import_error", "invalid_config", "background_task_dead", "memory")
_BY_CONFIG = ("cancel_failed", "order_failed", "order_rejected", "parameter_refused", "exchange_rate_limit")
_NOT_ITS = (
    "credentials_refused",
    "clock_skew",
    "insufficient_funds",
    "exchange_down",
    "dns_failure",
    "network_down",
    "tls_failure",
    "egress_blocked",
    "disk_full",
    "exchange_unreachable",
    "redis_unreachable",
)
_BEFORE_SECONDS, _SOON_SECONDS = 120.0, 1200.0
LEVELS: tuple[Level, Level] = ("strong", "clear")
"""What new errors are worth: of the bot's own code, and of what a setting can bring about."""


def rule(facts: Facts) -> Iterable[Candidate]:
    """Only a change that lies before the trouble and differs can be to blame, and only for what began with it."""
    for bot in facts.bots:
        container = facts.desk.container_of(bot)
        change = facts.changed(container)
        maybe = None if change else facts.recreated(container)
        if change is None and maybe is None:
            continue
        case = bot_case(facts, "bad_release", bot)
        seen, what = change or maybe or {}, "made anew"
        before = seen["seconds_before"]
        if change is not None:
            what = _WHATS[change["what"]].format(**change)
            case.sees("some", f"{container} got {what} {duration(before)} before", "changes")
        else:
            case.sees(
                "hint",
                f"{container} was recreated {duration(before)} before; whether it differs is not known",
                "changes",
            )
            case.doubts("doubt", "a container that is made anew as it was changes nothing", "changes")
        _symptoms(facts, bot, case, before)
        _doubts(facts, bot, case)
        case.needs("changes", "error_logs")
        what_changed = {"what": "image"} if change is not None and change["what"] == "image" else {}
        yield from case.concludes(
            f"A change {duration(before)} before broke {{who}} ({what}).",
            "Roll back to what was there before it, then read the new errors in peace.",
            remedies=remedy(
                "rollback",
                (bot,) if change is not None else (),
                "the trouble began with that change",
                **what_changed,
            ),
            settle=f"docker inspect {container} --format '{{{{.Config.Image}}}} {{{{.Created}}}}'",
            by_hand="compare image and configuration with those before; return to them if they differ",
        )


def _symptoms(facts: Facts, bot: str, case: Case, before: float) -> None:
    own, asked = facts.logged(bot, *_ITS_OWN), facts.logged(bot, *_BY_CONFIG)
    ours = facts.our_last_act(facts.desk.container_of(bot))
    for found, level in ((own, LEVELS[0]), (asked, LEVELS[1])):
        if not found.fresh:
            continue
        if ours is not None and _ended_by(found, ours):
            at = clock_time(datetime.fromisoformat(ours["at"]))
            case.doubts(
                "contradiction", f"none of these errors came since {ours['by']} at {at}", "error_logs"
            )
            continue
        # The log's window may begin after the first error: the alert tells of it too.
        first = facts.since if found.first_at is None else min(found.first_at, facts.since)
        after = (first - facts.since).total_seconds() + before
        if after < -_BEFORE_SECONDS:
            case.doubts(
                "contradiction", f"these errors began {duration(-after)} before the deploy", "error_logs"
            )
        elif after > _SOON_SECONDS + delay_seconds(facts) and found.at_least:
            continue  # not all lines were read: the first of them may have come right after the deploy
        elif after > _SOON_SECONDS + delay_seconds(facts):
            case.doubts(
                "contradiction", f"these errors began only {duration(after)} after the deploy", "error_logs"
            )
        else:
            case.sees(level, f"since then: {found.example}", "error_logs")
            case.began(found.first_at)
    container = facts.container_of_bot(bot)
    if container.get("looping") and not container.get("oom"):
        case.sees("clear", "it cannot stay up since", "container")
    if container.get("looping") and container.get("oom"):
        case.sees("some", "it outgrows its memory since", "container")
    if facts.now_of(bot).get("state") == "hard_stop" and own.fresh + asked.fresh:
        case.sees("hint", f"{bot} is in hard stop", "bot_state")


def _ended_by(found: LoggedLines, act: Mapping[str, Json]) -> bool:
    """Say whether lines of trouble came before an action of ours alone: it helped, and nothing is to be taken back."""
    return found.last_at is not None and found.last_at <= datetime.fromisoformat(act["at"])


def _doubts(facts: Facts, bot: str, case: Case) -> None:
    own, other = facts.logged(bot, *_ITS_OWN), facts.logged(bot, *_NOT_ITS)
    if other.fresh > own.fresh + facts.logged(bot, *_BY_CONFIG).fresh:
        case.doubts("contradiction", f"what its log tells of is not its own: {other.example}", "error_logs")
    if set(facts.reasons(bot)) & LIMITS:
        case.doubts("doubt", f"a limit stopped it: {in_words(facts.reasons(bot))}", "bot_state")
    if facts.data("bytecode").get("bots", {}).get(bot, {}).get("controller_stale"):
        case.doubts("doubt", "it does not even run the new controller", "bytecode")
    if (
        facts.answered("error_logs")
        and not own.fresh
        and not facts.logged(bot, *_BY_CONFIG).fresh
        and not facts.container_of_bot(bot).get("looping")
    ):
        case.doubts("doubt", "no error began with it", "error_logs")
    ill = [name for name, state in facts.peers((bot,)).items() if state in {"hard_stop", "frozen"}]
    without = [name for name in ill if facts.changed(facts.desk.container_of(name)) is None]
    if without:
        case.doubts("doubt", f"{doing(without, 'fails', 'fail')} too, without a change", "scope")

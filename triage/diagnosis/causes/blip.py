"""A short interruption that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._containers import alive, container_case, ended_again
from triage.diagnosis.causes._evidence import ENOUGH, bot_case
from triage.diagnosis.symptoms import family, holds
from triage.logs.class_table import CLASSES, OF_NO_CAUSE
from triage.wording import clock_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triage.diagnosis.case import Candidate, Case
    from triage.diagnosis.facts import Facts
    from triage.diagnosis.logged_lines import LoggedLines
    from triage.model import Json

EXPLAINS = frozenset({"down", "loop", "frozen", "book", "errors", "orders", "unhealthy", "scrape"})
_OVER_SECONDS = 300.0
_SETTLED_SECONDS = 60.0
_BY_HAND = frozenset({"stopped", "killed", "created", "image", "config"})
_NEAR_SECONDS = 60.0
_FEW = 3
_OF_BREAKS = frozenset({"book", "errors", "orders"})
"""What connections to the exchange that broke for a while can bring about."""
_BREAKS = ("exchange_unreachable", "stream_closed", "dns_failure", "exchange_down")
_FOLLOWS = ("order_failed", "cancel_failed")
"""What broken connections bring about; that it stopped must be seen of itself."""
_PASSES = frozenset({*_BREAKS, *OF_NO_CAUSE, "not_ready"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """It started anew once, or its connections broke for a while; now all of it works, and nothing goes on."""
    for bot in facts.bots:
        container = facts.container_of_bot(bot)
        broken = facts.logged(bot, *_BREAKS)
        ended = broken.over(facts.now)
        if (
            not facts.works(bot)
            or _dies_again(container)
            or _still_fails(facts, bot)
            or (broken.late >= ENOUGH and not ended)
            or _still_holds(facts, bot)
        ):
            continue
        case = bot_case(facts, "blip", bot)
        if _started_anew(facts, facts.desk.container_of(bot), container):
            case.sees("strong", f"{facts.desk.container_of(bot)} started anew and runs", "container")
        else:
            case.families = _OF_BREAKS
        if ended:
            case.sees(
                "strong" if _more_than_usual(facts, bot, broken) else "hint",
                f"{broken.bound}{broken.fresh} such lines {broken.since} {clock_time(broken.first_at or facts.since)}, "
                f"which have ended: {broken.example}",
                "error_logs",
            )
        if case.pieces:
            case.sees("some", f"{bot} runs as it should", "bot_state")
        case.needs("container", "error_logs")
        yield from _over(case)
    yield from _services(facts)


def _more_than_usual(facts: Facts, bot: str, broken: LoggedLines) -> bool:
    """Say whether more happened than sockets that closed a few times and were open again, which is usual."""
    failed = facts.logged(bot, *(name for name in _BREAKS if name != "stream_closed"))
    return broken.fresh >= (_FEW if failed.fresh else ENOUGH)


def _services(facts: Facts) -> Iterable[Candidate]:
    """A service that ended once and has been up since; whether it does its work, its health and its group tell."""
    for name, container in facts.of_containers():
        if facts.bot_of(name) or not _started_anew(facts, name, container) or _dies_again(container):
            continue
        if container.get("health") == "unhealthy" or facts.data("streams").get("reachable") is False:
            continue
        case = container_case(facts, "blip", name)
        case.sees("strong", f"{name} started anew and runs", "container")
        case.needs("container", "streams")
        yield from _over(case)


def _over(case: Case) -> Iterable[Candidate]:
    return case.concludes(
        "{who} was interrupted for a short time and works again.",
        "Nothing to do now; look into it if it comes again.",
        settle="does it stay well for ten minutes?",
        by_hand="nothing now; look into it if it comes again",
    )


def _started_anew(facts: Facts, name: str, container: Mapping[str, Json]) -> bool:
    """Say whether its process ended once about when the trouble began, and has been up for a while since.

    What somebody restarted or made anew before the trouble began was not interrupted by it.
    """
    up, began = container.get("up_seconds"), (facts.now - facts.since).total_seconds()
    if up is not None and up > began and _by_hand(facts, name, up - began):
        return False
    ended_once = container.get("restarts_hour") != 0 or bool(container.get("exit_code"))
    return (
        alive(container) and ended_once and up is not None and _SETTLED_SECONDS <= up <= began + _OVER_SECONDS
    )


def _by_hand(facts: Facts, name: str, before: float) -> bool:
    """Say whether somebody stopped or made a container anew just when its process started, ``before`` the trouble."""
    return any(
        each["container"] == name
        and each["what"] in _BY_HAND
        and -_NEAR_SECONDS <= each["seconds_before"] - before <= _NEAR_SECONDS
        for each in facts.data("changes").get("changes", ())
    )


def _dies_again(container: Mapping[str, Json]) -> bool:
    """Say whether its container is down, or ended more than once: what repeats is no blip."""
    if (
        container.get("running") is False
        or container.get("missing")
        or container.get("looping")
        or container.get("oom")
    ):
        return True
    return ended_again(container)


def _still_fails(facts: Facts, bot: str) -> bool:
    """Say whether its log tells of something else than connections that broke for a while, and what broke with them."""
    others = [name for name in CLASSES if name not in _PASSES and name not in _FOLLOWS]
    follows = facts.logged(bot, *_FOLLOWS)
    return bool(facts.logged(bot, *others).fresh) or bool(follows.fresh and not follows.over(facts.now))


def _still_holds(facts: Facts, bot: str) -> bool:
    """Say whether an alert of it states what is so now; a count of errors looks back and says nothing of now."""
    mine = {bot, facts.desk.container_of(bot)}
    return any(
        each.firing and each.subject.name in mine and family(each) != "errors" and holds(facts, each)
        for each in facts.episodes
    )

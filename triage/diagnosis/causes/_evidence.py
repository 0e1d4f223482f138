"""What several rules read in the same way: a guard's reason, a class of log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from triage.diagnosis.case import Case
from triage.diagnosis.logged_lines import LoggedLines, meaning
from triage.diagnosis.symptoms import family
from triage.signals.guard_reasons import in_words
from triage.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts
    from triage.diagnosis.weights import Level

ENOUGH = 5
_STOPS = frozenset({"stop", "pause", "frozen", "no_fills"})
FLOOD = 20
QUOTED = 90
"""So long may an exchange's own sentence be to come before what it means."""
ALIKE = "the same on "
"""How evidence begins that other bots have it too; said of one bot: a cause of all of them names them anyway."""


def bot_case(facts: Facts, cause: str, bot: str) -> Case:
    """Open a case about one bot and its container."""
    return Case(facts, cause, (bot,), (facts.desk.container_of(bot),))


def guarded(facts: Facts, cause: str, *reasons: str) -> Iterator[tuple[str, Case]]:
    """Open a case for each bot; a guard that names its reason is believed."""
    for bot in facts.bots:
        case = bot_case(facts, cause, bot)
        for reason in facts.reasons(bot):
            if reason in reasons:
                case.sees("proof", f"{bot} gives the reason {in_words([reason])}", "bot_state")
        case.needs("bot_state")
        yield bot, case


def other_reason(case: Case, bot: str, reason: str, level: Level) -> None:
    """Doubt a case of a guard where the bot gives reasons and this one is not among them."""
    given = case.facts.now_of(bot).get("reasons")
    if case.pieces and given and reason not in given:
        case.doubts(level, f"the guard gives another reason: {in_words(given)}", "bot_state")


def reads_log(case: Case, bot: str, *names: str, heals: bool = False, ends: bool = False) -> LoggedLines:
    """Weigh what the bot's log says of these classes.

    ``heals``: single lines of it are usual. ``ends``: it can pass by itself, and its lines end with it.
    """
    found = case.facts.logged(bot, *names)
    if found.count:
        case.sees(
            _worth(found, heals=heals),
            f"{bot}: {_words(found, _of_levels(case.facts, bot, found))}",
            "error_logs",
        )
        case.began(found.first_at)
        case.codes += found.codes
    if (heals or ends) and found.over(case.facts.now):
        # The lines of a bot that was stopped end with it: then their end says nothing.
        level: Level = "hint_not" if _stopped(case.facts, bot) else "contradiction"
        case.doubts(level, f"{bot}: the lines have ended", "error_logs")
    case.needs("error_logs")
    return found


def _stopped(facts: Facts, bot: str) -> bool:
    """Say whether a bot is known not to trade as it should, by its state or, where that is not known, by an alert."""
    if facts.now_of(bot):
        return not facts.works(bot)
    return any(each.firing and each.subject.name == bot and family(each) in _STOPS for each in facts.episodes)


def _worth(found: LoggedLines, *, heals: bool) -> Level:
    if not found.fresh:
        return "hint"
    many = found.fresh >= (FLOOD if heals else ENOUGH)
    if found.generic:
        return "some" if many else "hint"
    if found.codes:
        return "proof" if many else "some" if heals and found.fresh < ENOUGH else "strong"
    if heals and found.fresh < ENOUGH:
        return "some"
    return "strong" if many else "clear"


def _of_levels(facts: Facts, bot: str, found: LoggedLines) -> str:
    """Say that lines below an error are counted, where they are more than the errors that the finding tells of."""
    errors = facts.data("error_logs").get("bots", {}).get(bot, {}).get("count")
    return " of all levels" if errors is not None and found.loudest_count > errors else ""


def _words(found: LoggedLines, levels: str) -> str:
    codes = f" ({', '.join(found.codes)})" if found.codes else ""
    lines = f"{found.bound}{counted(found.loudest_count, 'line')}{levels}"
    means = f"that {meaning(found.loudest)}"
    if codes and 0 < len(found.example) <= QUOTED:  # the exchange's own sentence says most, and comes first
        return f"{lines} like “{found.example}”{codes}: {means.removeprefix('that ')}"
    said = f"{lines} {'says' if found.loudest_count == 1 else 'say'} {means}{codes}"
    return f"{said}: {found.example}" if found.example else said


class Words(NamedTuple):
    """What a cause of a bot's log says: headline without its end, advice, what to do by hand, a word to grep."""

    headline: str
    advice: str
    by_hand: str
    word: str


def said_of(case: Case, bot: str, found: LoggedLines, words: Words) -> Iterable[Candidate]:
    """Conclude a case of a refusal, in the words of what the lines say most."""
    return case.concludes(
        f"{words.headline}{{codes}}{{since}}.",
        words.advice,
        settle=look_in_log(case.facts, bot, found.codes[0] if found.codes else words.word),
        by_hand=words.by_hand,
    )


def look_in_log(facts: Facts, bot: str, word: str) -> str:
    """Return the command that shows the lines themselves; a code may begin as an option does."""
    return f"grep -h {'-e ' if word.startswith('-') else ''}'{word}' {facts.desk.paths.data}/{bot}/logs/*.log | tail -5"

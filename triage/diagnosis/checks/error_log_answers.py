"""What Loki answered for a group of bots, read bot by bot: which errors each has, and which were there before."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from triage.diagnosis.bot_errors import (
    BotErrors,
    LogBaseline,
    LogWindow,
    RecentLines,
    judge,
    loud_of,
    read_before,
    read_recent,
)
from triage.errors import SourceError
from triage.logs.lines import ErrorLines
from triage.ports.sources import LogLine, LogLines


@dataclass(frozen=True, slots=True)
class BotGroup:
    """Bots that one selector names; ``label`` tells them apart, empty for a single bot."""

    bots: tuple[str, ...]
    selector: str
    label: str


@dataclass(slots=True)
class LogAnswers:
    """What Loki said of a group so far; an error stands for a question without an answer."""

    lines: LogLines | SourceError
    held: Mapping[str, int] | SourceError
    loud: Mapping[str, int] | SourceError | None = None
    usual: Mapping[str, int] | SourceError | None = None
    spoke: Mapping[str, int] | SourceError | None = None
    before: LogLines | SourceError | None = None
    telling: LogLines | SourceError | None = None
    telling_before: LogLines | SourceError | None = None
    compares: bool = False
    """The baseline is asked for: what of it is missing was not answered."""
    own: dict[str, LogLines] = field(default_factory=dict)
    samples: dict[str, ErrorLines] = field(default_factory=dict)
    recent: dict[str, RecentLines] = field(default_factory=dict)
    """The window of each bot as it was read, once for all that ask; its own lines replace it."""

    def take_own(self, bot: str, own: LogLines) -> None:
        """Keep the lines that a bot was asked for alone."""
        self.own[bot] = own
        self.recent.pop(bot, None)

    def refused(self) -> str:
        """Say what of the baseline is not known, and why."""
        counts = next((each.why for each in (self.usual, self.spoke) if isinstance(each, SourceError)), "")
        if counts:
            return f"usual not known: {counts}"
        return f"what is new not known: {self.before.why}" if isinstance(self.before, SourceError) else ""


def key_of(group: BotGroup, bot: str) -> str:
    """Return what a bot is called in the counts of a group: its name, nothing where the group is one bot."""
    return bot if group.label else ""


def _by_bot(group: BotGroup, *answers: LogLines | SourceError | None) -> dict[str, list[LogLine]]:
    found: dict[str, list[LogLine]] = {bot: [] for bot in group.bots}
    given = [answer.lines for answer in answers if isinstance(answer, LogLines) and answer.lines]
    for line in given[0] if len(given) == 1 else heapq.merge(*given, key=lambda line: line.at):
        bot = line.labels.get(group.label, "") if group.label else group.bots[0]
        if bot in found:
            found[bot].append(line)
    return found


def _count(counts: Mapping[str, int] | SourceError | None, key: str) -> int | None:
    return counts.get(key, 0) if isinstance(counts, Mapping) else None


def recents(group: BotGroup, answers: LogAnswers) -> dict[str, RecentLines]:
    """Read the window of each bot that has a line in it."""
    lines = _by_bot(group, answers.lines, answers.telling)
    found: dict[str, RecentLines] = {}
    for bot in group.bots:
        key = key_of(group, bot)
        held, own = _count(answers.held, key), answers.own.get(bot)
        if not held and not lines[bot]:
            continue
        if bot not in answers.recent:
            cut = isinstance(answers.lines, SourceError) or answers.lines.truncated
            answers.recent[bot] = read_recent(
                own.lines if own is not None else lines[bot],
                held=held,
                loud=None,
                cut=own.truncated if own is not None else cut,
            )
            if own is None and isinstance(answers.lines, SourceError):
                answers.recent[bot] = replace(answers.recent[bot], refused=True)
        found[bot] = replace(answers.recent[bot], loud=_count(answers.loud, key))
    return found


def read_baseline(group: BotGroup, answers: LogAnswers) -> None:
    """Read the baseline of each bot that has a line in the window; what is read once is kept with the answer."""
    if isinstance(answers.before, LogLines):
        before = _by_bot(group, answers.before, answers.telling_before)
        for bot in recents(group, answers):
            _before(answers, bot, before[bot])


def loud_before(group: BotGroup, answers: LogAnswers) -> dict[str, int] | None:
    """Count each bot's errors of the baseline among its lines; None where not all of them came."""
    if not isinstance(answers.before, LogLines) or answers.before.truncated:
        return None
    return {
        key_of(group, bot): count
        for bot, lines in _by_bot(group, answers.before).items()
        if (count := loud_of(lines))
    }


def judged(group: BotGroup, answers: LogAnswers, window: LogWindow) -> dict[str, BotErrors | None]:
    """Return each bot's errors, None for one without any line."""
    before = _by_bot(group, answers.before, answers.telling_before)
    covered = _covered(answers, window)
    found: dict[str, BotErrors | None] = dict.fromkeys(group.bots)
    for bot, recent in recents(group, answers).items():
        usual = _usual(key_of(group, bot), answers)
        refused = not covered or (usual is None and not _baseline_was_counted(answers))
        past = LogBaseline(
            usual * window.share if usual is not None else None, refused=answers.compares and refused
        )
        if usual is not None and covered:
            past = replace(_before(answers, bot, before[bot]), usual=usual * window.share, covered=covered)
        found[bot] = judge(recent, past, window, answers.samples.get(bot))
    return found


def _before(answers: LogAnswers, bot: str, lines: list[LogLine]) -> LogBaseline:
    """Read a bot's baseline: once for all triages that get the same answers, for it takes longer than Loki does."""
    kept = answers.before
    if not isinstance(kept, LogLines):
        return read_before(lines)
    telling = answers.telling_before
    name = f"{bot} with {id(telling) if isinstance(telling, LogLines) else 0}"
    known: tuple[LogBaseline, object] | None = kept.read.get(name)
    if known is None:
        known = kept.read[name] = (read_before(lines), telling)  # held, so that its id stays its own
    return known[0]


def _covered(answers: LogAnswers, window: LogWindow) -> float:
    """Return for how long before the trouble the lines are known, in seconds; 0: they are not."""
    before = answers.before
    if before is None and isinstance(answers.lines, LogLines) and not answers.lines.lines:
        return window.baseline_seconds  # there is nothing to compare but what tells below a warning
    if not isinstance(before, LogLines):
        return 0.0
    if before.truncated and before.lines:
        return max(1.0, (window.baseline_end - before.lines[0].at).total_seconds())
    return window.baseline_seconds


def _baseline_was_counted(answers: LogAnswers) -> bool:
    """Say whether Loki said how much the baseline holds; where it does and there is nothing, the desk is young."""
    return isinstance(answers.usual, Mapping) and isinstance(answers.spoke, Mapping)


def _usual(key: str, answers: LogAnswers) -> float | None:
    """Return the errors of the baseline; None where it has no line of the bot, or no answer."""
    usual = _count(answers.usual, key)
    spoke = _count(answers.spoke, key)
    return float(usual) if usual is not None and (usual or spoke) else None

"""One bot's errors in a window against its own usual, and how far its lines were understood. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from triage.logs.classes import classes_of
from triage.logs.lines import ErrorLine, ErrorLines, read_lines
from triage.logs.templates import FRESH, Novelty, Template, compare, templates, uncompared
from triage.masking import masked
from triage.model import FindingStatus, Json
from triage.ports.sources import LogLine
from triage.queries import logql

SPIKE = 20
"""The desk's own rule (BotLogErrorSpike) calls more than this a spike."""
_NOT_UNDERSTOOD_SHARE = 0.2
"""Of what speaks of errors: above this, what was understood says too little."""
_LOOSE_SHARE, _LOOSE_MIN = 0.2, 3
"""Of all lines: above this share what belongs to nothing is doubt; fewer than that many are said and no doubt."""
_SURE_SECONDS = 3600.0
"""What was not seen in less than this is not called new."""
_KEPT, _EXAMPLE, _SAMPLE = 20, 400, 160
_LOUD = re.compile(logql.LOUD)


@dataclass(frozen=True, slots=True)
class LogWindow:
    """Which lines are compared with which; ``log_seen_from``: since when a line shows that the bot logs at all."""

    start: datetime
    end: datetime
    baseline_start: datetime
    baseline_end: datetime
    log_seen_from: datetime | None = None

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return (self.end - self.start).total_seconds()

    @property
    def log_seen_seconds(self) -> float:
        """For how long a bot without any line is silent."""
        return (self.end - (self.log_seen_from or self.start)).total_seconds()

    @property
    def baseline_seconds(self) -> float:
        """Length of the baseline."""
        return (self.baseline_end - self.baseline_start).total_seconds()

    @property
    def share(self) -> float:
        """Length of the window over the length of the baseline."""
        return self.seconds / self.baseline_seconds


@dataclass(frozen=True, slots=True)
class RecentLines:
    """A bot's window as it was read.

    ``lines``: what Loki holds of the bot, of any level, None where it did not say. ``loud``: its own count of error
    records, None likewise; ``loud_read``: how many of these were among the lines read. ``cut``: the limit was met.
    ``refused``: Loki did not give the lines, whatever it counted.
    """

    reading: ErrorLines
    lines: int | None
    loud: int | None = None
    loud_read: int = 0
    cut: bool = False
    refused: bool = False

    @property
    def loose_flood(self) -> bool:
        """So many lines belong to nothing that a look at all levels must tell what they follow."""
        lines = max(self.lines or 0, self.reading.lines)
        return self.reading.loose >= _LOOSE_MIN and self.reading.loose > _LOOSE_SHARE * lines


@dataclass(frozen=True, slots=True)
class LogBaseline:
    """A bot's baseline: its templates (None: not asked, or refused) in the last ``covered`` seconds of it.

    ``every``: its records of any level that were read. ``refused``: it was asked for, and not answered or not in time.
    """

    usual: float | None = None
    templates: tuple[Template, ...] | None = None
    covered: float = 0.0
    every: tuple[ErrorLine, ...] = ()
    refused: bool = False

    @property
    def known(self) -> bool:
        """Whether anything can be compared with it."""
        return self.usual is not None and self.templates is not None


@dataclass(frozen=True, slots=True)
class BotErrors:
    """One bot's errors; ``usual`` None: what is usual is not known. ``doubt``: why the count may be too small.

    ``uncompared``: whether its errors are new was asked, and not answered.
    """

    count: int
    usual: float | None
    at_least: bool
    found: tuple[Novelty, ...]
    others: tuple[Novelty, ...] = ()
    classes: tuple[dict[str, Json], ...] = ()
    lines: int | None = None
    not_understood: int = 0
    doubt: str = ""
    sample: str = ""
    uncompared: bool = False

    @property
    def status(self) -> FindingStatus:
        """New errors or clearly more than usual are a warning, a flood is critical; what is not known is never ok."""
        usual = self.usual or 0.0
        if self.count > SPIKE and self.count > 5 * usual:
            return FindingStatus.CRITICAL
        fresh = any(each.kind in FRESH for each in self.found)
        more = self.count >= 5 and self.count > 3 * usual  # noqa: PLR2004 - five errors are the least that is "more"
        if fresh or more:
            return FindingStatus.WARNING
        return FindingStatus.UNKNOWN if self.doubt or self.uncompared else FindingStatus.OK


def read_recent(lines: Sequence[LogLine], *, held: int | None, loud: int | None, cut: bool) -> RecentLines:
    """Read a bot's lines of the window."""
    return RecentLines(reading=read_lines(lines), lines=held, loud=loud, loud_read=loud_of(lines), cut=cut)


def loud_of(lines: Sequence[LogLine]) -> int:
    """Count the lines that Loki would count as records of errors."""
    return sum(_LOUD.search(line.text) is not None for line in lines)


def read_before(lines: Sequence[LogLine]) -> LogBaseline:
    """Read a bot's lines of the baseline; what is usual and what they cover is the caller's to add."""
    reading = read_lines(lines)
    return LogBaseline(templates=templates((*reading.errors, *reading.others)), every=reading.every)


def judge(
    recent: RecentLines, before: LogBaseline, window: LogWindow, sample: ErrorLines | None = None
) -> BotErrors:
    """Compare; ``sample``: some lines of all levels, where one was asked for."""
    reading = recent.reading
    lost = recent.loud is not None and recent.loud > recent.loud_read + max(2, recent.loud_read // 20)
    count = max(len(reading.errors), recent.loud or 0) if recent.cut or lost else len(reading.errors)
    not_understood, doubt = _understanding(recent, sample)
    if not doubt and lost and not recent.cut:
        doubt = f"Loki counts {recent.loud} error lines, {recent.loud_read} were read"
    if not doubt and recent.refused:
        doubt = "its lines were not read"
    return BotErrors(
        count=count,
        usual=before.usual,
        at_least=recent.cut or lost or bool(doubt),
        found=_compared(templates(reading.errors), before, window),
        others=_compared(templates(reading.others), before, window),
        classes=_classes(reading, before, window),
        lines=recent.lines,
        not_understood=not_understood,
        doubt=doubt,
        sample=masked(reading.sample)[:_SAMPLE] if not_understood and doubt else "",
        uncompared=before.refused and bool(reading.errors),
    )


def _understanding(recent: RecentLines, sample: ErrorLines | None) -> tuple[int, str]:
    """Return how many lines were not understood, and why that matters; empty where it does not."""
    reading = recent.reading
    quiet = max(0, (recent.lines or 0) - reading.lines) if not recent.cut else 0
    known = len(reading.errors) + len(reading.others)
    if not reading.levelled and not quiet and reading.loose + reading.unlevelled:
        if reading.unlevelled > reading.loose:
            return (
                reading.unlevelled,
                f"{reading.unlevelled} console lines carry no level: errors cannot be told",
            )
        return reading.loose, f"{reading.loose} lines, none understood"
    if reading.error_like > _NOT_UNDERSTOOD_SHARE * (reading.error_like + known):
        understood = f"{known} understood" if known else "none understood"
        return reading.error_like, f"{reading.error_like + known} lines speak of errors, {understood}"
    if sample is not None and sample.loose > _LOOSE_SHARE * sample.lines:
        return reading.loose, f"{sample.loose} of {sample.lines} lines not understood"
    if sample is None and recent.loose_flood:
        every = max(recent.lines or 0, reading.lines)
        return reading.loose, f"{reading.loose} of {every} lines not understood"
    return max(reading.error_like, reading.unknown_records), ""


def _compared(now: tuple[Template, ...], before: LogBaseline, window: LogWindow) -> tuple[Novelty, ...]:
    if before.usual is None or before.templates is None:
        return uncompared(now)
    found = compare(now, before.templates, share=window.seconds / before.covered)
    if before.covered >= min(_SURE_SECONDS, window.baseline_seconds):
        return found
    return tuple(replace(each, kind="unknown") if each.kind == "new" else each for each in found)


def _classes(reading: ErrorLines, before: LogBaseline, window: LogWindow) -> tuple[dict[str, Json], ...]:
    if before.known:
        return tuple(
            classes_of(reading.every, before.every, share=window.seconds / before.covered, until=window.end)
        )
    unseen_until = window.start + (window.end - window.start) / 3
    return tuple(classes_of(reading.every, unseen_until=unseen_until, until=window.end))


def data_of(errors: BotErrors) -> dict[str, Json]:
    """Return what rules look at; see ``triage.diagnosis.checks.error_logs``."""
    return {
        "count": errors.count,
        "usual": errors.usual,
        "at_least": errors.at_least,
        "lines": errors.lines,
        "not_understood": errors.not_understood,
        "templates": [_cluster(each, at_least=errors.at_least) for each in errors.found[:_KEPT]],
        "others": [_cluster(each, at_least=errors.at_least) for each in errors.others[:_KEPT]],
        "classes": list(errors.classes[:_KEPT]),
    }


def _cluster(found: Novelty, *, at_least: bool) -> dict[str, Json]:
    template = found.template
    return {
        "text": template.text,
        "count": template.count,
        "kind": found.kind,
        "usual": found.usual,
        "first_at": template.first_at.isoformat(),
        "last_at": template.last_at.isoformat(),
        "logger": template.logger,
        "level": template.level,
        "example": template.example[:_EXAMPLE],
        "exception": template.exception[:_EXAMPLE],
        "at_least": at_least,
    }

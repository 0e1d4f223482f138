"""The bots' log lines read: records with their level, tracebacks folded into the record they belong to.

A record is ``2026-02-20 16:33:00,312 - 12345 - hummingbot.connector.exchange.bitget - ERROR - message``, or
one of the shapes of ``triage.logs.records``, in whatever a transport wrapped it. A traceback's lines
follow without a level. What is neither is counted, and never taken for silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby

from triage.logs.continuation import is_of_its_own
from triage.logs.failure_words import fails_in_table, is_crash, speaks_of_error
from triage.logs.heads import begins_record, has_head
from triage.logs.records import ERRORS, OTHERS, LogRecord, record_of
from triage.logs.spread_objects import SpreadObjects
from triage.logs.tracebacks import (
    announces_another,
    begins_traceback,
    cause_of,
    has_gutter,
    names_exception,
    without_gutter,
)
from triage.logs.wrapping import is_cut_short, unwrapped
from triage.masking import masked_where_cut
from triage.ports.sources import LogLine

_FOLDING = timedelta(seconds=2)
_NEVER = datetime.min.replace(tzinfo=UTC)
_MESSAGE_MAX = 600
_LEVEL_LABELS = frozenset({"detected_level", "level"})
"""What Loki guesses for each line: it parts a traceback from its record, and says nothing of the stream."""


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One record: its message, and ``exception``, the last line of the traceback that followed it."""

    at: datetime
    logger: str
    message: str
    exception: str = ""
    level: str = "ERROR"

    @property
    def text(self) -> str:
        """The message with the exception that caused it."""
        return f"{self.message} ({self.exception})" if self.exception else self.message


@dataclass(frozen=True, slots=True)
class ErrorLines:
    """What some lines hold.

    ``every``: records of any level, in their order. ``lines``: lines read; ``records``: those that begin a record;
    ``unlevelled``: records of a shape that carries no level; ``loose``: lines that are no record and follow none;
    ``unknown_records``: those of them that begin as records do;
    ``error_like``: that speak of an error; ``sample`` the first of these, else of the loose ones.
    """

    every: tuple[ErrorLine, ...] = ()
    lines: int = 0
    records: int = 0
    unlevelled: int = 0
    loose: int = 0
    unknown_records: int = 0
    error_like: int = 0
    sample: str = ""

    @property
    def errors(self) -> tuple[ErrorLine, ...]:
        """The errors."""
        return tuple(each for each in self.every if each.level in ERRORS)

    @property
    def others(self) -> tuple[ErrorLine, ...]:
        """The records below an error that may hold its cause."""
        return tuple(each for each in self.every if each.level in OTHERS)

    @property
    def levelled(self) -> int:
        """Records with a level."""
        return self.records - self.unlevelled


@dataclass(slots=True)
class _Open:
    """The record that further lines of its stream belong to."""

    at: datetime
    logger: str
    message: str
    level: str
    last: datetime
    exception: str = ""
    traced: bool = False
    """A traceback has begun: what follows belongs to it."""
    chained: bool = False
    """The next traceback is of the same error."""
    grouped: bool = False
    """The traceback is one of a group: what follows with a gutter are its parts."""
    announced: bool = False
    """Its own line ends before the reason, which the next one says."""


_Stream = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _LineReader:
    done: list[_Open] = field(default_factory=list)
    current: dict[_Stream, _Open] = field(default_factory=dict)
    cut: set[_Stream] = field(default_factory=set)
    spread: dict[_Stream, SpreadObjects] = field(default_factory=dict)
    last: datetime = _NEVER
    lines: int = 0
    records: int = 0
    unlevelled: int = 0
    loose: int = 0
    unknown_records: int = 0
    error_like: int = 0
    first_loose: str = ""
    first_suspect: str = ""
    said: set[str] = field(default_factory=set)
    """Messages of records with a level."""
    console: list[str] = field(default_factory=list)
    """Messages without a level that speak of an error."""

    def take(self, line: LogLine) -> None:
        stream = _stream(line.labels)
        self.lines += 1
        self.last = line.at
        continues, cut = stream in self.cut, is_cut_short(line.text)
        (self.cut.add if cut else self.cut.discard)(stream)
        if continues:  # the rest of a line of which we keep the beginning only
            return
        spread = self.spread.setdefault(stream, SpreadObjects())
        for part in unwrapped(line.text).split("\n"):
            for text in spread.take(part) if part.strip() else ():
                self._one(stream, line.at, text)

    def end(self) -> None:
        """Read what waits for a line that does not come any more."""
        for stream, spread in self.spread.items():
            for text in spread.end() if spread.held else ():
                self._one(stream, self.last, text)
        for message in self.console:  # what the file has with its level, the console only repeats
            if message not in self.said:
                self._suspect(message)

    def _one(self, stream: _Stream, at: datetime, text: str) -> None:
        record = record_of(text)
        if record is not None:
            self._open(stream, at, record)
        elif is_crash(text):  # a program's end, whatever it said before
            opened = self._open(stream, at, LogRecord("ERROR", "stderr", text.strip()))
            opened.announced = text.rstrip().endswith(":")
        elif not self._fold(stream, at, text):
            if begins_traceback(text):
                opened = self._open(stream, at, LogRecord("ERROR", "stderr", "Traceback without a record"))
                opened.traced, opened.grouped = True, has_gutter(text)
            else:
                self._keep_loose(text)
                if has_head(text):  # what follows is of it, and not of the record before
                    self.current.pop(stream, None)

    def _open(self, stream: _Stream, at: datetime, record: LogRecord) -> _Open:
        self.records += 1
        self.unlevelled += not record.level
        opened = _Open(
            at, record.logger, masked_where_cut(record.message, _MESSAGE_MAX), record.level, last=at
        )
        opened.exception = masked_where_cut(record.exception, _MESSAGE_MAX)
        if record.level:
            self.said.add(opened.message)
        elif speaks_of_error(record.message):
            self.console.append(opened.message)
        self.current[stream] = opened
        self.done.append(opened)
        return opened

    def _fold(self, stream: _Stream, at: datetime, text: str) -> bool:
        """Add a line to the record it follows; False where there is none to follow."""
        opened = self.current.get(stream)
        if opened is None or at - opened.last > _FOLDING:
            return False
        traceback, gutter = begins_traceback(text), has_gutter(text)
        if opened.level not in ERRORS and not opened.traced and text[:1].isspace() and fails_in_table(text):
            self._suspect(text.strip())
        part = opened.grouped and gutter
        another = traceback and opened.traced and not opened.chained and not part
        if (another and opened.exception) or is_of_its_own(
            opened.level, text, traced=opened.traced, later=at - opened.last
        ):  # of something else
            return False
        opened.last = at
        opened.grouped = gutter if traceback else opened.grouped
        opened.traced = opened.traced or traceback
        opened.chained = announces_another(text) or (opened.chained and not traceback)
        bare = without_gutter(text) if opened.grouped else text
        reason = bare if opened.announced and not traceback else cause_of(bare)
        opened.announced = False
        if reason:
            opened.exception = masked_where_cut(reason, _MESSAGE_MAX).strip()
        elif not bare[:1].isspace() and names_exception(kept := masked_where_cut(bare, _MESSAGE_MAX)):
            opened.exception = kept.strip()
        return True

    def _keep_loose(self, text: str) -> None:
        self.loose += 1
        self.first_loose = self.first_loose or text
        self.unknown_records += begins_record(text)
        # What is set in belongs to a table, or to a traceback.
        if fails_in_table(text) if text[:1].isspace() else speaks_of_error(text):
            self._suspect(text)

    def _suspect(self, text: str) -> None:
        self.error_like += 1
        self.first_suspect = self.first_suspect or text


def read_lines(lines: Iterable[LogLine]) -> ErrorLines:
    """Read lines, oldest first, of one bot or several.

    Only a record's *level* makes an error. What follows without a level belongs to the last record of its
    stream, if it came within two seconds; streams that differ in nothing but the level that Loki guessed are
    one. A traceback that follows nothing is an error of its own (``errors.log`` holds such).
    """
    reader = _LineReader()
    for line in _in_order(lines):
        reader.take(line)
    reader.end()
    return ErrorLines(
        every=tuple(
            ErrorLine(
                at=each.at,
                logger=each.logger,
                message=each.message,
                exception=each.exception,
                level=each.level,
            )
            for each in reader.done
        ),
        lines=reader.lines,
        records=reader.records,
        unlevelled=reader.unlevelled,
        loose=reader.loose,
        unknown_records=reader.unknown_records,
        error_like=reader.error_like,
        sample=masked_where_cut(reader.first_suspect or reader.first_loose, _MESSAGE_MAX),
    )


def error_lines(lines: Iterable[LogLine], levels: frozenset[str] | None = ERRORS) -> tuple[ErrorLine, ...]:
    """Return the records of some levels (None: of all) among the lines, in their order; see ``read_lines``."""
    every = read_lines(lines).every
    return every if levels is None else tuple(each for each in every if each.level in levels)


def _in_order(lines: Iterable[LogLine]) -> list[LogLine]:
    """Where a moment begins with what may be a traceback, a record of another stream of that moment comes first."""
    found = list(lines)
    if not any(name in line.labels for line in found for name in _LEVEL_LABELS):
        return found
    ordered: list[LogLine] = []
    for _, moment in groupby(found, key=lambda line: line.at):
        together = list(moment)
        if len(together) > 1 and not _begins_record(together[0]):
            together.sort(key=lambda line: not _begins_record(line))
        ordered += together
    return ordered


def _begins_record(line: LogLine) -> bool:
    return record_of(unwrapped(line.text[:_MESSAGE_MAX]).split("\n", 1)[0]) is not None


def _stream(labels: Mapping[str, str]) -> _Stream:
    return tuple(sorted(item for item in labels.items() if item[0] not in _LEVEL_LABELS))

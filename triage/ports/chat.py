"""What is said to people, as data: answers of plain lines, stored as they are and rendered when they are sent.

The chat's side renders an answer, the terminal and the fallback channels into text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pydantic import TypeAdapter

from triage.model import FindingStatus, Json


class Mark(StrEnum):
    """A line's sign; the word in the line says the same, colour is never the only sign."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"
    PLAIN = "plain"


OF_FINDING = {
    FindingStatus.OK: Mark.GOOD,
    FindingStatus.WARNING: Mark.WARN,
    FindingStatus.CRITICAL: Mark.BAD,
    FindingStatus.UNKNOWN: Mark.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``name`` stands out, ``text`` follows, ``code`` shows in fixed width. All of it may be untrusted."""

    text: str
    name: str = ""
    mark: Mark = Mark.PLAIN
    code: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines below a title (which may be empty)."""

    lines: tuple[Line, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class AnswerButton:
    """A button below an answer; ``value`` is one opaque id."""

    label: str
    action_id: str
    value: str
    danger: bool = False


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file that comes with an answer everybody sees; ``alt`` says what a picture shows."""

    name: str
    title: str
    content: bytes
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. ``preview`` says it in one line; ``note`` is small print; ``private``: for who asked alone."""

    title: str
    sections: tuple[Section, ...] = ()
    note: str = ""
    preview: str = ""
    buttons: tuple[AnswerButton, ...] = field(default=())
    files: tuple[AnswerFile, ...] = ()
    private: bool = False

    @property
    def summary(self) -> str:
        """The one line that notifications and screen readers get."""
        return self.preview or self.title


STORED: TypeAdapter[Answer] = TypeAdapter(Answer)


def answer_to_json(answer: Answer) -> Json:
    """Return an answer as JSON, for when it is sent later; its files are documents of their own."""
    data: Json = STORED.dump_python(replace(answer, files=()), mode="json")
    return data


def answer_from_json(data: object) -> Answer:
    """Read an answer back. Raises ValueError where the JSON is none."""
    return STORED.validate_python(data)


def section(lines: Iterable[Line], title: str = "") -> Section:
    """Return a section of lines."""
    return Section(tuple(lines), title)


def saying(text: str, note: str = "") -> Answer:
    """Return an answer of one sentence."""
    return Answer("", (Section((Line(text),)),), note=note, preview=text)

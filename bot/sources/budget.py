"""How many bytes of answers are held at once: a cap for one answer, and a budget over all that are being read.

A triage asks some thirty questions at once, and a source that went wrong may answer each with gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MIB = 1024 * 1024
ANSWER_MAX = 8 * MIB
"""Bytes of one answer."""
TOGETHER_MAX = 24 * MIB
"""Bytes of all answers that are being read, beyond ``FREE`` of each."""
FREE = MIB // 16
"""Bytes of an answer that count for nothing: a small one is read whatever the others do."""
OBJECTS_MAX = 96 * MIB
"""Bytes of what is made of one answer's JSON: a list of nothing but ``{}`` is 24 times as large as its text, an
ordinary answer nine times.
"""
_OBJECT, _LIST, _MEMBER = 240, 90, 60
"""Bytes that an object, a list and what follows a comma take in CPython, but for the text in them and for names.

A name is kept once an answer, however often it comes. Where millions are all different, as in no source's answer, eight
MiB take up to 120 MiB while they are read, and are counted for half of that.
"""


def objects_size(body: bytes) -> int:
    """Return about how many bytes what is made of JSON takes, from its signs alone: it is not read yet."""
    return len(body) + _OBJECT * body.count(b"{") + _LIST * body.count(b"[") + _MEMBER * body.count(b",")


class AnswerTooLarge(Exception):
    """An answer is larger than its cap, or than what the others leave; the text says which."""


@dataclass(slots=True)
class ByteBudget:
    """What all reads of a process may hold together."""

    together: int = TOGETHER_MAX
    taken: int = 0

    @contextmanager
    def answer(self, cap: int = ANSWER_MAX) -> Iterator[Counted]:
        """Count one answer while it is read; what it took is given back at the end."""
        counted = Counted(self, cap)
        try:
            yield counted
        finally:
            counted.give_back()


@dataclass(slots=True)
class Counted:
    """One answer that is being read."""

    budget: ByteBudget
    cap: int
    size: int = 0
    _taken: int = 0

    def take(self, count: int) -> None:
        """Count bytes before they are kept. Raises AnswerTooLarge."""
        self.size += count
        if self.size > self.cap:
            raise AnswerTooLarge(f"answer too large: larger than {self.cap // MIB} MiB")
        more = max(0, self.size - FREE) - self._taken
        if self.budget.taken + more > self.budget.together:
            raise AnswerTooLarge(
                f"answer too large: with the others being read, larger than {self.budget.together // MIB} MiB"
            )
        self._taken += more
        self.budget.taken += more

    def give_back(self) -> None:
        """Give back what was taken; the next answer begins anew."""
        self.budget.taken -= self._taken
        self.size = self._taken = 0


ALL_READS = ByteBudget()
"""Of this process: its memory is what is to be bounded."""

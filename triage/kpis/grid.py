"""The minutes of a window as columns: one row a minute, whatever order and however often they were written.

Memory is bound by the window (about 95 bytes a minute), never by the files. A minute that has no row stays
missing; a value that a row's layout does not have, or that is no number, is NaN.
"""

from __future__ import annotations

from array import array
from enum import IntEnum
from itertools import pairwise
from math import inf, isfinite, isinf, nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

VALUES = (
    "equity_quote",
    "base_pct",
    "target_base_pct",
    "net_edge_pct",
    "turnover_today_x",
    "cancel_per_min",
    "daily_loss_pct",
    "drawdown_pct",
    "paper_reject_count",
)
"""The numeric columns that are kept, named and scaled as in minute.csv (fractions, not percent)."""

WORST = ("turnover_today_x", "daily_loss_pct", "drawdown_pct")
"""Where two rows share a minute the later one counts; of these the worse one, so that no risk is hidden."""

_WORST = tuple(VALUES.index(name) for name in WORST)
_RESOLVED = ("api:", "connector:", "project:")
_TEXTS = 500
"""Distinct texts (reasons, accounts) remembered; the rest, only garbage makes so many, share one name."""


RowTexts = tuple[str, str, str, str | None, str | None]
"""State, exchange, trading pair, fee source and risk reasons; None: the row's layout has no such column."""


class State(IntEnum):
    """The state of a minute; MISSING has no row, OTHER is a word we do not know."""

    MISSING = 0
    RUNNING = 1
    SOFT_PAUSE = 2
    HARD_STOP = 3
    OTHER = 4


STATES = {"running": State.RUNNING, "soft_pause": State.SOFT_PAUSE, "hard_stop": State.HARD_STOP}


class Fee(IntEnum):
    """What the row says of the fee source; NONE: its layout has no such column."""

    NONE = 0
    RESOLVED = 1
    UNRESOLVED = 2


class _Texts:
    """Texts as small numbers; -1 is "no such column"."""

    __slots__ = ("_numbers", "names")

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        known = self._numbers.get(text)
        if known is not None:
            return known
        if len(self.names) >= _TEXTS:
            return self.number("(other)") if "(other)" in self._numbers else self._add("(other)")
        return self._add(text)

    def _add(self, text: str) -> int:
        self._numbers[text] = len(self.names)
        self.names.append(text)
        return len(self.names) - 1


class MinuteGrid:
    """Minutes ``start`` (inclusive, epoch minutes) to ``start + minutes``.

    ``states``, ``fees``, ``reasons`` and ``accounts`` have one entry a minute, as :meth:`column` has.
    """

    __slots__ = (
        "_accounts",
        "_codes",
        "_reasons",
        "_rows",
        "_stamps",
        "_values",
        "accounts",
        "fees",
        "hidden_stops",
        "minutes",
        "reasons",
        "start",
        "states",
        "unresolved",
    )

    def __init__(self, start: int, minutes: int) -> None:
        self.start = start
        self.minutes = minutes
        self.states = bytearray(minutes)
        self.fees = bytearray(minutes)
        self.reasons = array("i", [-1]) * minutes
        self.accounts = array("i", [-1]) * minutes
        self.hidden_stops: dict[int, set[int]] = {}
        """Minutes with a hard_stop row that gave way to a later row of the same minute, and its reasons."""
        self.unresolved: set[str] = set()
        """Names of unresolved fee sources (a few of them)."""
        self._stamps = array("d", [-1.0]) * minutes
        self._values = [array("d", [nan]) * minutes for _ in VALUES]
        self._rows = bytearray(minutes)
        self._codes: dict[RowTexts, tuple[State, int, Fee, int]] = {}
        self._reasons = _Texts()
        self._accounts = _Texts()

    def put(self, stamps: Sequence[float], texts: Sequence[RowTexts], values: Sequence[array[float]]) -> None:
        """Take rows: ``stamps`` in epoch seconds, ``values`` by column, as VALUES names them.

        Rows outside the window are ignored. Rows of consecutive minutes that have none yet, as nearly all are,
        go in together.
        """
        minutes = [int(stamp // 60) - self.start for stamp in stamps]
        breaks = [at for at, (was, now) in enumerate(pairwise(minutes), 1) if now != was + 1]
        for first, last in pairwise((0, *breaks, len(minutes)) if minutes else ()):
            start, end = minutes[first], minutes[last - 1] + 1
            if start < 0 or end > self.minutes or any(self._rows[start:end]):
                for row in range(first, last):
                    self._put_one(minutes[row], stamps[row], texts[row], [each[row] for each in values])
                continue
            self._rows[start:end] = b"\1" * (end - start)
            self._stamps[start:end] = array("d", stamps[first:last])
            for kept, taken in zip(self._values, values, strict=True):
                kept[start:end] = taken[first:last]
            codes = [self._codes.get(text) or self._encode(text) for text in texts[first:last]]
            states, accounts, fees, reasons = zip(*codes, strict=True)
            self.states[start:end] = bytes(states)
            self.accounts[start:end] = array("i", accounts)
            self.fees[start:end] = bytes(fees)
            self.reasons[start:end] = array("i", reasons)

    def _put_one(self, minute: int, stamp: float, texts: RowTexts, values: list[float]) -> None:
        """Take a row whose minute may have one already, or may be outside the window."""
        if not 0 <= minute < self.minutes:
            return
        code, account, fee, reason = self._codes.get(texts) or self._encode(texts)
        taken = self._rows[minute]
        if taken:
            self._rows[minute] = min(taken + 1, 255)
            if self._fold(minute, values, code, reason, newer=stamp >= self._stamps[minute]):
                return
        else:
            self._rows[minute] = 1
        self._stamps[minute] = stamp
        for kept, value in zip(self._values, values, strict=True):
            kept[minute] = value
        self.states[minute] = code
        self.reasons[minute] = reason
        self.accounts[minute] = account
        self.fees[minute] = fee

    def _encode(self, texts: RowTexts) -> tuple[State, int, Fee, int]:
        """Return a row's texts as numbers; rows mostly have the texts of the row before, so it is remembered."""
        state, exchange, pair, fee, reasons = texts
        if len(self._codes) >= _TEXTS:
            self._codes.clear()
        codes = (
            STATES.get(state, State.OTHER),
            self._accounts.number(f"{exchange} {pair}"),
            self._fee(fee),
            -1 if reasons is None else self._reasons.number(reasons),
        )
        self._codes[texts] = codes
        return codes

    def _fold(self, minute: int, row: list[float], code: State, reason: int, *, newer: bool) -> bool:
        """Carry the risks of the row that goes into the one that stays; True where the old one stays."""
        for column in _WORST:
            known = [value for value in (self._values[column][minute], row[column]) if isfinite(value)]
            row[column] = self._values[column][minute] = max(known, default=nan)
        gone, why = (self.states[minute], self.reasons[minute]) if newer else (code, reason)
        if gone == State.HARD_STOP:
            self.hidden_stops.setdefault(minute, set()).add(why)
        return not newer

    def _fee(self, fee: str | None) -> Fee:
        if fee is None:
            return Fee.NONE
        if fee.startswith(_RESOLVED):
            return Fee.RESOLVED
        if len(self.unresolved) < 5:  # noqa: PLR2004 - a few names are enough to say which
            from triage.masking import masked_where_cut  # noqa: PLC0415 - loads longer than a day is read

            self.unresolved.add(masked_where_cut(fee, 80) or "(empty)")
        return Fee.UNRESOLVED

    def cut(self, first: int, minutes: int) -> MinuteGrid:
        """Return a copy of ``minutes`` minutes from index ``first`` on."""
        part = MinuteGrid(self.start + first, 0)
        last = first + minutes
        part.minutes = minutes
        part.states, part.fees = self.states[first:last], self.fees[first:last]
        part.reasons, part.accounts = self.reasons[first:last], self.accounts[first:last]
        part._stamps, part._rows = self._stamps[first:last], self._rows[first:last]
        part._values = [column[first:last] for column in self._values]
        part._reasons, part._accounts = self._reasons, self._accounts
        part.unresolved = self.unresolved if Fee.UNRESOLVED in part.fees else set()
        part.hidden_stops = {m - first: why for m, why in self.hidden_stops.items() if first <= m < last}
        return part

    def column(self, name: str) -> list[float]:
        """Return a column of VALUES, one number a minute, NaN where there is none (infinities are no measure)."""
        column = self._values[VALUES.index(name)].tolist()
        if not isfinite(sum(column)) and (inf in column or -inf in column):
            column = [nan if isinf(value) else value for value in column]
        return column

    def reason(self, number: int) -> str:
        """Return the ``risk_reasons`` text behind an entry of ``reasons``; empty for -1."""
        return self._reasons.names[number] if number >= 0 else ""

    def account(self, number: int) -> str:
        """Return the account (exchange and pair) behind an entry of ``accounts``."""
        return self._accounts.names[number] if number >= 0 else ""

    @property
    def present(self) -> int:
        """How many minutes have a row."""
        return self.minutes - self.states.count(State.MISSING)

    @property
    def minutes_with_state(self) -> int:
        """How many minutes have a state that is known: running, soft_pause or hard_stop."""
        return self.present - self.states.count(State.OTHER)

    @property
    def rows(self) -> int:
        """How many rows were put (a minute counts at most 255 of its own)."""
        return sum(self._rows)

    @property
    def duplicates(self) -> int:
        """How many rows shared a minute with another."""
        return self.rows - self.present

    def stamp(self, minute: int) -> float:
        """Return when the row of a minute was written (epoch seconds), -1 where it is missing."""
        return self._stamps[minute]

    def at(self, minute: int) -> float:
        """Return when a minute begins (epoch seconds)."""
        return (self.start + minute) * 60.0

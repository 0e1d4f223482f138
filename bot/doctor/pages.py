"""Reads the rows of a SQLite file page by page, where SQLite itself gives the file or a table of it up.

One overwritten page at the root of a table, a damaged head of the file or a file that was cut off keeps SQLite from
thousands of rows that are whole. Of a file with ``auto_vacuum``, as ours have, every page's parent is known (its pointer
map), so that a page is found to belong to its table though the pages above it are lost.

Layouts: https://sqlite.org/fileformat2.html
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

_MAGIC = b"SQLite format 3\x00"
_PAGE_SIZE = 4096
"""SQLite's own default, which ours have."""
_LEAF, _INTERIOR = 13, 5
"""The first byte of a page of a table: with rows, and with the numbers of the pages below."""
_ROOT_ENTRY, _TREE_ENTRY = 1, 5
"""What the pointer map says of a page: the root of a tree, or below the page that it names."""
_MASTER_COLUMNS = 5
_LEVELS = 20
_LOCK_BYTE = 0x4000_0000
_FIXED = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Bytes of an integer, by its type in a record."""
Row = tuple[int, tuple[Any, ...]]


class _Damaged(Exception):
    """Bytes that are no cell of a table."""


@dataclass(slots=True)
class TableRows:
    """The rows of a table that could be read, and how many of its pages could not."""

    rows: list[Row]
    pages_lost: int


class DatabasePages:
    """A SQLite file as pages. Never raises for what it holds: what cannot be read is left out and counted."""

    def __init__(self, file: Path) -> None:
        with file.open("rb") as opened:
            empty = not file.stat().st_size
            self._content = b"" if empty else mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        size = int.from_bytes(self._content[16:18], "big")
        size = 65_536 if size == 1 else size
        sound = self._content[:16] == _MAGIC and 512 <= size <= 65_536 and not size & (size - 1)  # noqa: PLR2004 - SQLite's limits
        self._size = size if sound else _PAGE_SIZE
        self._count = -(-len(self._content) // self._size)

    @cached_property
    def roots(self) -> dict[str, int]:
        """The first page of each table, by its name, from the schema's own pages."""
        found: dict[str, int] = {}
        for _, values in self.table(1).rows:
            if len(values) == _MASTER_COLUMNS and values[0] == "table" and isinstance(values[3], int):
                found[str(values[1])] = values[3]
                found.setdefault(str(values[2]), values[3])  # the same name, where one of the two is damaged
        return found

    def statement(self, table: str) -> str:
        """Return the CREATE TABLE of a table; empty where it cannot be read."""
        return next((str(row[4]) for _, row in self.table(1).rows if row[:2] == ("table", table)), "")

    def table(self, root: int) -> TableRows:
        """Read every page that belongs to the table that begins at ``root``."""
        pages = {root} | self._below(root) | self._mapped.get(root, set())
        if root != 1:  # else a damaged map would have the pages of one table in another
            pages -= {page for other, tree in self._trees.items() if other != root for page in (other, *tree)}
        rows: dict[int, tuple[Any, ...]] = {}
        lost = 0
        for number in sorted(pages):
            whole = self._kind(number) == _INTERIOR
            if self._kind(number) == _LEAF:
                found, whole = self._rows(number)
                for rowid, values in found:
                    rows.setdefault(rowid, values)
            lost += not whole
        return TableRows(sorted(rows.items()), lost)

    def _page(self, number: int) -> bytes:
        return self._content[(number - 1) * self._size : number * self._size]

    def _head(self, number: int) -> bytes:
        return self._page(number)[100 if number == 1 else 0 :][:12]

    def _kind(self, number: int) -> int:
        head = self._head(number)
        return head[0] if len(head) >= 8 else 0  # noqa: PLR2004 - the head of a leaf

    def _cells(self, number: int) -> list[int]:
        """Return where the cells of a page begin."""
        at = (100 if number == 1 else 0) + (12 if self._kind(number) == _INTERIOR else 8)
        count = int.from_bytes(self._head(number)[3:5], "big")
        pointers = self._page(number)[at : at + 2 * min(count, self._size // 4)]
        return [pointer for (pointer,) in struct.iter_unpack(">H", pointers[: len(pointers) // 2 * 2])]

    def _below(self, root: int) -> set[int]:
        """Return the pages of a tree, as its pages name each other."""
        found: set[int] = set()
        level = {root}
        for _ in range(_LEVELS):
            level = {child for page in level for child in self._children(page)} - found - {root}
            if not level:
                break
            found |= level
        return found

    def _children(self, number: int) -> list[int]:
        if self._kind(number) != _INTERIOR:
            return []
        page = self._page(number)
        named = [int.from_bytes(page[cell : cell + 4], "big") for cell in self._cells(number)]
        named.append(int.from_bytes(self._head(number)[8:12], "big"))
        return [child for child in named if 1 < child <= self._last]

    @cached_property
    def _last(self) -> int:
        """The number of the last page, also where the file was cut off."""
        said = int.from_bytes(self._content[28:32], "big") if self._content[:16] == _MAGIC else 0
        return max(self._count, said if said < 2 * self._count + 1_000_000 else 0)

    @cached_property
    def _trees(self) -> dict[int, set[int]]:
        """By table's root, the pages that its pages name."""
        return {root: self._below(root) for root in (1, *self.roots.values())}

    @cached_property
    def _mapped(self) -> dict[int, set[int]]:
        """By root, the pages that the pointer map says belong to its tree."""
        entries = dict(self._entries())
        found: dict[int, set[int]] = {}
        for page in entries:
            root = _root_of(page, entries)
            if root:
                found.setdefault(root, set()).add(page)
        return found

    def _entries(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """Yield for each page its kind and its parent, where the file has a pointer map."""
        each = self._size // 5
        at, lock_page = 2, _LOCK_BYTE // self._size + 1
        while at <= self._count:
            at += at == lock_page
            page = self._page(at)
            for number, (kind, parent) in enumerate(struct.iter_unpack(">BI", page[: len(page) // 5 * 5])):
                if number < each and 1 <= kind <= _TREE_ENTRY and at + 1 + number <= self._last:
                    yield at + 1 + number, (kind, parent)
            at += each + 1

    def _rows(self, number: int) -> tuple[list[Row], bool]:
        """Return the rows of a leaf, and whether each of its cells could be read."""
        rows, whole = [], True
        for at in self._cells(number):
            try:
                rows.append(self._row(self._page(number), at))
            except (_Damaged, IndexError, struct.error, ValueError):
                whole = False
        count = int.from_bytes(self._head(number)[3:5], "big")
        return rows, whole and len(rows) == count

    def _row(self, page: bytes, at: int) -> Row:
        size, at = _varint(page, at)
        rowid, at = _varint(page, at)
        return _signed(rowid), _values(self._payload(page, at, size))

    def _payload(self, page: bytes, at: int, size: int) -> bytes:
        """Return the record of a cell, with what of it lies on other pages."""
        usable = self._size
        if size > len(self._content):
            raise _Damaged
        here = size
        if size > usable - 35:
            least = (usable - 12) * 32 // 255 - 23
            here = least + (size - least) % (usable - 4)
            here = here if here <= usable - 35 else least
        content = page[at : at + here]
        following = int.from_bytes(page[at + here : at + here + 4], "big") if here < size else 0
        while len(content) < size:
            other = self._page(following) if 1 < following <= self._count else b""
            if len(other) < usable:
                raise _Damaged
            content += other[4 : 4 + size - len(content)]
            following = int.from_bytes(other[:4], "big")
        return content


def _root_of(page: int, entries: Mapping[int, tuple[int, int]]) -> int:
    """Return where the tree of a page begins, as the pointer map says; 0 where it does not say."""
    for _ in range(_LEVELS):
        kind, parent = entries.get(page, (0, 0))
        if kind == _ROOT_ENTRY:
            return page
        if kind != _TREE_ENTRY or parent == 1:  # the schema's own tree, which begins at the first page
            return int(kind == _TREE_ENTRY)
        page = parent
    return 0


def _values(record: bytes) -> tuple[Any, ...]:
    end, at = _varint(record, 0)
    kinds = []
    while at < end:
        kind, at = _varint(record, at)
        kinds.append(kind)
    values = []
    for kind in kinds:
        value, at = _value(record, at, kind)
        values.append(value)
    if at > len(record):
        raise _Damaged
    return tuple(values)


def _value(record: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (0, 8, 9):
        return (None if kind == 0 else kind - 8), at
    if kind in _FIXED:
        end = at + _FIXED[kind]
        return int.from_bytes(record[at:end], "big", signed=True), end
    if kind == 7:  # noqa: PLR2004 - a float
        return struct.unpack(">d", record[at : at + 8])[0], at + 8
    if kind < 12:  # noqa: PLR2004 - kept for SQLite itself
        raise _Damaged
    end = at + (kind - 12) // 2
    content = record[at:end]
    return (content.decode("utf-8", "replace") if kind % 2 else content), end


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """Return a number of one to nine bytes, and where it ends."""
    value = 0
    for place in range(at, at + 8):
        byte = content[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004 - no byte follows
            return value, place + 1
    return value << 8 | content[at + 8], at + 9


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value

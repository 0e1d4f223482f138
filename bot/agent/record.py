"""The agent's own record: one JSON object a line, appended and on disk before what it tells is done, each line chained.

It is a second record of who confirmed what: whoever takes the bot over cannot change it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from triage.errors import DeskFailure, SettingError
from triage.model import Json

FIRST = "0" * 64
LINE_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One line: ``what`` happened, ``about`` whom and what (see ``bot.agent.policy``)."""

    number: int
    at: datetime
    what: str
    about: Mapping[str, Json]


def hash_of(number: int, at: str, what: str, about: Mapping[str, Json], before: str) -> str:
    """Return the SHA-256 (hex) that binds a line to all lines before it."""
    text = json.dumps([number, at, what, about, before], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class AgentRecord:
    """A record on disk, or in memory alone where ``path`` is None. Open it with ``opened``."""

    path: Path | None = None
    entries: list[RecordEntry] = field(default_factory=list)
    head: str = FIRST
    number: int = 0
    _file: int = -1
    _cut_at: int | None = None
    """Where a line begins that failed and could not be removed: it is, before the next is written."""

    @classmethod
    def opened(cls, path: Path) -> AgentRecord:
        """Open a record, or begin one. Raises SettingError where it cannot be kept, or was changed."""
        record = cls(path)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            record._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            fcntl.flock(record._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            record._read()
        except BlockingIOError as error:
            record.close()
            raise SettingError(f"{path} is written by another process: one agent a record") from error
        except OSError as error:
            record.close()
            raise SettingError(
                f"{path} cannot be kept ({error.strerror}); mend TRIAGE_AGENT_STATE or the folder's permissions"
            ) from error
        except SettingError:
            record.close()
            raise
        return record

    def _read(self) -> None:
        """Read and check every line. A last one that a crash cut off was never answered for, and is removed."""
        whole = 0
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            for line in file:
                if not line.endswith(b"\n"):
                    os.ftruncate(self._file, whole)
                    return
                self._take(line)
                whole += len(line)

    def _take(self, line: bytes) -> None:
        try:
            n, at, what, about, digest = (
                json.loads(line)[key] for key in ("n", "at", "what", "about", "hash")
            )
            entry = RecordEntry(int(n), datetime.fromisoformat(at), str(what), dict(about))
            good = entry.number == self.number + 1 and digest == hash_of(n, at, what, about, self.head)
        except (ValueError, KeyError, TypeError, RecursionError):
            good = False
        if not good:
            raise SettingError(
                f"{self.path}: line {self.number + 1} was changed, lost or moved; keep the file as evidence, "
                "find out by whom, and let the agent begin a new one"
            )
        self.entries.append(entry)
        self.number, self.head = entry.number, str(digest)

    def append(self, at: datetime, what: str, about: Mapping[str, Json]) -> RecordEntry:
        """Write a line and bring it to the disk. Raises DeskFailure; then nothing may be done."""
        entry = RecordEntry(self.number + 1, at, what, about)
        stamp = at.isoformat()
        digest = hash_of(entry.number, stamp, what, about, self.head)
        if self._file >= 0:
            line: dict[str, Any] = {
                "n": entry.number,
                "at": stamp,
                "what": what,
                "about": about,
                "hash": digest,
            }
            self._write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self.number, self.head = entry.number, digest
        return entry

    def _write(self, line: bytes) -> None:
        if len(line) > LINE_MAX:
            raise DeskFailure("the agent's record takes no line as long as this")
        try:
            if self._cut_at is not None:
                os.ftruncate(self._file, self._cut_at)
                self._cut_at = None
            end = os.lseek(self._file, 0, os.SEEK_END)
        except OSError as error:
            raise self._not_written(error) from error
        try:
            written = os.write(self._file, line)
            if written == len(line):
                os.fsync(self._file)
        except OSError as error:
            self._take_back(end)
            raise self._not_written(error) from error
        if written != len(line):
            self._take_back(end)
            raise DeskFailure(f"{self.path} is full: nothing is done that cannot be recorded")

    def _not_written(self, error: OSError) -> DeskFailure:
        return DeskFailure(
            f"{self.path} cannot be written ({error.strerror}): nothing is done that cannot be recorded"
        )

    def _take_back(self, end: int) -> None:
        """Remove what the disk took of a line that failed, now or, where it lets nothing be removed, before the next."""
        try:
            os.ftruncate(self._file, end)
        except OSError:
            self._cut_at = end

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

"""Log lines in the desk's format, handed to the sinks, and kept in the files of the bots."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

LogSink = Callable[[Mapping[str, str], Sequence[tuple[int, str]]], None]
"""Takes a stream's labels and its new entries (nanoseconds, line)."""
ROTATE_AT = 5_000_000


def stamp(at: float) -> str:
    """Return ``2026-02-20 16:33:00,312``."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03d}"


def line(at: float, pid: int, logger: str, level: str, message: str) -> str:
    """Return one line as the bots write it."""
    return f"{stamp(at)} - {pid} - {logger} - {level} - {message}"


class Logbook:
    """Hands entries to the sinks a step at a time, and appends to files that are rotated at 5 MB."""

    def __init__(self) -> None:
        self.sinks: list[LogSink] = []
        self._pending: dict[tuple[tuple[str, str], ...], list[tuple[int, str]]] = {}
        self._files: dict[Path, list[str]] = {}
        self._last_ns = 0

    def add(
        self, at: float, labels: Mapping[str, str], lines: Sequence[str], files: Sequence[Path] = ()
    ) -> None:
        """Take lines that belong together (a traceback follows its line); each gets a nanosecond of its own."""
        entries = self._pending.setdefault(tuple(sorted(labels.items())), [])
        for text in lines:
            self._last_ns = max(self._last_ns + 1, int(at * 1e9))
            entries.append((self._last_ns, text))
        for path in files:
            self._files.setdefault(path, []).extend(lines)

    def flush(self, *, shipping: bool = True) -> None:
        """Write the files and, while somebody ships them, tell the sinks; what waits is shipped later."""
        files, self._files = self._files, {}
        for path, lines in files.items():
            _append(path, lines)
        if not shipping:
            return
        pending, self._pending = self._pending, {}
        for labels, entries in pending.items():
            for sink in self.sinks:
                sink(dict(labels), entries)


def _append(path: Path, lines: Sequence[str]) -> None:
    if path.exists() and path.stat().st_size > ROTATE_AT:
        path.replace(path.with_name(path.name + ".1"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("\n".join(lines) + "\n")

"""The bots' config snapshots on disk: list, take, verify, extract beside, exchange in one rename, undo by the same.

Beside ``data/<bot>`` an extracted folder lies as ``data/.<bot>.<token>``. A marker file with the token goes
with the new content: in the folder beside, the swap has not happened; in the bot's own folder, it has.
"""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bot.desk import archive
from bot.desk.differences import differences
from bot.desk.files import exchange, link_tree, remove_tree, size_of, sync_folder, why_not_exchange
from bot.threads import stoppable
from triage.errors import ChangeNotConfirmed, DeskFailure
from triage.plans.agent_orders import archive_parts, is_archive_of
from triage.ports.actions import Differences, DiskRoom, Snapshot

T = TypeVar("T")
_TOKEN = re.compile(r"[A-Za-z0-9-]{1,40}")
_MARGIN = 64 * 1024 * 1024
"""Bytes that stay free beside what is needed: a full disk stops Redis and the bots."""


class DeskSnapshots:
    """Implements ``triage.ports.actions.Snapshots`` for ``data`` and ``backups``."""

    def __init__(self, data: Path, backups: Path) -> None:
        self._data = data
        self._backups = backups
        self._checksums: dict[tuple[str, int, int], str] = {}

    async def list(self, bot: str) -> tuple[Snapshot, ...]:
        """Return a bot's archives, the newest first; pre-rollback ones too."""
        return await _threaded(lambda _: self._list(bot))

    async def checksum(self, name: str) -> str:
        """Return the SHA-256 (hex) of an archive; one that did not change is not read again."""
        return await _threaded(lambda going: self._checksum(self._path(name), going))

    async def room_to_take(self, bot: str) -> DiskRoom:
        """Return the space that a new snapshot needs at the most."""

        def ask(_: archive.Going) -> DiskRoom:
            parts = (self._data / bot / part for part in archive.PARTS)
            return DiskRoom(shutil.disk_usage(self._backups).free, sum(map(size_of, parts)) + _MARGIN)

        return await _threaded(ask)

    async def room_to_extract(self, name: str) -> DiskRoom:
        """Return the space that an archive needs once extracted. Reads it through: a corrupt one raises."""

        def ask(going: archive.Going) -> DiskRoom:
            needed = archive.measure(self._path(name), archive_parts(name)[0], going)
            return DiskRoom(shutil.disk_usage(self._data).free, needed + _MARGIN)

        return await _threaded(ask)

    async def differences(self, bot: str, name: str) -> Differences:
        """Return what an archive would change in the bot's folder."""
        return await _threaded(lambda going: differences(self._path(name, bot), bot, self._data / bot, going))

    async def why_not_swap(self, bot: str) -> str:
        """Return why the bot's folder cannot be exchanged in one rename, empty when it can be."""

        def ask(_: archive.Going) -> str:
            if not (self._data / bot).is_dir():
                return f"there is no folder {self._data / bot}"
            if (self._data / bot).is_mount():
                return f"{self._data / bot} is a mount of its own: it cannot be renamed; mount {self._data} instead"
            return why_not_exchange(self._data)

        return await _threaded(ask)

    async def take(self, bot: str, name: str) -> Snapshot:
        """Write a new archive: complete and on disk under its name, or not there at all."""

        def work(going: archive.Going) -> Snapshot:
            path = self._path(name, bot)
            if path.exists():
                raise DeskFailure(f"backups/{name} exists already: nothing was written")
            if not any((self._data / bot / part).is_dir() for part in archive.PARTS):
                raise DeskFailure(f"there is nothing of {bot} in {self._data}: nothing was written")
            partial = path.with_name(f".{name}.partial")
            partial.unlink(missing_ok=True)  # of an attempt that was killed
            try:
                archive.write(self._data / bot, bot, partial, going)
                archive.measure(partial, bot, going)  # what cannot be read back is no snapshot
                partial.rename(path)
                self._insist(path)
            finally:
                with suppress(OSError):  # the first error is the one to tell
                    partial.unlink(missing_ok=True)
            return _snapshot(path)

        return await _threaded(work)

    def _insist(self, archive: Path) -> None:
        """Have the disk confirm an archive's name. Where it does not, it is removed: it is told as not taken."""
        try:
            sync_folder(self._backups)
        except OSError:
            with suppress(OSError):
                archive.unlink(missing_ok=True)
            raise

    async def extract(self, bot: str, name: str, *, sha256: str, token: str) -> str:
        """Verify an archive and extract it beside the bot's folder, on disk. Returns a line on what is in it."""

        def work(going: archive.Going) -> str:
            path, beside = self._path(name, bot), self._beside(bot, token)
            remove_tree(beside)
            room = shutil.disk_usage(self._data).free - _MARGIN
            beside.mkdir(mode=0o700)
            try:
                files = archive.extract(path, bot, beside, sha256=sha256, room=room, going=going)
                self._complete(bot, beside, name)
                shutil.copystat(self._data / bot, beside)
                (beside / _marker(token)).touch()
                sync_folder(beside)
                sync_folder(self._data)
                going()  # nobody removes it any more, once whoever asked has given up
            except BaseException:
                shutil.rmtree(beside, ignore_errors=True)  # the first error is the one to tell
                raise
            return f"{files} files, checksum as chosen"

        return await _threaded(work)

    def _complete(self, bot: str, beside: Path, name: str) -> None:
        missing = [
            part
            for part in archive.PARTS
            if (self._data / bot / part).exists() and not (beside / part).is_dir()
        ]
        if missing:
            raise DeskFailure(
                f"{name} has no {', '.join(missing)}: it would leave {bot} without; nothing was changed"
            )

    async def swap(self, bot: str, token: str) -> None:
        """Exchange the bot's folder for the extracted one in one rename; what is not restored stays.

        Raises DeskFailure; ChangeNotConfirmed where the snapshot is in place, and only what comes after the rename failed.
        """

        def work(going: archive.Going) -> None:
            here, beside = self._data / bot, self._beside(bot, token)
            if not (beside / _marker(token)).exists():
                raise DeskFailure(f"nothing is extracted for {bot} under {token}: nothing was changed")
            # Logs and whatever else lies there are the very same files before and after.
            _link_others(here, beside)
            sync_folder(beside)
            going()  # whoever gave up meanwhile was told that this did not end
            exchange(here, beside)
            try:
                _link_others(beside, here)  # what was written between the linking and the exchange
                sync_folder(self._data)
            except (OSError, RecursionError) as error:
                why = error.strerror if isinstance(error, OSError) else "its folders lie too deep"
                raise ChangeNotConfirmed(
                    f"the snapshot of {bot} is in place, but the disk did not take all of it: {why}"
                ) from error
            for other in _others(beside):
                if other.is_dir() and not other.is_symlink():
                    shutil.rmtree(other, ignore_errors=True)  # second names of files that stay

        await _threaded(work)

    async def discard(self, bot: str, token: str) -> None:
        """Remove what lies beside the bot's folder under a token; nothing there is fine."""

        def work(_: archive.Going) -> None:
            remove_tree(self._beside(bot, token))
            (self._data / bot / _marker(token)).unlink(missing_ok=True)
            for partial in self._backups.glob(f".{bot}_pre_rollback_*.partial"):
                partial.unlink(missing_ok=True)  # of a snapshot that a crash cut off

        await _threaded(work)

    async def swapped(self, bot: str, token: str) -> bool | None:
        """Whether the swap under a token happened: None where nothing of it is on disk."""

        def ask(_: archive.Going) -> bool | None:
            if (self._data / bot / _marker(token)).exists():
                return True
            return False if (self._beside(bot, token) / _marker(token)).exists() else None

        return await _threaded(ask)

    async def prune(self, bot: str, *, keep: int) -> tuple[str, ...]:
        """Remove the oldest archives beyond the newest ``keep``; pre-rollback ones stay. Returns the names."""

        def work(_: archive.Going) -> tuple[str, ...]:
            usual = [snapshot.name for snapshot in self._list(bot) if "_pre_rollback_" not in snapshot.name]
            for name in usual[keep:]:
                (self._backups / name).unlink(missing_ok=True)
            return tuple(usual[keep:])

        return await _threaded(work)

    def _list(self, bot: str) -> tuple[Snapshot, ...]:
        found = [
            _snapshot(path)
            for path in (self._backups.iterdir() if self._backups.is_dir() else ())
            if is_archive_of(bot, path.name) and path.is_file() and not path.is_symlink()
        ]
        return tuple(sorted(found, key=lambda snapshot: (snapshot.taken_at, snapshot.name), reverse=True))

    def _checksum(self, path: Path, going: archive.Going) -> str:
        status = path.stat()
        key = (path.name, status.st_size, status.st_mtime_ns)
        if key not in self._checksums:
            with path.open("rb") as file:
                self._checksums[key] = archive.checksum(file, going)
        return self._checksums[key]

    def _path(self, name: str, bot: str | None = None) -> Path:
        if bot not in {None, archive_parts(name)[0]}:
            raise DeskFailure(f"{name!r} is no snapshot of {bot}")
        return self._backups / name

    def _beside(self, bot: str, token: str) -> Path:
        if not _TOKEN.fullmatch(token) or not bot or "/" in bot or bot.startswith("."):
            raise DeskFailure(f"{bot!r} and {token!r} name no folder of a rollback")
        return self._data / f".{bot}.{token}"


def _others(folder: Path) -> list[Path]:
    return [
        each
        for each in folder.iterdir()
        if each.name not in archive.PARTS and not each.name.startswith(".hbot-triage-rollback-")
    ]


def _link_others(source: Path, target: Path) -> None:
    for each in _others(source):
        link_tree(each, target / each.name)


def _marker(token: str) -> str:
    return f".hbot-triage-rollback-{token}"


def _snapshot(path: Path) -> Snapshot:
    bot, stamp, _ = archive_parts(path.name)
    try:
        taken_at = datetime.strptime(stamp, "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
    except ValueError:  # digits that are no time
        taken_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Snapshot(path.name, bot, taken_at, path.stat().st_size)


async def _threaded(work: Callable[[archive.Going], T]) -> T:
    """Run file work on a thread. When the caller is cancelled, the work is told so and waited for."""
    return await stoppable(lambda going: _run(work, going), "work on the bots' files and snapshots")


def _run(work: Callable[[archive.Going], T], going: archive.Going) -> T:
    try:
        return work(going)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise DeskFailure(
                "the disk is full: nothing was changed; free some space and try again"
            ) from error
        raise DeskFailure(f"{error.filename or 'a file'}: {error.strerror}") from error
    except RecursionError as error:
        raise DeskFailure("the folders lie too deep one in another: nothing can be done with them") from error

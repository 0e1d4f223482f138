"""Config snapshots as archives: written whole or not at all, and read as untrusted."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from bot.desk.files import names_of, sync_folder
from bot.watched_files import open_below, open_folder
from triage.errors import DeskFailure
from triage.masking import masked_where_cut

PARTS = ("conf", "data", "scripts", "pmm_scripts")
"""What of a bot's folder a snapshot holds; logs are not in it."""
FILES_MAX = 200_000
DEEPEST, LONGEST = 60, 1024
"""Folders one in another, and bytes of a path: of a bot's configuration nothing is nearly as deep."""
_ID_MAX = 2**32 - 2
_HEADER_MAX = 64 * 1024
_CHUNK = 1024 * 1024
_TRAILER_MAX = 4 * 1024 * 1024
_BROKEN = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, UnicodeError, ValueError)
_EXTENDED = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)

Going = Callable[[], None]
"""Called now and then while work goes on; raises to end it."""


class _Careful(tarfile.TarInfo):
    """A header that refuses to make the reader hold a huge extended header in memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _EXTENDED and self.size > _HEADER_MAX:
            raise tarfile.HeaderError("an extended header is larger than any real one")
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return member


class _Watched:
    """A file whose every read asks whether to go on: one small piece of it can unpack to gigabytes."""

    def __init__(self, file: IO[bytes], going: Going) -> None:
        self._file, self._going = file, going
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read on, unless the work was called off."""
        self._going()
        return self._file.read(size)


@contextmanager
def _opened(file: IO[bytes], name: str, going: Going) -> Iterator[tarfile.TarFile]:
    try:
        with (
            gzip.GzipFile(fileobj=cast("IO[bytes]", _Watched(file, going))) as plain,
            tarfile.open(fileobj=plain, mode="r:", tarinfo=_Careful) as archive,
        ):
            yield archive
            _read_to_the_end(plain, name)
    except DeskFailure:
        raise
    except _BROKEN as error:
        raise DeskFailure(f"{name} is damaged, nothing of it was used: {error}") from error


def _read_to_the_end(plain: gzip.GzipFile, name: str) -> None:
    """Read what follows the last member: only at the very end does gzip compare its checksum."""
    if len(plain.read(_TRAILER_MAX)) == _TRAILER_MAX:
        raise DeskFailure(f"{name} is not safe, nothing of it was used: too much follows its last file")
    plain.read(1)


def checksum(file: IO[bytes], going: Going) -> str:
    """Return the SHA-256 (hex) of a file from its beginning, and go back there."""
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        going()
    file.seek(0)
    return digest.hexdigest()


def safe_path(member: tarfile.TarInfo, bot: str, name: str) -> PurePosixPath:
    """Return a member's path below the bot's folder. Raises DeskFailure for anything that is not plainly that."""
    path = PurePosixPath(member.name)
    words = path.parts
    plain = "\0" not in member.name and "\\" not in member.name and not path.is_absolute()
    if not plain or ".." in words or not words or words[0] != bot:
        raise DeskFailure(f"{name} is not safe, nothing of it was used: it holds {member.name!r}")
    if not (member.isreg() or member.isdir()):
        raise DeskFailure(
            f"{name} is not safe, nothing of it was used: {member.name!r} is a link or a device"
        )
    if len(words) > DEEPEST or len(member.name.encode()) > LONGEST:
        raise DeskFailure(f"{name} is not safe, nothing of it was used: it holds a path that is too deep")
    if not (0 <= member.uid <= _ID_MAX and 0 <= member.gid <= _ID_MAX):
        raise DeskFailure(
            f"{name} is not safe, nothing of it was used: {masked_where_cut(member.name, 200)!r} has an owner that is none"
        )
    below = PurePosixPath(*words[1:])
    if below.parts and below.parts[0] not in PARTS:
        raise DeskFailure(
            f"{name} is not a config snapshot: it holds {member.name!r}, beside {', '.join(PARTS)}"
        )
    return below


def measure(path: Path, bot: str, going: Going) -> int:
    """Read an archive through and return its bytes once extracted. Raises DeskFailure when it is not sound."""
    with _file(path) as file, _opened(file, path.name, going) as archive:
        total = 0
        for number, member in enumerate(archive):
            safe_path(member, bot, path.name)
            total += member.size + 4096
            going()
            if number > FILES_MAX:
                raise DeskFailure(
                    f"{path.name} holds more than {FILES_MAX} files: that is no config snapshot"
                )
        return total


def files(path: Path, bot: str, going: Going) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo, str]]:
    """Yield an archive's files with their paths below the bot's folder; each is read before the next is asked for."""
    with _file(path) as file, _opened(file, path.name, going) as archive:
        for number, member in enumerate(archive):
            below = safe_path(member, bot, path.name)
            going()
            if number > FILES_MAX:
                raise DeskFailure(
                    f"{path.name} holds more than {FILES_MAX} files: that is no config snapshot"
                )
            if member.isreg():
                yield archive, member, str(below)


def extract(path: Path, bot: str, target: Path, *, sha256: str, room: int, going: Going) -> int:
    """Verify and extract an archive into ``target``, at most ``room`` bytes. Returns the number of files."""
    with _file(path) as file:
        if checksum(file, going) != sha256:
            raise DeskFailure(f"{path.name} is not the archive that was chosen: its checksum is another one")
        with _opened(file, path.name, going) as archive:
            return _extract_all(archive, path.name, bot, target, room=room, going=going)


def _extract_all(
    archive: tarfile.TarFile, name: str, bot: str, target: Path, *, room: int, going: Going
) -> int:
    folders: list[tuple[Path, tarfile.TarInfo]] = []
    files = 0
    for member in archive:
        going()
        place = target / safe_path(member, bot, name)
        if member.isdir():
            place.mkdir(parents=True, exist_ok=True)
            folders.append((place, member))
            continue
        room -= member.size
        if room < 0:
            raise DeskFailure(f"the disk is full: {name} has no room any more, nothing of it was used")
        if files > FILES_MAX:
            raise DeskFailure(f"{name} holds more than {FILES_MAX:,} files, nothing of it was used")
        _make_above(place.parent, member)
        _write(archive, member, place, name, going)
        files += 1
    for place, member in reversed(folders):
        _set_attributes(place, member)
    for folder in [target, *(path for path in target.rglob("*") if path.is_dir())]:
        sync_folder(folder)
    return files


def _make_above(folder: Path, member: tarfile.TarInfo) -> None:
    """Make the folders that an archive does not name itself; they are those of the file that lies in them."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir()
        each.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(each, member.uid, member.gid)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path, name: str, going: Going) -> None:
    content = archive.extractfile(member)
    if content is None:  # pragma: no cover - a regular member always has a content
        raise DeskFailure(f"{name}: {member.name!r} has no content")
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise DeskFailure(
            f"{name} is not safe, nothing of it was used: {member.name!r} stands there twice"
        ) from error
    with os.fdopen(handle, "wb") as file:
        while chunk := content.read(_CHUNK):
            file.write(chunk)
            going()
        file.flush()
        os.fsync(file.fileno())
    _set_attributes(place, member)


def _set_attributes(place: Path, member: tarfile.TarInfo) -> None:
    """Give mode (never setuid), owner and time. A folder must stay one that its owner can enter."""
    place.chmod((member.mode & 0o777) | (stat.S_IRWXU if member.isdir() else stat.S_IRUSR | stat.S_IWUSR))
    if os.geteuid() == 0:
        os.chown(place, member.uid, member.gid, follow_symlinks=False)
    with contextlib.suppress(OverflowError, OSError):  # a time no file system knows is no reason to refuse
        os.utime(place, (member.mtime, member.mtime))


def write(folder: Path, bot: str, target: Path, going: Going) -> None:
    """Write the parts of a bot's folder into a new archive at ``target``, durable. Raises DeskFailure, OSError.

    The bot may write there meanwhile: each folder and file is opened from the folder above, never by its path, so that
    a link which takes its place leads nowhere.
    """
    with target.open("xb") as file, open_folder(folder) as root:
        names = names_of(root)
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as archive:
            for part in PARTS:
                if part in names:
                    _add(archive, root, part, f"{bot}/{part}", going)
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class _Held:
    """What ``TarFile.gettarinfo`` asks of an open file: its number, so that it looks at that and at no path."""

    handle: int
    name: str

    def fileno(self) -> int:
        return self.handle


def _add(archive: tarfile.TarFile, above: int, word: str, name: str, going: Going) -> None:
    """Add what is called ``word`` in the open folder ``above``, as ``name``."""
    going()
    if name.count("/") >= DEEPEST:
        raise DeskFailure(
            f"{masked_where_cut(name, 200)} lies too deep: a snapshot with it could not be restored; remove it"
        )
    kind = os.stat(word, dir_fd=above, follow_symlinks=False).st_mode
    if stat.S_ISSOCK(kind):
        return
    if not (stat.S_ISDIR(kind) or stat.S_ISREG(kind)):
        raise DeskFailure(
            f"{name} is a link or a device: a snapshot with it could not be restored; remove it"
        )
    with open_below(above, word) as handle:
        archive.inodes.clear()  # type: ignore[attr-defined] # a second name of a file is a file, never a link
        info = archive.gettarinfo(arcname=name, fileobj=cast("IO[bytes]", _Held(handle, name)))
        if info.isdir():
            archive.addfile(info)
            for each in names_of(handle):
                _add(archive, handle, each, f"{name}/{each}", going)
        elif info.isreg():
            with os.fdopen(os.dup(handle), "rb") as content:
                archive.addfile(info, cast("IO[bytes]", _Watched(content, going)))
        else:
            raise DeskFailure(f"{name} became a link or a device while it was read")


@contextmanager
def _file(path: Path) -> Iterator[io.BufferedReader]:
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise DeskFailure(f"{path.name} is not in {path.parent} any more") from error

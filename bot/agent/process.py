"""``hbot-triage agent``: a small process of its own. It imports little, so that it stays under 40 MB.

Before it listens it makes sure that the bot can change neither what it is allowed to do nor what it remembers.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import pwd
import re
import resource
import secrets
import signal
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.agent.core import LocalAgent
from bot.agent.host_access import host_access
from bot.agent.people import why_not_known
from bot.agent.record import AgentRecord
from bot.agent.server import Server
from bot.agent.slack_proof import SlackProof
from bot.desk_file import read_desk
from triage.desk import Desk
from triage.errors import DeskFailure, SettingError
from triage.ports.clock import SystemClock

DEFAULT_STATE = "var/agent"
DEFAULT_ENGINE = "unix:///var/run/docker.sock"
_GROUP_OR_OTHERS_WRITE = 0o022
_LINKS = 40
"""As many one behind the other as Linux follows."""


@dataclass(frozen=True, slots=True)
class AgentEnvironment:
    """What the agent is told by its environment. ``uid``: whose processes may ask."""

    socket: Path
    uid: int
    desk: Path
    state: Path
    docker_host: str
    signing_secret: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> AgentEnvironment:
        """Read the environment. Raises SettingError."""

        def value(name: str) -> str:
            if file := environment.get(f"{name}_FILE", "").strip():
                try:
                    return Path(file).read_text(encoding="utf-8").strip()
                except (OSError, UnicodeDecodeError) as error:
                    raise SettingError(f"{name}_FILE: {file} cannot be read: {error}") from error
            return environment.get(name, "").strip()

        address, desk = value("TRIAGE_AGENT"), value("TRIAGE_DESK")
        if not re.fullmatch(r"unix:///\S+", address):
            raise SettingError(
                "TRIAGE_AGENT: say where to listen, for instance unix:///run/hbot-triage/agent.sock"
            )
        if not desk:
            raise SettingError(
                "TRIAGE_DESK is not set: the agent acts by a desk.yaml of its own, and by no default"
            )
        return cls(
            socket=Path(address.removeprefix("unix://")),
            uid=uid_of(value("TRIAGE_AGENT_UID")),
            desk=Path(desk).absolute(),
            state=Path(value("TRIAGE_AGENT_STATE") or DEFAULT_STATE).absolute(),
            docker_host=value("DOCKER_HOST") or DEFAULT_ENGINE,
            signing_secret=value("SLACK_SIGNING_SECRET"),
        )


def uid_of(text: str) -> int:
    """Return the uid that a setting names, by number or name. Raises SettingError."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return pwd.getpwnam(text).pw_uid
    except (KeyError, ValueError):
        said = f"{text!r} is no user" if text else "it is not set"
        raise SettingError(
            f"TRIAGE_AGENT_UID: {said}; name the user whose processes may ask: the bot's"
        ) from None


def check_apart(settings: AgentEnvironment) -> None:
    """Make sure that the bot's user cannot change the agent's desk.yaml and record. Raises SettingError."""
    me = os.geteuid()
    if settings.uid in {0, me}:
        raise SettingError(
            f"TRIAGE_AGENT_UID is {settings.uid}, {'root' if settings.uid == 0 else 'the user of the agent'}: "
            "the bot must run as another user, or nothing is separated"
        )
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    for what, path in (("TRIAGE_DESK", settings.desk), ("TRIAGE_AGENT_STATE", settings.state)):
        if why := why_not_ours(path, me):
            raise SettingError(
                f"{what}: {why}; the agent goes by what only root or its own user (uid {me}) can change"
            )


def why_not_ours(path: Path, me: int) -> str:
    """Return why a file is not safe from others: each folder above it counts, since who may write there may replace it.

    So does each link on the way, and the folder that it lies in.
    """
    try:
        for place, is_end in places(path):
            if why := _why_not_kept(place, me, is_end=is_end):
                return why
    except OSError as error:
        return f"{error.filename or path} cannot be looked at ({error.strerror})"
    return ""


def _why_not_kept(place: Path, me: int, *, is_end: bool) -> str:
    status = place.lstat()
    if status.st_uid not in {0, me}:
        return f"{place} belongs to uid {status.st_uid}"
    sticky = not is_end and status.st_mode & stat.S_ISVTX
    if not stat.S_ISLNK(status.st_mode) and status.st_mode & _GROUP_OR_OTHERS_WRITE and not sticky:
        return f"{place} can be written by others (mode {status.st_mode & 0o7777:o})"
    return ""


def places(path: Path) -> Iterator[tuple[Path, bool]]:
    """Yield what leads to a file, from the root on: folders, links and what they name; and whether it is the end.

    Raises OSError.
    """
    here, links = Path("/"), 0
    rest = [*reversed(path.absolute().parts[1:])]
    yield here, not rest
    while rest:
        word = rest.pop()
        if word == "..":
            here = here.parent
            continue
        here = here / word
        linked = here.is_symlink()
        yield here, not rest and not linked
        if linked:
            links += 1
            if links > _LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            target = here.readlink()
            here = Path("/") if target.is_absolute() else here.parent
            rest += reversed(target.parts[target.is_absolute() :])


def check_started_files(desk: Desk, uid: int) -> None:
    """Make sure that the bot's user has not the files that say what is started. Raises SettingError."""
    named = [desk.paths.compose / name for name in desk.compose.named_files]
    env = () if desk.paths.env is None else (desk.paths.env,)
    for place in (desk.paths.compose, *named, *env):
        with contextlib.suppress(OSError):  # what is not there is told where it is asked for
            status = place.stat()
            others = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
            if status.st_uid == uid or others:
                who = (
                    f"belongs to uid {uid}, the bot's"
                    if status.st_uid == uid
                    else "can be written by everybody"
                )
                raise SettingError(
                    f"TRIAGE_DESK: {place} {who}: who changes what Compose starts has the host; change its owner or mode"
                )


async def serve(settings: AgentEnvironment, stop: asyncio.Event) -> None:
    """Listen until ``stop`` is set. Raises SettingError where it cannot begin."""
    desk = read_desk(str(settings.desk), settings.desk.parent)
    if why := why_not_known(desk, by_group=bool(settings.signing_secret)):
        raise SettingError(f"TRIAGE_DESK: {why}")
    check_started_files(desk, settings.uid)
    host, clock = host_access(desk, settings.docker_host), SystemClock()
    record = AgentRecord.opened(settings.state / "record.jsonl")
    salt = kept_salt(settings.state / "salt")
    looks = host.reader(salt)
    proof = SlackProof(settings.signing_secret, desk.agent.workspace) if settings.signing_secret else None
    try:
        agent = LocalAgent(desk, host.executor, record, clock, proof, apart=True)
        async with Server(looks, agent, clock, uid=settings.uid).listening(settings.socket):
            gc.collect()
            gc.freeze()
            say(
                f"listens at {settings.socket} for uid {settings.uid}; desk {desk.name}, record of {record.number} lines"
            )
            await stop.wait()
    finally:
        record.close()


def kept_salt(path: Path) -> bytes:
    """Return what makes the stand-ins of values in ``.env``, made at the first start. Raises SettingError."""
    try:
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(16))
        return path.read_bytes()
    except OSError as error:
        raise SettingError(f"{path} cannot be kept ({error.strerror}); mend TRIAGE_AGENT_STATE") from error


def say(text: str) -> None:
    """Write a line for people."""
    sys.stderr.write(f"hbot-triage agent: {text}\n")
    sys.stderr.flush()


async def _until_stopped(settings: AgentEnvironment) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, stop)


def main() -> int:
    """Run the agent; returns its exit code: 2 for a wrong setting. A crash leaves no dump of its memory."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        settings = AgentEnvironment.read(os.environ)
        check_apart(settings)
        asyncio.run(_until_stopped(settings))
    except (SettingError, DeskFailure) as error:  # the latter: what a former life left cannot be recorded
        say(str(error))
        return 2
    return 0

"""``hbot-triage init``: looks at the desk, asks what it cannot see, writes the files; run again, it shows what differs.

A file that is there is never changed unasked: what init would write differs from it as the diff says, and ``--write`` or
a yes takes it.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.commands.init_asks import ask_engine_and_prometheus
from bot.commands.schema import desk_schema
from bot.init import files
from bot.init.desk_folder import read_desk
from bot.init.files import Asked, Host
from bot.init.observed_desk import ObservedDesk
from bot.init.plan import plan
from bot.init.running_desk import LiveDesk, engine_address, prometheus_address
from bot.init.user_edits import with_user_edits
from triage.desk import Desk
from triage.env_text import read_env
from triage.errors import SettingError
from triage.playbooks.lookup import playbook_for
from triage.playbooks.table import DEFAULT

Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that init makes: ``before`` is None where there is none yet."""

    path: Path
    before: str | None
    after: str

    @property
    def differs(self) -> bool:
        """Whether there is something to write."""
        return self.before != self.after

    def diff(self) -> str:
        """Return the difference for a person, without a secret."""
        lines = difflib.unified_diff(
            _hidden(self.before or "").splitlines(keepends=True),
            _hidden(self.after).splitlines(keepends=True),
            f"{self.path.name} (there)",
            f"{self.path.name} (init)",
        )
        return "".join(lines)


@dataclass(frozen=True, slots=True)
class InitResult:
    """What init saw and would write."""

    seen: ObservedDesk
    changes: tuple[FileChange, ...]
    notes: tuple[str, ...]


def ask_the_desk(
    root: Path, environment: Mapping[str, str], *, docker: str = "", prometheus: str = ""
) -> LiveDesk:
    """Ask the engine and Prometheus what runs; their addresses are found where none is given. Raises SettingError."""
    seen = read_desk(root.resolve())
    return asyncio.run(
        ask_engine_and_prometheus(
            docker=docker or engine_address(environment),
            prometheus=prometheus or prometheus_address(seen, environment),
        )
    )


def prepare(
    root: Path,
    out: Path,
    asked: Asked,
    running: Mapping[str, str] | None = None,
    live: LiveDesk | None = None,
) -> InitResult:
    """Look at a desk and make the files for it. ``live``: what runs, as it was asked. Raises SettingError."""
    seen = read_desk(root.resolve(), running, live)
    made = plan(seen, known_rules=_known(seen.rules))
    kept = _kept_env(out / files.ENV_FILE)
    token = kept.get("TRIAGE_WEBHOOK_TOKEN") or secrets.token_urlsafe(32)
    audit_key = "" if kept else secrets.token_hex(32)
    texts = {
        files.DESK_FILE: with_user_edits(files.desk_yaml(made, asked), _text(out / files.DESK_FILE) or ""),
        files.SCHEMA_FILE: json.dumps(desk_schema(), indent=2) + "\n",
        files.ENV_FILE: files.env_text(made, asked, token=token, kept=kept, audit_key=audit_key),
        files.ALERTMANAGER_FILE: files.alertmanager_text(seen.alertmanager_file),
        files.COMPOSE_FILE: files.compose_text(made, _host(seen.root)),
    }
    changes = tuple(FileChange(out / name, _text(out / name), text) for name, text in texts.items())
    said = live.asked if live is not None else ()
    return InitResult(seen, changes, (*said, *_notes(seen, made.bots)))


def write(change: FileChange) -> None:
    """Write a file; what holds secrets is for its owner alone. Raises SettingError."""
    mode = 0o600 if change.path.name == files.ENV_FILE else 0o644
    try:
        change.path.parent.mkdir(parents=True, exist_ok=True)
        new = change.path.with_name(f".{change.path.name}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(change.after)
        new.replace(change.path)
    except OSError as error:
        raise SettingError(f"--out: {change.path} cannot be written: {error.strerror}") from error


def ask_the_rest(ask: Ask) -> Asked:
    """Ask a person what cannot be seen; an empty answer leaves it for later."""
    operators = ask("Slack ids of who may press buttons, by commas (U…; profile, ⋮, Copy member ID)")
    return Asked(
        bot_token=ask("Bot User OAuth Token of the Slack app (xoxb-…)"),
        app_token=ask("App-level token with connections:write (xapp-…)"),
        channel=ask("Channel of the incidents (#name or C…)"),
        operators=tuple(one.strip() for one in operators.split(",") if one.strip()),
    )


def is_interactive() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _host(root: Path) -> Host:
    """Look whose the desk's folder is, and the engine's socket; 0 where there is no socket."""
    owner = root.stat()
    socket = Path("/var/run/docker.sock")
    return Host(str(root), owner.st_uid, owner.st_gid, socket.stat().st_gid if socket.exists() else 0)


def _known(rules: tuple[str, ...]) -> list[str]:
    return [rule for rule in rules if playbook_for(Desk(), rule) is not DEFAULT]


def _notes(seen: ObservedDesk, bots: tuple[object, ...]) -> list[str]:
    notes = [f"{len(seen.services)} services and {len(bots)} bots in {seen.compose_file}"]
    notes.append(f"project {seen.project} ({seen.project_from})")
    if seen.rules:
        notes.append(
            f"{len(seen.rules)} alert rules, {len(seen.rules) - len(_known(seen.rules))} without a playbook"
        )
    if seen.running:
        notes.append(f"{len(seen.running)} containers of it are there")
    if seen.targets_down:
        notes.append(f"Prometheus finds down: {', '.join(seen.targets_down)}")
    if not bots:
        notes.append("no bot was recognised: name them in desk.yaml")
    return [*notes, *(f"doubt: {doubt}" for doubt in seen.doubts)]


def _kept_env(path: Path) -> dict[str, str]:
    text = _text(path)
    return dict(read_env(text).values) if text else {}


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"--out: {path} is there and cannot be read: {error}") from error


def _hidden(text: str) -> str:
    """Return a file's text with the values of its secrets hidden."""
    lines = []
    for line in text.splitlines(keepends=True):
        name, sign, value = line.partition("=")
        lines.append(f"{name}=***\n" if sign and name in files.SECRETS and value.strip() else line)
    return "".join(lines)

"""The desk's folder as it lies on the host: compose/, env/, data/<bot>/, controllers/<bot>/, backups/."""

import io
import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from demo.desk.controller_code import OLD_VERSION, write_source
from demo.desk.images import GOOD_IMAGE

TEMPLATES = Path(__file__).parent / "templates"
SNAPSHOT_FOLDERS = ("conf", "data", "scripts", "pmm_scripts")
BACKUP_NIGHTS = 5
BACKUP_HOUR = 4
SET_UP_BEFORE = timedelta(days=6)
"""How long before the start the desk's files were written."""
ENV_FILE = f"""\
# The desk's settings. The template lists every key.
COMPOSE_PROJECT_NAME=hbot
# pinned, never latest
HUMMINGBOT_IMAGE={GOOD_IMAGE}
CONFIG_PASSWORD=demo-only
TZ=UTC
# the external signal/risk stack
EXT_SIGNAL_RISK_ENABLED=true
BUS_SOFT_PAUSE_ON_OUTAGE=true
LOG_LEVEL=info
"""
ENV_TEMPLATE = """\
COMPOSE_PROJECT_NAME=hbot
HUMMINGBOT_IMAGE=
CONFIG_PASSWORD=
TZ=UTC
EXT_SIGNAL_RISK_ENABLED=false
BUS_SOFT_PAUSE_ON_OUTAGE=true
LOG_LEVEL=info
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie below the desk's root."""

    root: Path

    @property
    def compose(self) -> Path:
        """The folder compose is called from."""
        return self.root / "compose"

    @property
    def compose_file(self) -> Path:
        """The compose project."""
        return self.compose / "docker-compose.yml"

    @property
    def env(self) -> Path:
        """The desk's ``.env``."""
        return self.root / "env" / ".env"

    @property
    def data(self) -> Path:
        """The bots' folders."""
        return self.root / "data"

    @property
    def backups(self) -> Path:
        """The nightly archives."""
        return self.root / "backups"

    def bot(self, name: str) -> Path:
        """Return a bot's data folder."""
        return _bot(self.root, name)

    def controllers(self, name: str) -> Path:
        """Return the folder mounted at /home/hummingbot/controllers in a bot's container."""
        return self.root / "controllers" / name

    def controller_config(self, name: str, variant: str) -> Path:
        """Return a bot's controller YAML."""
        return self.bot(name) / "conf" / "controllers" / f"epp_v2_4_{name}_{variant}.yml"

    def artifacts(self, name: str, variant: str) -> Path:
        """Return the folder of a bot's minute.csv, fills.csv and daily.csv."""
        return _artifacts(self.root, name, variant)

    def container_path(self, bot: str, path: str) -> Path | None:
        """Return the host path behind a path inside a bot's container; None where nothing is mounted."""
        parts = path.strip("/").split("/")
        if parts[:2] != ["home", "hummingbot"] or len(parts) == 2 or ".." in parts:  # noqa: PLR2004 - /home/hummingbot
            return None
        head, rest = parts[2], parts[3:]
        if head == "controllers":
            return self.controllers(bot).joinpath(*rest)
        return self.bot(bot).joinpath(head, *rest) if head in (*SNAPSHOT_FOLDERS, "logs") else None


@cache
def _bot(root: Path, name: str) -> Path:
    return root / "data" / name


@cache
def _artifacts(root: Path, name: str, variant: str) -> Path:
    """Asked for at every line of a bot: making a path anew is what a past of two days spends its time on."""
    return _bot(root, name) / "logs" / "epp_v24" / f"{name}_{variant}"


@dataclass(frozen=True, slots=True)
class BotPlan:
    """A bot as the desk was set up: its name, variant and pair."""

    name: str
    variant: str
    pair: str


def build(root: Path, bots: Iterable[BotPlan], start: float) -> Layout:
    """Write the desk's folder below ``root`` as if it had been in use up to ``start`` (Unix seconds)."""
    layout = Layout(root)
    for folder in (layout.compose, layout.env.parent, layout.data, layout.backups):
        folder.mkdir(parents=True, exist_ok=True)
    layout.compose_file.write_text((TEMPLATES / "docker-compose.yaml").read_text())
    layout.env.write_text(ENV_FILE)
    layout.env.with_name(".env.template").write_text(ENV_TEMPLATE)
    written_at = start - SET_UP_BEFORE.total_seconds()
    for bot in bots:
        _bot_folder(layout, bot, written_at)
        _date(layout.bot(bot.name), written_at)
        _nightly(layout, bot.name, start)
    _date(layout.compose, written_at)
    _date(layout.env.parent, written_at)
    return layout


def _date(folder: Path, at: float) -> None:
    """Date what was written: a file of this minute would be a change of this minute, and the cause of what comes next."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (at, at))


def _bot_folder(layout: Layout, bot: BotPlan, at: float) -> None:
    folder = layout.bot(bot.name)
    for name in (*SNAPSHOT_FOLDERS, "logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    config = layout.controller_config(bot.name, bot.variant)
    config.parent.mkdir(parents=True, exist_ok=True)
    values = {"@BOT@": bot.name, "@VARIANT@": bot.variant, "@PAIR@": bot.pair}
    config.write_text(_filled("controller.yaml", values))
    (folder / "conf" / "conf_client.yml").write_text(_filled("conf_client.yaml", values))
    (folder / "scripts" / "v2_with_controllers.py").write_text('"""Runs the controllers."""\n')
    (folder / "pmm_scripts" / "README.md").write_text("Scripts of the pure market making strategy.\n")
    (folder / "data" / "desk_state.json").write_text('{"schema": 1}\n')
    write_source(layout.controllers(bot.name), OLD_VERSION, at)


def _filled(template: str, values: dict[str, str]) -> str:
    text = (TEMPLATES / template).read_text()
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _nightly(layout: Layout, bot: str, start: float) -> None:
    """Write the snapshots of the last nights; nothing changed between them, so they hold the same."""
    last = datetime.fromtimestamp(start, UTC).replace(hour=BACKUP_HOUR, minute=0, second=0, microsecond=0)
    if last.timestamp() > start:
        last -= timedelta(days=1)
    content = _archive(layout, bot)
    for ago in range(BACKUP_NIGHTS):
        _keep(layout, bot, (last - timedelta(days=ago)).timestamp(), content)


def snapshot(layout: Layout, bot: str, at: float) -> Path:
    """Write ``backups/<bot>_<stamp>.tar.gz`` of the bot's folders (not its logs) and return its path."""
    return _keep(layout, bot, at, _archive(layout, bot))


def _archive(layout: Layout, bot: str) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name in SNAPSHOT_FOLDERS:
            archive.add(layout.bot(bot) / name, arcname=f"{bot}/{name}")
    return raw.getvalue()


def _keep(layout: Layout, bot: str, at: float, content: bytes) -> Path:
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%d_%H%M%S")
    path = layout.backups / f"{bot}_{stamp}.tar.gz"
    path.write_bytes(content)
    os.utime(path, (at, at))
    return path

"""A desk's compose project on a real Docker Engine: layout, images, compose calls.

The folders are those of a desk: compose/, env/, data/, backups/ (real archives), controllers/ (mounted into bot1).
What each stand-in container does is told in compose_desk/image/*.sh.
"""

import asyncio
import io
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.servers import programs
from tests.servers.docker import CommandError, DockerEngine, run
from tests.servers.forked import compose_words
from tests.servers.images import rootfs
from tests.servers.process import LOOPBACK, eventually, free_port

BOTS = ("bot1", "bot2", "bot3")
IMAGES = ("hbot/hummingbot:v1", "hbot/hummingbot:v2")
BACKUP_DAYS = ("20260218", "20260219", "20260220")
COMPOSES = tuple(name for name in ("docker-compose", "docker-compose-2") if programs.find(name))
"""Compose 1 of Debian, and 2 where it could be had (tools/compose_two.sh)."""

_TEMPLATE = Path(__file__).with_name("compose_desk")
_HOME = "/home/hummingbot"
_CONTROLLERS = ("epp_v2_4.py", "market_making/epp_v2_4.py")

_CLIENT_YML = """\
# Client settings
paper_trade:
  paper_trade_exchanges: [bitget]
  paper_trade_account_balance: {BTC: 0.5, USDT: 25000}
"""
_CONTROLLER_YML = """\
id: epp_v2_4_%(bot)s
controller_name: epp_v2_4
connector_name: bitget_paper_trade  # paper, until the gates are met
internal_paper_enabled: true  # emergency rollback: false, then recreate
trading_pair: BTC-USDT
snapshot: %(snapshot)s
"""


class Desk:
    """A desk's project below `root`, on `engine`. Call `up` to start services."""

    def __init__(self, root: Path, engine: DockerEngine) -> None:
        self.root = root
        self.engine = engine
        self.compose_folder = root / "compose"
        self.env_file = root / "env" / ".env"
        self.data = root / "data"
        self.backups = root / "backups"
        self.redis_port = free_port()
        self.compose_program = COMPOSES[-1]
        """Which Compose is called, by its name in ``tests.servers.programs``: the newest, where a test asks for none."""

    @classmethod
    async def lay_out(cls, root: Path, engine: DockerEngine, *, redis: Path) -> "Desk":
        """Write the project's files and make its images (once an engine); start nothing."""
        shutil.copytree(_TEMPLATE, root, ignore=shutil.ignore_patterns("image"))
        desk = cls(root, engine)
        desk.env_file.write_text(_filled_env(desk.env_file.with_name(".env.template"), desk.redis_port))
        for name in _CONTROLLERS:
            desk.write_controller("# release 1\n", name)
        desk.backups.mkdir()
        (desk.data / "redis").mkdir(parents=True)
        for bot in BOTS:
            _write_bot(desk.data / bot, bot, "now")
            for day in BACKUP_DAYS:
                _write_backup(desk.backups / f"{bot}_{day}_040000.tar.gz", bot, day)
        await _make_images(engine, redis)
        return desk

    @property
    def redis_url(self) -> str:
        """The URL of the desk's Redis, from outside the containers."""
        return f"redis://{LOOPBACK}:{self.redis_port}/0"

    @property
    def compose_command(self) -> list[str]:
        """The words a desk.yaml's `compose.command` would hold."""
        return compose_words(_program(self.compose_program))

    async def compose(self, *words: str, profiles: Sequence[str] = ("multi", "external")) -> str:
        """Call compose as the desk's operators do: from compose/, with the env file and profiles."""
        chosen = [word for profile in profiles for word in ("--profile", profile)]
        argv = [*self.compose_command, "--env-file", "../env/.env", *chosen, *words]
        return await run(argv, env=self.engine.env, cwd=self.compose_folder, within=120)

    async def up(self, *services: str, profiles: Sequence[str] = ("multi", "external")) -> None:
        """Start the given services, or all of the profiles."""
        await self.compose("up", "-d", *services, profiles=profiles)

    async def container(self, service: str) -> dict[str, Any]:
        """Return what `docker inspect` says of a service's container. Raises CommandError when there is none."""
        return await self.engine.inspect(f"hbot-{service}")

    async def running(self) -> set[str]:
        """Return the services whose containers run."""
        names = (await self.engine.docker("ps", "--format", "{{.Names}}")).split()
        return {name.removeprefix("hbot-") for name in names}

    def write_controller(self, source: str, name: str = _CONTROLLERS[0]) -> None:
        """Deploy a controller: overwrite the mounted file in place (a new file would not be seen in the mount)."""
        file = self.root / "controllers" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)

    def set_env(self, key: str, value: str) -> None:
        """Change one key of env/.env."""
        lines = self.env_file.read_text().splitlines()
        changed = [f"{key}={value}" if line.startswith(f"{key}=") else line for line in lines]
        self.env_file.write_text("\n".join(changed) + "\n")

    def trouble(self, bot: str, kind: str) -> Path:
        """Make a bot `crash` or run out of memory (`oom`) in a moment, again after each start; unlink to cure."""
        file = self.data / bot / "data" / kind
        file.touch()
        return file

    def log(self, bot: str) -> str:
        """Return what a bot has logged so far, empty where it is still starting."""
        file = self.data / bot / "logs" / "logs_bot.log"
        return file.read_text() if file.exists() else ""

    async def logged(self, bot: str, words: str = "") -> str:
        """Wait until a bot that was started has logged, and those words; returns its log."""

        async def wrote() -> bool:
            return bool(self.log(bot)) and words in self.log(bot)

        await eventually(wrote, f"the log of {bot}")
        return self.log(bot)


def _filled_env(template: Path, redis_port: int) -> str:
    values = {
        "HUMMINGBOT_IMAGE": IMAGES[0],
        "BOT_MEMORY": "48m",  # so that running out of it takes no time
        "REDIS_PORT": str(redis_port),
        "BITGET_API_KEY": "bg_test_key",
        "BITGET_API_SECRET": "bg_test_secret",
        "CONFIG_PASSWORD": "test_password",
    }
    lines = template.read_text().splitlines()
    keys = [line.partition("=")[0] for line in lines]
    filled = [
        f"{key}={values[key]}" if key in values else line for key, line in zip(keys, lines, strict=True)
    ]
    return "\n".join(filled) + "\n"


def _write_bot(folder: Path, bot: str, snapshot: str) -> None:
    """Write a bot's conf, data, scripts and pmm_scripts; `snapshot` marks whose they are."""
    files = {
        "conf/conf_client.yml": _CLIENT_YML,
        f"conf/controllers/epp_v2_4_{bot}.yml": _CONTROLLER_YML % {"bot": bot, "snapshot": snapshot},
        "data/state.json": f'{{"snapshot": "{snapshot}"}}\n',
        "scripts/start.py": f"# {snapshot}\n",
        "pmm_scripts/pmm.py": f"# {snapshot}\n",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (folder / "logs").mkdir(exist_ok=True)


def _write_backup(archive: Path, bot: str, day: str) -> None:
    """Write a nightly backup as the desk makes it: conf, data, scripts, pmm_scripts, no logs."""
    staging = archive.with_suffix(".staging")
    _write_bot(staging, bot, day)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for part in ("conf", "data", "scripts", "pmm_scripts"):
            tar.add(staging / part, f"{bot}/{part}")
    archive.write_bytes(buffer.getvalue())
    shutil.rmtree(staging)


async def _make_images(engine: DockerEngine, redis: Path) -> None:
    try:
        await engine.docker("image", "inspect", *IMAGES, "hbot/redis:7", "hbot/service:1")
    except CommandError:
        await asyncio.gather(
            *(_make_bot_image(engine, tag) for tag in IMAGES), _make_service_images(engine, redis)
        )


async def _make_bot_image(engine: DockerEngine, tag: str) -> None:
    files = {
        "/bot.sh": (_TEMPLATE / "image" / "bot.sh").read_text(),
        f"{_HOME}/VERSION": tag.partition(":")[2],
        **{f"{_HOME}/controllers/{name}": f"# of the image {tag}\n" for name in _CONTROLLERS},
        **{f"{_HOME}/{part}/.keep": "" for part in ("conf", "data", "logs", "scripts", "pmm_scripts")},
    }
    root = rootfs(_program("busybox"), files=files)
    await engine.import_image(tag, root, 'CMD ["/bot.sh"]', "ENV PATH=/bin", f"WORKDIR {_HOME}")


async def _make_service_images(engine: DockerEngine, redis: Path) -> None:
    service = rootfs(
        _program("busybox"), files={"/service.sh": (_TEMPLATE / "image" / "service.sh").read_text()}
    )
    await engine.import_image("hbot/service:1", service, 'CMD ["/service.sh"]', "ENV PATH=/bin")
    server = rootfs(_program("busybox"), programs=[redis, _program("redis-cli")])
    await engine.import_image("hbot/redis:7", server, 'CMD ["redis-server"]', "ENV PATH=/bin")


def _program(name: str) -> Path:
    found = programs.find(name)
    if found is None:
        raise CommandError(programs.why_missing(name))
    return found

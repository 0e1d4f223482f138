"""The running demo: a desk, what watches it, and the bot itself, in one event loop and on one clock."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from bot.app import serve
from bot.settings import Settings, load_settings
from bot.store import SqlStore
from demo.desk.desk import DeskOptions, SimulatedDesk
from demo.desk.past import Past, desk_with_past
from demo.ports import free_port
from demo.servers.loki import LokiServer
from demo.watch import Watch, routes, simulated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.clock import SimClock
    from demo.desk.world import World
    from demo.slack import SlackServer

BOT_STARTS_WITHIN = 20.0
BOT_ENDS_WITHIN = 12.0
COMPOSE = "docker-compose"
ANA, BEN = "U0ANA00001", "U0BEN00001"


class DeskTime:
    """The bot's clock: the present is the desk's, durations are the machine's."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Return the desk's present in UTC."""
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """What is running: the desk, the bot's memory (to look at, not to write to), and which servers are real."""

    desk: SimulatedDesk
    clock: SimClock
    store: SqlStore
    settings: Settings
    real: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """Where the bot takes Alertmanager's webhooks, and the token that they bring."""

    port: int
    token: str

    @property
    def webhook(self) -> str:
        """Where Alertmanager posts."""
        return f"http://127.0.0.1:{self.port}/webhooks/alertmanager"

    @property
    def values(self) -> dict[str, str]:
        """The bot's settings for it."""
        return {"TRIAGE_LISTEN": f"127.0.0.1:{self.port}", "TRIAGE_WEBHOOK_TOKEN": self.token}


@asynccontextmanager
async def open_demo(
    folder: Path,
    slack: SlackServer,
    clock: SimClock,
    *,
    real: bool = False,
    made: tuple[World, Past] | None = None,
) -> AsyncIterator[RunningDemo]:
    """Start everything below ``folder``; it is ready when handed out, and gone at the end of the block.

    ``made``: a world that was made already below ``folder / "desk"``. ``real``: use the servers of this machine
    where there are any; the clock must then run at speed 1.
    """
    async with AsyncExitStack() as stack:
        loki = await stack.enter_async_context(LokiServer(clock))
        root = folder / "desk"
        if made is None:
            made = await asyncio.to_thread(desk_with_past, root, clock.now())
        world, past = made
        options = DeskOptions(redis="auto" if real else "fake")
        desk = await stack.enter_async_context(
            SimulatedDesk(root, clock, (_into(loki),), options, world=world)
        )
        stack.enter_context(_compose_on_path(folder / "bin", desk))
        address = WebhookAddress(free_port(), secrets.token_urlsafe(18))
        watch = await stack.enter_async_context(_watch(folder, desk, past, address, real=real))
        values = {**_slack_values(slack), **_desk_values(desk), **address.values, "LOKI_URL": loki.url}
        settings = _settings(folder, desk, {**values, **watch.values})
        store = await stack.enter_async_context(_bot(settings, slack, clock, watch))
        yield RunningDemo(desk=desk, clock=clock, store=store, settings=settings, real=watch.real)


@asynccontextmanager
async def _watch(
    folder: Path, desk: SimulatedDesk, past: Past, address: WebhookAddress, *, real: bool
) -> AsyncIterator[Watch]:
    if real:
        from demo.real import installed  # noqa: PLC0415 - only here servers of the machine are looked for

        async with installed(folder, desk, address.webhook, address.token) as watch:
            yield watch
    else:
        async with simulated(desk, past, routes(address.webhook, address.token)) as watch:
            yield watch


@asynccontextmanager
async def _bot(
    settings: Settings, slack: SlackServer, clock: SimClock, watch: Watch
) -> AsyncIterator[SqlStore]:
    """Run the bot and the watch; the bot is asked to stop first, while what it talks to is still there."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(watch.run(), name="watch")
        bot = group.create_task(serve(settings, stop=stop, clock=DeskTime(clock)), name="bot")
        try:
            await slack.sockets.until_connected(1, BOT_STARTS_WITHIN)
            store = SqlStore(settings.triage_database_url.get_secret_value())
            try:
                yield store
            finally:
                await store.close()
        finally:
            stop.set()
            await asyncio.wait({bot}, timeout=BOT_ENDS_WITHIN)
            bot.cancel()
            running.cancel()


def _into(loki: LokiServer) -> Callable[[Mapping[str, str], Sequence[tuple[int, str]]], None]:
    """Return what takes the desk's log lines to Loki, as promtail does."""
    lines = loki.store()

    def sink(labels: Mapping[str, str], entries: Sequence[tuple[int, str]]) -> None:
        for at_ns, line in entries:
            lines.add(labels, line, at_ns)

    return sink


@contextmanager
def _compose_on_path(folder: Path, desk: SimulatedDesk) -> Iterator[None]:
    """Put the desk's compose command on PATH, so that plans read as they do on a real desk."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / COMPOSE
    settings = [f"{name}={shlex.quote(value)}" for name, value in desk.compose_environment.items()]
    command = shlex.join(desk.compose_command)
    script.write_text(f'#!/bin/sh\nexport {" ".join(settings)}\nexec {command} "$@"\n')
    script.chmod(0o755)
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = f"{folder}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _slack_values(slack: SlackServer) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.app.bot_token,
        "SLACK_APP_TOKEN": slack.app.app_token,
        "SLACK_API_URL": slack.api_url,
        "TRIAGE_CHANNEL": "#desk-alerts",
        "TRIAGE_DIGEST_CHANNEL": "#desk-digest",
    }


def _desk_values(desk: SimulatedDesk) -> dict[str, str]:
    return {"REDIS_URL": desk.redis_url, "DOCKER_HOST": desk.docker_url}


def _settings(folder: Path, desk: SimulatedDesk, values: Mapping[str, str]) -> Settings:
    """Write desk.yaml and return the bot's settings, read as the bot reads them in production."""
    file = folder / "desk.yaml"
    with file.open("w", encoding="utf-8") as out:
        YAML().dump(_desk_yaml(desk), out)
    more = {"TRIAGE_DESK": str(file), "TRIAGE_DATABASE_URL": f"sqlite:///{folder}/triage.db"}
    return load_settings({**values, **more}, folder=folder).ready_to_run()


def _desk_yaml(desk: SimulatedDesk) -> dict[str, object]:
    layout = desk.world.layout
    return {
        "name": "hbot",
        "bots": [{"name": bot.name, "variant": bot.variant} for bot in desk.world.bots.values()],
        "roles": {
            "operator": {"users": [ANA], "groups": ["S0OPERATOR"]},
            "approver": {"users": [BEN], "groups": ["S0APPROVER"]},
        },
        "actions": {"rollback": {"confirmations": 2}},
        "paths": {
            "compose": str(layout.compose),
            "env": str(layout.env),
            "data": str(layout.data),
            "backups": str(layout.backups),
        },
        "compose": {"command": [COMPOSE], "profiles": ["multi", "external", "test"]},
        "triage": {"verify_after_seconds": 60, "health_watch_seconds": 150},
        "correlation": {"reconcile_seconds": 10},
    }

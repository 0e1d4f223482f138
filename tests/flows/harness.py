"""The harness of the flow tests: real Prometheus, real Alertmanager, our Slack, Loki's stand-in, the service.

The service is a process of its own, so that a test can kill it.
"""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from demo.servers.loki import LokiServer
from demo.slack import Message, SlackServer
from demo.slack.blockkit import walk
from tests.flows.exporter import Exporter
from tests.schema import with_schema
from tests.servers.alertmanager import AlertmanagerServer, running_alertmanager, webhook_config
from tests.servers.forked import ForkedProcess
from tests.servers.http import plain_client
from tests.servers.process import LOOPBACK, ServerProcess, eventually, free_port
from tests.servers.prometheus import PrometheusServer, answers_ok
from tests.servers.prometheus_ahead import prometheus_ahead

CHANNEL = "desk-alerts"
TOKEN = "flow-token"
ROOT = Path(__file__).parents[2]
DESK: dict[str, Any] = {
    "roles": {
        "operator": {"users": ["U0ANA00001"], "groups": ["S0OPERATOR"]},
        "approver": {"users": ["U0BEN00001"]},
    },
    "correlation": {"reconcile_seconds": 2},
    "listening": {"look_back_minutes": 0},  # the tests of a worker share one engine, which remembers
}


def rule(name: str, expression: str, *, lasting: str = "0s", severity: str = "critical") -> dict[str, Any]:
    """Return one alerting rule as a rule file holds it."""
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": "{{ $labels.bot }}: " + name},
    }


HARD_STOP = rule("BotHardStopActive", 'max by (bot) (hbot_bot_state{state="hard_stop"}) == 1')
FROZEN = rule("BotFrozen", "max by (bot) (hbot_bot_snapshot_age_seconds) > 240")
SOFT_PAUSE = rule(
    "BotSoftPauseTooLong", 'max by (bot) (hbot_bot_state{state="soft_pause"}) == 1', severity="warning"
)
RULES = (HARD_STOP, FROZEN, SOFT_PAUSE)


@dataclass
class Bot:
    """The service as a process of its own: what an operator starts, forked from one that has everything imported."""

    directory: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    before: tuple[str, ...] = ()
    """Words before its command, such as those that make it another user: then it is no fork, and starts from nothing."""
    module: str = "bot.cli"
    """What is run; a test may need a world that is not this machine's."""
    process: ServerProcess = field(init=False)

    def __post_init__(self) -> None:
        environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("SLACK_", "TRIAGE_"))
            },
            "TRIAGE_LISTEN": f"{LOOPBACK}:{self.port}",
            "TRIAGE_DATABASE_URL": f"sqlite:///{self.directory}/triage.db",
            "TRIAGE_WEBHOOK_TOKEN": TOKEN,
            "TRIAGE_LOG_LEVEL": "DEBUG",
            "PYTHONPATH": str(ROOT),
            **self.environment,
        }
        log = self.directory / "service.log"
        words = (self.module, "run")
        if self.before:
            command = [*self.before, sys.executable, "-m", *words]
            self.process = ServerProcess("hbot-triage", command, log=log, env=environment)
            return
        if "TRIAGE_DATABASE_URL" not in self.environment:
            with_schema(self.directory / "triage.db")
        self.process = ForkedProcess("hbot-triage", words, log=log, env=environment)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it is ready; how fast that is, the benches say."""
        self.process.start()
        await self.process.ready(lambda: answers_ok(f"{self.url}/readyz"), within=60)

    def kill(self) -> None:
        """Kill it as a power cut does."""
        self.process.kill()

    async def stop(self) -> None:
        """Ask it to stop, and wait until it did."""
        await self.process.stop()

    async def get(self, path: str) -> httpx.Response:
        """Ask it something over HTTP."""
        async with plain_client() as http:
            return await http.get(self.url + path)

    async def post(self, body: object, *, token: str = TOKEN) -> httpx.Response:
        """Send it a webhook."""
        async with plain_client() as http:
            return await http.post(
                f"{self.url}/webhooks/alertmanager", json=body, headers={"Authorization": f"Bearer {token}"}
            )

    def log(self) -> str:
        """Return what it logged."""
        return self.process.log.read_text() if self.process.log.exists() else ""


@dataclass
class Harness:
    """Everything that runs, and the questions a test asks of it."""

    exporter: Exporter
    prometheus: PrometheusServer
    alertmanager: AlertmanagerServer
    loki: LokiServer
    slack: SlackServer
    bot: Bot

    async def card(
        self, fits: Callable[[Message], bool] = lambda _: True, *, what: str = "a card", seconds: float = 45
    ) -> Message:
        """Wait for an incident's message that fits."""
        await self.until(lambda: any(fits(card) for card in self.cards()), what, seconds=seconds)
        return next(card for card in self.cards() if fits(card))

    def cards(self) -> list[Message]:
        """Return the messages at the top of the incidents' channel."""
        return self.slack.messages(CHANNEL)

    def thread(self, card: Message) -> list[str]:
        """Return the texts in an incident's thread, with what their blocks show."""
        return [shown(message) for message in self.slack.thread(card)]

    async def choose(self, user: str, card: Message, what: str) -> bool:
        """Choose from the menu of a card: ``retriage``, ``report`` or ``resolve``. Returns whether it was taken."""
        menu = next(one for _, _, one in walk(card.blocks) if one["action_id"] == "incident.more")
        value = next(one["value"] for one in menu["options"] if one["value"].startswith(f"{what}:"))
        return (await self.slack.member(user).click(card, "incident.more", value)).acked

    async def until(self, condition: Callable[[], object], what: str, *, seconds: float = 45) -> None:
        """Wait until something is so; name it and show what there is when it is not in time."""

        async def met() -> bool:
            return bool(condition())

        try:
            await eventually(met, what, within=seconds)
        except Exception as error:
            end = self.bot.process.end
            await self.bot.process.tell_where()
            cards = "\n".join(f"{card.text}\n  {self.thread(card)}" for card in self.cards())
            raise AssertionError(
                f"{error}\n{end}\nin Slack:\n{cards}\nlog:\n{self.bot.log()[-4000:]}"
            ) from error


def shown(message: Message) -> str:
    """Return all the text that a message shows: its preview and every text in its blocks."""
    return " ".join([message.text, *_texts(message.blocks)])


def _texts(node: object) -> list[str]:
    if isinstance(node, Mapping):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for value in node.values() for text in _texts(value)]
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [text for value in node for text in _texts(value)]
    return []


@asynccontextmanager
async def running_harness(
    require: Callable[..., Path],
    directory: Path,
    *,
    bots: Sequence[str] = ("bot1", "bot2", "bot3"),
    rules: Sequence[Mapping[str, Any]] = RULES,
    desk: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    slack: SlackServer | None = None,
) -> AsyncIterator[Harness]:
    """Run the harness, ready when handed out. ``desk`` is merged over a desk with an operator."""
    bot_port = free_port()
    async with AsyncExitStack() as stack:
        ahead = await stack.enter_async_context(prometheus_ahead(require("prometheus"), RULES))
        exporter = await stack.enter_async_context(Exporter(*bots, port=ahead.target_port))
        loki = await stack.enter_async_context(LokiServer())
        workspace = await stack.enter_async_context(slack or SlackServer())
        alertmanager = await stack.enter_async_context(
            running_alertmanager(
                require("alertmanager"),
                directory / "alertmanager",
                webhook_config(f"http://{LOOPBACK}:{bot_port}/webhooks/alertmanager", token=TOKEN),
                ahead.alertmanager_port,
            )
        )
        if rules != RULES:
            await ahead.evaluate(rules)
        desk_file = directory / "desk.yaml"
        desk_file.write_text(json.dumps({**DESK, **(desk or {})}))
        bot = Bot(
            directory,
            {
                "SLACK_BOT_TOKEN": workspace.app.bot_token,
                "SLACK_APP_TOKEN": workspace.app.app_token,
                "SLACK_API_URL": workspace.api_url,
                "TRIAGE_CHANNEL": "C0TRIAGE01",
                "TRIAGE_DIGEST_CHANNEL": "C0DIGEST01",
                "TRIAGE_DESK": str(desk_file),
                "PROMETHEUS_URL": ahead.server.url,
                "LOKI_URL": loki.url,
                "ALERTMANAGER_URL": alertmanager.url,
                **(environment or {}),
            },
            port=bot_port,
        )
        stack.push_async_callback(bot.stop)
        await bot.start()
        yield Harness(
            exporter=exporter,
            prometheus=ahead.server,
            alertmanager=alertmanager,
            loki=loki,
            slack=workspace,
            bot=bot,
        )

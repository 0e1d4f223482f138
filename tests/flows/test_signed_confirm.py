"""HTTP mode, whole: Slack signs a form, the service hands it on, an agent of another user proves it and acts.

The service runs as a user without any right on the desk. What it could do once it were taken over is tried as that user
at the agent's socket: forms that are forged, replayed, too old, another person's, or another action's.
"""

import asyncio
import hashlib
import hmac
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import pytest
from aiohttp import ClientSession, web

from bot.agent.remote_desk import remote_access
from demo.slack import SlackServer
from demo.slack.settings import AppConfig
from tests.bot.agent.test_server import NOBODY, user
from tests.flows.harness import CHANNEL, Bot
from tests.servers.desk import Desk
from tests.servers.http import plain_client
from tests.servers.process import LOOPBACK, ServerProcess, eventually, free_port, stopped_at_exit
from triage.errors import Refused
from triage.plans.agent_orders import ComposeOrder, token_of
from triage.ports.actions import ShownPlan, Signed

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can be the agent and another user"
)


@dataclass
class Wire:
    """Stands between Slack and the service, as a proxy does, and keeps what Slack signed."""

    bot: str
    kept: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    async def passed(self, request: web.Request) -> web.Response:
        """Pass a request on."""
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        self.kept.append((body, headers))
        async with ClientSession() as session, session.post(self.bot, data=body, headers=headers) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), content_type=answer.content_type
            )

    @property
    def confirmation(self) -> tuple[bytes, dict[str, str]]:
        """Return the last form that was submitted."""
        return next(each for each in reversed(self.kept) if b"view_submission" in each[0])


@dataclass(frozen=True)
class Apart:
    """Slack, the service, and the agent: three parties that share no more than they must."""

    slack: SlackServer
    bot: Bot
    wire: Wire
    desk: Desk
    address: str
    record: Path
    agent: ServerProcess

    async def asked(self, shown: ShownPlan) -> str:
        """Ask the agent to take a confirmation, as the service's user; return why it does not."""
        with user(NOBODY):
            try:
                await remote_access(self.address).agent.confirm(shown)
            except Refused as refusal:
                return str(refusal)
        return ""


@asynccontextmanager
async def served(wire: Wire, port: int) -> AsyncIterator[None]:
    """Serve the wire."""
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_post("/slack/events", wire.passed)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def apart(desk: Desk) -> AsyncIterator[Apart]:
    """Run all of it beside bot1."""
    await desk.up("bot1", profiles=())
    wire_port = free_port()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hbt-")))
        folder.chmod(0o755)  # noqa: ASYNC240 - a test's own folder
        (folder / "var").mkdir()
        os.chown(folder / "var", NOBODY, NOBODY)
        config = AppConfig(request_url=f"http://{LOOPBACK}:{wire_port}/slack/events")
        slack = await stack.enter_async_context(SlackServer(config))
        address, desk_file = f"unix://{folder}/agent.sock", folder / "desk.yaml"
        desk_file.write_text(json.dumps(_described(desk)))
        desk_file.chmod(0o644)
        agent = _agent(folder, address, desk, config.signing_secret)
        await stack.enter_async_context(stopped_at_exit(agent))
        agent.start()
        bot = _bot(folder, address, slack)
        stack.push_async_callback(bot.stop)
        wire = Wire(f"{bot.url}/slack/events")
        await stack.enter_async_context(served(wire, wire_port))
        await bot.start()
        yield Apart(
            slack=slack,
            bot=bot,
            wire=wire,
            desk=desk,
            address=address,
            record=folder / "state/record.jsonl",
            agent=agent,
        )


def _described(desk: Desk) -> dict[str, object]:
    return {
        "roles": {"operator": {"users": ["U0ANA00001"]}},
        "bots": [{"name": "bot1"}, {"name": "bot2"}],
        "paths": {
            "compose": str(desk.compose_folder),
            "env": str(desk.env_file),
            "data": str(desk.data),
            "backups": str(desk.backups),
        },
        "compose": {"command": desk.compose_command},
        "triage": {"verify_after_seconds": 0, "health_watch_seconds": 0, "deadline_seconds": 2},
    }


def _agent(folder: Path, address: str, desk: Desk, secret: str) -> ServerProcess:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TRIAGE_AGENT": address,
        "TRIAGE_AGENT_UID": str(NOBODY),
        "TRIAGE_AGENT_STATE": str(folder / "state"),
        "TRIAGE_DESK": str(folder / "desk.yaml"),
        "DOCKER_HOST": desk.engine.host,
        "SLACK_SIGNING_SECRET": secret,
    }
    words = [sys.executable, "-m", "bot.agent"]
    return ServerProcess("agent", words, log=folder / "agent.log", env=environment)


def _bot(folder: Path, address: str, slack: SlackServer) -> Bot:
    # The interpreter may lie in root's own folder: reading is the one thing that this user may do like root.
    caps = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    who = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *caps, "--pdeathsig=KILL")
    return Bot(
        folder / "var",
        {
            "SLACK_BOT_TOKEN": slack.app.bot_token,
            "SLACK_SIGNING_SECRET": slack.app.signing_secret,
            "SLACK_API_URL": slack.api_url,
            "TRIAGE_CHANNEL": "C0TRIAGE01",
            "TRIAGE_DESK": str(folder / "desk.yaml"),
            "TRIAGE_AGENT": address,
        },
        before=who,
    )


async def _restarted_by_ana(apart: Apart) -> str:
    """Type the command, read the plan, confirm; return the action's handle."""
    ana = apart.slack.member("ana")
    await ana.command("/triage do restart bot1")

    async def shown() -> bool:
        return ana.modal is not None and "Side effects" in str(ana.modal.body)

    await eventually(shown, "the plan before Ana", within=30)
    before = str((await apart.desk.container("bot1"))["State"]["StartedAt"])
    assert (await ana.submit({"reason": "it hangs"})).acked

    async def done() -> bool:
        return str((await apart.desk.container("bot1"))["State"]["StartedAt"]) != before

    await eventually(done, "the restart", within=60)
    form = json.loads(parse_qs(apart.wire.confirmation[0].decode())["payload"][0])
    handle: str = json.loads(form["view"]["private_metadata"])["handle"]
    return handle


def signed_by_slack(payload: object, secret: str, *, age: float = 0) -> Signed:
    """Return a form as Slack would have signed it some seconds ago."""
    body, stamp = urlencode({"payload": json.dumps(payload)}), str(int(time.time() - age))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return Signed(body, stamp, f"v0={digest}")


@pytest.mark.timeout(300)
async def test_a_signed_confirmation_acts_and_no_other_does(apart: Apart) -> None:
    """One whole way through Slack's signature; then every other way to say that somebody confirmed is refused."""
    handle = await _restarted_by_ana(apart)

    async def recorded() -> bool:
        return '"over"' in apart.record.read_text()

    await eventually(recorded, "the end in the record", within=60)
    entries = [json.loads(line) for line in apart.record.read_text().splitlines()]
    [confirmed] = [each["about"] for each in entries if each["what"] == "confirmed"]
    assert (confirmed["actor"], confirmed["reason"], confirmed["proven"]) == ("U0ANA00001", "it hangs", True)
    state = (await apart.desk.container("bot1"))["State"]

    body, headers = apart.wire.confirmation
    form = json.loads(parse_qs(body.decode())["payload"][0])
    real = Signed(body.decode(), headers["X-Slack-Request-Timestamp"], headers["X-Slack-Signature"])
    orders = ((1, ComposeOrder("restart", "bot1")),)
    told = ShownPlan(
        token=token_of(handle),
        kind="restart",
        target="bot1",
        orders=orders,
        rest="0" * 64,
        actor="U0ANA00001",
        reason="it hangs",
        signed=real,
    )
    new = replace(told, token="5" * 24)
    secret = apart.slack.app.signing_secret
    stop_all = replace(new, kind="stop_desk", target="desk", orders=((1, ComposeOrder("down")),))

    refused = {
        "no form at all": (replace(new, signed=None), "does not come with the form"),
        "a forged signature": (replace(new, signed=replace(real, signature="v0=" + "0" * 64)), "not Slack's"),
        "signed with another secret": (replace(new, signed=signed_by_slack(form, "mine")), "not Slack's"),
        "another body": (replace(new, signed=replace(real, body=real.body + "&x=1")), "not Slack's"),
        "replayed for the same action": (told, "begun already"),
        "replayed for another action": (new, "has another action"),
        "replayed for another plan": (stop_all, "has another action, plan"),
        "in another person's name": (replace(new, actor="U0BEN00001"), "has not the role"),
        "six minutes old": (
            replace(new, signed=signed_by_slack(form, secret, age=360)),
            "more than five minutes ago",
        ),
        "from the future": (
            replace(new, signed=signed_by_slack(form, secret, age=-360)),
            "more than five minutes ago",
        ),
        "a click that Slack signed": (
            replace(new, signed=signed_by_slack({**form, "type": "block_actions"}, secret)),
            "has another type",
        ),
        "an empty form": (replace(new, signed=signed_by_slack([], secret)), "no form of ours"),
    }
    for name, (shown, why) in refused.items():
        assert why in await apart.asked(shown), name

    # At the service's own door a replay finds the action done, and what is not signed is not read.
    async with plain_client() as http:
        again = await http.post(apart.wire.bot, content=body, headers=headers)
        assert again.status_code == 200
        forged = {**headers, "X-Slack-Signature": "v0=" + "0" * 64}
        assert (await http.post(apart.wire.bot, content=body, headers=forged)).status_code == 401
    await asyncio.sleep(1)
    assert (await apart.desk.container("bot1"))["State"] == state
    assert apart.record.read_text().count('"begun"') == 1
    assert not any("Traceback" in text for text in (apart.bot.log(), apart.agent.log.read_text()))
    assert apart.slack.messages(CHANNEL)

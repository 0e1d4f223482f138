"""Connections that Slack closes, refuses, or leaves without a pong."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from loguru import logger
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack import socket_connection, socket_mode
from bot.slack.app import build_app
from bot.slack.client import Identity, open_client
from bot.slack.refused_answers import RefusedAnswers
from bot.slack.socket_mode import Sockets
from demo.slack import Fault, Message, SlackServer
from demo.slack.settings import Timing
from demo.slack.sockets import Connection
from tests.bot.slack.workbench import until
from triage.ports.clock import SystemClock

pytestmark = pytest.mark.slow

OPEN = "apps.connections.open"
WHO = Identity("T1", "team", "U1", "B1")


async def test_two_connections_are_held_and_an_old_one_is_renewed(slack: SlackServer) -> None:
    """Renewing opens the new one before it closes the old: never fewer than two listen."""
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        sockets = Sockets(
            build_app(client, WHO), slack.app.app_token, SystemClock(), ping_seconds=0.2, renew_seconds=0.5
        )
        async with sockets.open():
            first = sockets._connections[0]
            await until(lambda: first not in sockets._connections, 5)
            assert sockets.connected >= 2
        assert sockets.connected == 0


async def test_a_connection_without_pongs_is_replaced(slack: SlackServer) -> None:
    """Open, but no pong for four pings: the other side is gone without a word."""
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        sockets = Sockets(build_app(client, WHO), slack.app.app_token, SystemClock(), ping_seconds=0.3)
        async with sockets.open():
            silent = sockets._connections[0]
            silent.handler.client.last_ping_pong_time = time.time() - 60
            await until(lambda: silent not in sockets._connections or sockets._answers_pings(silent), 5)
            await until(lambda: sockets.connected == 2, 5)


async def test_slack_being_away_neither_stops_nor_delays_the_start() -> None:
    """The webhooks must be stored all the same."""
    async with open_client("xoxb-1", url="http://127.0.0.1:1/api/") as client:
        sockets = Sockets(build_app(client, WHO), "xapp-1", SystemClock(), ping_seconds=0.5)
        began = time.monotonic()
        async with sockets.open():
            assert time.monotonic() - began < 2.5
            assert sockets.connected == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault.rate_limited(OPEN, 1),
        Fault.http(OPEN, 500),
        Fault.http(OPEN, 200),
        Fault.error(OPEN, "a_new_word_of_slack"),
        Fault.raw(OPEN, "5"),
        Fault.raw(OPEN, '{"ok": true}'),
        Fault.raw(OPEN, '{"ok": true, "url": "nonsense"}'),
        Fault.raw(OPEN, '{"ok": true, "url": 5}'),
    ],
    ids=lambda fault: fault.code or fault.body.decode() or f"{fault.kind} {fault.status}",
)
async def test_an_address_that_slack_does_not_give_is_said_and_asked_for_again(
    slack: SlackServer, fault: Fault
) -> None:
    """The SDK's own asking would wait as long as a 429 says, and tell nobody but a log full of tracebacks."""
    logged: list[str] = []
    sink = logger.add(logged.append, format="{message} {exception}")
    slack.faults.add(replace(fault, times=4))
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        sockets = Sockets(build_app(client, WHO), slack.app.app_token, SystemClock(), ping_seconds=0.2)
        async with sockets.open():
            await until(lambda: sockets.problem, 5)
            assert sockets.problem.startswith(f"{OPEN}: ")
            await until(lambda: sockets.connected == 2 and not sockets.problem, 10)
    logger.remove(sink)
    assert not any("Traceback" in line for line in logged)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ws://127.0.0.1:1/?ticket=t", "Cannot connect to host 127.0.0.1:1"),
        ("wss://a..b/?ticket=t", "UnicodeError"),
        ("wss://[::?ticket=t", "InvalidUrl"),
        ("/api/api.test?ticket=t", "HTTP 200"),
    ],
)
async def test_a_socket_that_cannot_be_reached_is_said_and_another_address_asked_for(
    slack: SlackServer, address: str, why: str
) -> None:
    """As where a firewall lets Slack's API through alone; the SDK would try the same address again, with a traceback."""
    logged: list[str] = []
    sink = logger.add(logged.append, format="{message} {exception} {extra}")
    ours = slack.api_url.replace("http:", "ws:").removesuffix("/api/")
    url = ours + address if address.startswith("/") else address
    slack.faults.add(replace(Fault.raw(OPEN, json.dumps({"ok": True, "url": url})), times=4))
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        sockets = Sockets(build_app(client, WHO), slack.app.app_token, SystemClock(), ping_seconds=0.2)
        async with sockets.open():
            await until(lambda: why in sockets.problem, 5)
            await until(lambda: sockets.connected == 2 and not sockets.problem, 10)
    logger.remove(sink)
    assert not any("Traceback" in line or "ticket" in line for line in logged)


async def test_an_app_token_that_is_not_valid_is_not_taken_for_the_bots(slack: SlackServer) -> None:
    """Whoever reads it copies the right one again; it is said once, and not with each attempt."""
    logged: list[str] = []
    sink = logger.add(logged.append, level="INFO")
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        sockets = Sockets(build_app(client, WHO), "xapp-wrong", SystemClock(), ping_seconds=0.2)
        async with sockets.open():
            await until(lambda: sockets.problem, 5)
            assert "SLACK_APP_TOKEN is not valid" in sockets.problem
            await until(lambda: len(slack.calls.of(OPEN)) >= 6, 10)
    logger.remove(sink)
    assert len([line for line in logged if "no Socket Mode connection" in line]) == 1


async def test_an_app_token_without_its_scope_is_said_once(slack: SlackServer) -> None:
    """The sockets say it: what watches the answers to people leaves it to them."""
    slack.add_token(slack.app.app_token, "app", ())
    refused = RefusedAnswers(SystemClock())
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        app = build_app(client, WHO, watches=[refused])
        sockets = Sockets(app, slack.app.app_token, SystemClock(), ping_seconds=0.2)
        async with sockets.open():
            await until(lambda: sockets.problem, 5)
            assert "connections:write" in sockets.problem
            assert refused.problems == {}


@pytest.mark.parametrize("count", ["many", None, [1]])
async def test_a_greeting_of_another_shape_is_no_error(slack: SlackServer, count: object) -> None:
    """How many connections there are is shown, no more."""
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        sockets = Sockets(build_app(client, WHO), slack.app.app_token, SystemClock(), ping_seconds=0.2)
        async with sockets.open():
            await slack.sockets.until_connected(2)
            await until(lambda: sockets.announced == 2, 5)
            for connection in slack.sockets.connections:
                await connection.socket.send_json({"type": "hello", "num_connections": count})
            await until(lambda: sockets.announced == 0, 5)
            assert sockets.connected == 2


ODD = [
    "not json",
    "{",
    "5",
    '"x"',
    "[" * 100_000,
    '{"a":' * 2000,
    '{"type": 5}',
    '{"type": "disconnect"',
    '{"envelope_id": "a"}',
    '{"envelope_id": ["b"], "type": "interactive", "payload": {}}',
    '{"envelope_id": "c", "type": "interactive"}',
    '{"envelope_id": "d", "type": "interactive", "payload": {"type": "block_actions", "actions": 5}}',
    '{"envelope_id": "e", "type": "slash_commands", "payload": []}',
    '{"envelope_id": "f", "type": "slash_commands", "payload": {"command": ["/triage"]}}',
    '{"envelope_id": "g", "type": "events_api", "payload": {"event": 5}}',
    '{"envelope_id": "h", "type": "events_api", "payload": null}',
]


async def test_what_is_none_of_slacks_is_left_out_and_costs_nothing(slack: SlackServer) -> None:
    """The SDK would print a traceback of each; what comes after it is taken as before, and the end waits for none of it."""
    logged: list[str] = []
    sink = logger.add(logged.append, format="{level} {message} {exception}", level="INFO")
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        app = build_app(client, WHO)
        clicked = acknowledged_by(app)
        sockets = Sockets(app, slack.app.app_token, SystemClock(), connections=1, ping_seconds=0.5)
        async with sockets.open():
            [connection] = slack.sockets.connections
            for odd in ODD:
                await connection.socket.send_str(odd)
            outcome = await slack.member("ana").click(_card(slack), "incident.acknowledge", block_id="b")
            assert outcome.acked
            await connection.socket.send_str('{"envelope_id": "i", "type": "of_tomorrow", "payload": {}}')
            assert slack.sockets.connections == [connection]
            assert not any(each.unanswered for each in sockets._connections)
    logger.remove(sink)
    assert clicked == ["handle"]
    assert len([line for line in logged if "none of Slack's" in line]) == len(ODD)
    assert not any("Traceback" in line for line in logged)


async def test_an_envelope_that_comes_again_is_acknowledged_again_and_done_once(slack: SlackServer) -> None:
    """Slack does not know whether we had it where the connection broke before the acknowledgement."""
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        app = build_app(client, WHO)
        done: list[str] = []

        @app.command("/triage")
        async def typed(ack: AsyncAck, body: dict[str, str]) -> None:
            done.append(body["text"])
            await ack(text="here it is")

        sockets = Sockets(app, slack.app.app_token, SystemClock(), ping_seconds=0.5)
        async with sockets.open():
            await slack.sockets.until_connected(2)
            payload = {"command": "/triage", "text": "drill", "team_id": "T1", "user_id": "U1"}
            envelope = {"envelope_id": "once", "type": "slash_commands", "payload": payload}
            for connection in [*slack.sockets.connections, slack.sockets.connections[0]]:
                answer = await sent_over(connection, envelope)
                async with asyncio.timeout(5):
                    assert await answer == {"text": "here it is"}
    assert done == ["drill"]


@pytest.mark.parametrize("broken", [True, False])
async def test_an_envelope_that_comes_again_while_it_is_under_way_is_acknowledged_where_it_came(
    slack: SlackServer, *, broken: bool
) -> None:
    """The connection of the first one breaks before it is done: the second one would have waited for a third."""
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        app = build_app(client, WHO)
        done: list[str] = []
        stored = asyncio.Event()

        @app.command("/triage")
        async def typed(ack: AsyncAck, body: dict[str, str]) -> None:
            done.append(body["text"])
            await stored.wait()
            await ack(text="here it is")

        sockets = Sockets(app, slack.app.app_token, SystemClock(), ping_seconds=0.5)
        async with sockets.open():
            await slack.sockets.until_connected(2)
            payload = {"command": "/triage", "text": "drill", "team_id": "T1", "user_id": "U1"}
            envelope = {"envelope_id": "once", "type": "slash_commands", "payload": payload}
            first, second = slack.sockets.connections
            answers = [await sent_over(connection, envelope) for connection in (first, second)]
            await until(lambda: sum("once" in each.unanswered for each in sockets._connections) == 2, 5)
            if broken:
                slack.sockets.drop(1)
                await until(lambda: second in slack.sockets.connections and first.socket.closed, 5)
            stored.set()
            async with asyncio.timeout(5):
                assert await answers[1] == {"text": "here it is"}
                if not broken:
                    assert await answers[0] == {"text": "here it is"}
        if broken:
            assert isinstance(answers[0].exception(), ConnectionError)
        assert not any(each.unanswered for each in sockets._connections)
    assert done == ["drill"]


@pytest.mark.parametrize(
    ("reason", "mend"),
    [
        ("too_many_websockets", "SLACK_APP_TOKEN"),
        ("link_disabled", "turn Socket Mode on"),
        ("refresh_requested", "refresh_requested"),
    ],
)
async def test_connections_that_slack_closes_at_once_are_asked_for_with_pauses_and_said(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch, reason: str, mend: str
) -> None:
    """Without a pause Slack was asked for an address 16 times a second, and nobody was told why nothing arrives."""
    monkeypatch.setattr(socket_mode, "LONGEST_PAUSE_SECONDS", 2.0)
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        sockets = Sockets(build_app(client, WHO), slack.app.app_token, SystemClock(), ping_seconds=0.5)
        async with sockets.open():
            await slack.sockets.until_connected(2)
            slack.sockets.turned_away = reason
            before = len(slack.calls.of(OPEN))
            slack.sockets.drop()
            await until(lambda: mend in sockets.problem and not sockets.connected, 5)
            await asyncio.sleep(3)
            assert len(slack.calls.of(OPEN)) - before <= 6
            slack.sockets.turned_away = ""
            await until(lambda: sockets.connected == 2 and not sockets.problem, 20)


async def test_a_socket_that_opens_and_leads_nowhere_does_not_count(slack: SlackServer) -> None:
    """Neither greeted nor answered: replaced by its like for ever it would look connected most of the time."""
    slack.sockets.deaf = True
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        sockets = Sockets(build_app(client, WHO), slack.app.app_token, SystemClock(), ping_seconds=0.3)
        async with sockets.open():
            await slack.sockets.until_connected(1)
            assert sockets.connected == 0
            await until(lambda: "none that answers" in sockets.problem, 10)
            assert sockets.connected == 0
            slack.sockets.deaf = False
            await until(lambda: sockets.connected == 2 and not sockets.problem, 20)


@pytest.fixture
async def patient_slack() -> AsyncIterator[SlackServer]:
    """Start a workspace that waits long for an acknowledgement: a busy machine stands still for longer than Slack waits."""
    async with SlackServer(timing=Timing(ack=30.0)) as server:
        yield server


async def test_no_click_is_lost_while_slack_refreshes_every_connection(patient_slack: SlackServer) -> None:
    """200 clicks across 20 refreshes of all connections at once, each click acknowledged."""
    slack = patient_slack
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        app = build_app(client, WHO)
        clicked = acknowledged_by(app)
        sockets = Sockets(app, slack.app.app_token, SystemClock(), ping_seconds=0.5)
        async with sockets.open(), asyncio.TaskGroup() as tasks:
            await slack.sockets.until_connected(2)
            ana, card = slack.member("ana"), _card(slack)
            clicks = []
            for number in range(200):
                if number % 10 == 5:
                    warning = number % 20 == 5
                    grace = (None, 2.0, 4.0)[number % 3]
                    tasks.create_task(slack.sockets.refresh(warning=warning, close_after=grace))
                clicks.append(
                    tasks.create_task(ana.click(card, "incident.acknowledge", value=None, block_id="b"))
                )
                await asyncio.sleep(0.05)
            outcomes = await asyncio.gather(*clicks)
            assert [outcome.why for outcome in outcomes if not outcome.acked] == []
            assert len(clicked) == 200
            await until(lambda: sockets.connected == 2, 5)
        assert slack.sockets.opened >= 42


async def test_no_click_is_lost_while_the_sockets_close(
    patient_slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People press on while we are told to stop: what was done is acknowledged, and of nothing else is anything done."""
    monkeypatch.setattr(socket_connection, "ACKNOWLEDGE_SECONDS", 30.0)
    slack = patient_slack
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        app = build_app(client, WHO)
        done: list[str] = []

        @app.action("incident.acknowledge")
        async def acknowledge(ack: AsyncAck, body: dict[str, Any]) -> None:
            await asyncio.sleep(0.03)  # it is stored
            done.append(body["trigger_id"])
            await ack()

        sockets = Sockets(app, slack.app.app_token, SystemClock(), ping_seconds=0.5)
        ana, card = slack.member("ana"), _card(slack)
        acknowledged: list[bool] = []

        async def press() -> None:
            while slack.sockets.connections:
                outcome = await ana.click(card, "incident.acknowledge", value=None, block_id="b")
                acknowledged.append(outcome.acked)

        async with asyncio.TaskGroup() as tasks:
            async with sockets.open():
                await slack.sockets.until_connected(2)
                for _ in range(8):
                    tasks.create_task(press())
                await asyncio.sleep(0.5)
            assert sum(acknowledged) > 8
        assert len(done) == sum(acknowledged)


async def sent_over(
    connection: Connection, envelope: dict[str, Any]
) -> asyncio.Future[dict[str, Any] | None]:
    """Send an envelope over one connection, and return where its acknowledgement will be."""
    answer: asyncio.Future[dict[str, Any] | None] = asyncio.get_running_loop().create_future()
    connection.awaited[envelope["envelope_id"]] = answer
    await connection.socket.send_json(envelope)
    return answer


def acknowledged_by(app: AsyncApp) -> list[str]:
    """Have an app acknowledge each click on the button, and note its value in what is returned."""
    clicked: list[str] = []

    @app.action("incident.acknowledge")
    async def acknowledge(ack: AsyncAck, action: dict[str, str]) -> None:
        clicked.append(action["value"])
        await ack()

    return clicked


def _card(slack: SlackServer) -> Message:
    button = {
        "type": "button",
        "action_id": "incident.acknowledge",
        "value": "handle",
        "text": {"type": "plain_text", "text": "Acknowledge"},
    }
    return slack.workspace.post(
        Message(
            slack.workspace.channel("desk-alerts").id,
            slack.workspace.ids.ts(),
            slack.app.bot_user,
            text="a card",
            blocks=[{"type": "actions", "block_id": "b", "elements": [button]}],
            bot_id=slack.app.bot_id,
            app_id=slack.app.app_id,
        )
    )

"""HTTP mode: only what Slack signed within five minutes is read."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest
from loguru import logger
from slack_bolt.async_app import AsyncAck
from starlette.applications import Starlette
from starlette.routing import Route

from bot.slack.app import build_app
from bot.slack.client import Identity, open_client
from bot.slack.http_mode import MOST_BYTES, events_endpoint

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
PAYLOAD = {"type": "block_actions", "actions": [{"type": "button", "action_id": "ping"}]}
BODY = urlencode({"payload": json.dumps(PAYLOAD)}).encode()


def signed(body: bytes, stamp: str | None = None) -> dict[str, str]:
    """Return the headers that Slack would send."""
    stamp = stamp if stamp is not None else str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={digest}",
        "content-type": "application/x-www-form-urlencoded",
    }


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Serve an app with one button in HTTP mode."""
    async with open_client("xoxb-test") as client:
        app = build_app(client, Identity("T1", "team", "U1", "B1"), signing_secret=SECRET)

        async def pong(ack: AsyncAck) -> None:
            await ack()

        app.action("ping")(pong)
        served = Starlette(routes=[Route("/slack/events", events_endpoint(app, SECRET), methods=["POST"])])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://bot") as http:
            yield http


async def test_a_signed_click_is_taken(http: httpx.AsyncClient) -> None:
    """The signature is over the raw body."""
    answer = await http.post("/slack/events", content=BODY, headers=signed(BODY))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(BODY, "abc"),
        signed(BODY, ""),
        signed(BODY, "-1"),
        signed(BODY, "1" * 400),
        signed(BODY, "1500000000"),
        signed(BODY, str(int(time.time()) + 3600)),
        {**signed(BODY), "x-slack-signature": "v0=0000"},
        {**signed(BODY), "x-slack-signature": "v0=\u00e9".encode("latin-1").decode("latin-1")},
        signed(b"another body"),
    ],
    ids=[
        "none",
        "not a number",
        "empty",
        "negative",
        "endless",
        "old",
        "future",
        "wrong",
        "not ascii",
        "other body",
    ],
)
async def test_what_slack_did_not_sign_is_401(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Never 500, never read."""
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = await http.post("/slack/events", content=BODY, headers=sent)
    assert answer.status_code == 401
    assert answer.json()["error"]


@pytest.mark.parametrize("seconds", [-400, 400])
async def test_a_clock_that_is_off_is_named_and_not_the_secret(http: httpx.AsyncClient, seconds: int) -> None:
    """Slack's signature is right; whoever looks for why no button works must not change the secret."""
    said: list[str] = []
    sink = logger.add(lambda message: said.append(message.record["message"]), level="WARNING")
    try:
        headers = signed(BODY, str(int(time.time()) + seconds))
        answer = await http.post("/slack/events", content=BODY, headers=headers)
    finally:
        logger.remove(sink)
    assert answer.status_code == 401
    assert "set the clock" in answer.json()["error"]
    assert "SLACK_SIGNING_SECRET" not in answer.json()["error"]
    assert "set the clock" in "".join(said)


async def test_a_body_that_is_too_large_is_413(http: httpx.AsyncClient) -> None:
    """It is not even read to its end."""
    answer = await http.post("/slack/events", content=b"x" * (MOST_BYTES + 1), headers=signed(b""))
    assert answer.status_code == 413


async def test_bytes_that_are_no_text_are_401(http: httpx.AsyncClient) -> None:
    """Nothing that Slack sends looks like this."""
    answer = await http.post("/slack/events", content=b"\xff\xfe", headers=signed(b"\xff\xfe"))
    assert answer.status_code == 401

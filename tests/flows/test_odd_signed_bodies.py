"""HTTP mode with every listener of the service: whatever is signed, the answer is 200 or 4xx, and the service goes on.

Each payload that Slack sends is spoilt in each of its places by each odd value, one at a time.
"""

import copy
import hashlib
import hmac
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from demo.slack import SlackServer
from demo.slack.settings import AppConfig
from tests.bot.slack.test_payload_shape import CLICK, FORM, ODD
from tests.flows.harness import DESK, Bot
from tests.servers.http import plain_client

ALL: tuple[Any, ...] = (None, 7, [], {"id": ["x"]}, True, "", "\ud800", {}, [[]], [{"id": []}], "x" * 5000)
VALUES = ALL if os.environ.get("CAMPAIGN") else ALL[:4]
VIEW = {
    "id": "V1",
    "type": "modal",
    "callback_id": "confirm_action",
    "private_metadata": '{"handle": "h", "digest": "d", "channel": "C1"}',
    "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": "because"}}}},
}
SUBMITTED = {
    **{name: CLICK[name] for name in ("user", "team", "trigger_id")},
    "type": "view_submission",
    "view": VIEW,
}
KEPT = json.dumps({"click": {"user": "U1"}, "shown": "x"})
SILENCED = {**SUBMITTED, "view": {**VIEW, "callback_id": "incident.silence", "private_metadata": KEPT}}
MENTION = {
    "type": "event_callback",
    "team_id": "T0DESK0001",
    "authorizations": [{"team_id": "T0DESK0001", "user_id": "U1"}],
    "event": {"type": "app_mention", "user": "U1", "text": "<@U2> status", "channel": "C1", "ts": "1.2"},
}
HOME = {
    "type": "event_callback",
    "event": {"type": "app_home_opened", "user": "U1", "tab": "home", "channel": "D1"},
}
CLICKED = [
    {**CLICK, "actions": [{"action_id": name, "type": "button", "value": "7"}]}
    for name in ("incident.acknowledge", "action.restart")
]


def spoilt(value: Any) -> Iterator[Any]:  # noqa: ANN401 - what JSON can be
    """Yield a value with each of its places spoilt."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for odd in VALUES:
                yield {**value, key: odd}
            yield {name: each for name, each in value.items() if name != key}
            for each in spoilt(inner):
                yield {**value, key: each}
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            for each in (*VALUES, *spoilt(inner)):
                changed = copy.copy(value)
                changed[number] = each
                yield changed


def bodies() -> Iterator[tuple[bytes, str]]:
    """Yield every body, with its content type."""
    for payload in (CLICK, *CLICKED, SUBMITTED, SILENCED):
        for each in spoilt(payload):
            yield urlencode({"payload": json.dumps(each)}).encode(), FORM
    for event in (MENTION, HOME):
        for each in spoilt(event):
            yield json.dumps(each).encode(), "application/json"
    for body, kind in ODD.values():
        yield body.encode(), kind
    command = {"command": "/triage", "text": "status", "user_id": "U1", "team_id": "T1", "channel_id": "C1"}
    for name in command:
        for text in ("", "\x00", "x" * 5000, "<@U1|a>", "\u202e", "7"):
            yield urlencode({**command, name: text}).encode(), FORM
        yield urlencode({key: each for key, each in command.items() if key != name}).encode(), FORM
    yield b"\xff\xfe", FORM
    yield b"payload=\xff", FORM


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[tuple[Bot, SlackServer]]:
    """Run the service in HTTP mode."""
    (tmp_path / "desk.yaml").write_text(json.dumps(DESK))
    async with SlackServer(AppConfig(request_url="http://127.0.0.1:1/slack/events")) as slack:
        bot = Bot(
            tmp_path,
            {
                "SLACK_BOT_TOKEN": slack.app.bot_token,
                "SLACK_SIGNING_SECRET": slack.app.signing_secret,
                "SLACK_API_URL": slack.api_url,
                "TRIAGE_CHANNEL": "C0TRIAGE01",
                "TRIAGE_DESK": str(tmp_path / "desk.yaml"),
            },
        )
        await bot.start()
        try:
            yield bot, slack
        finally:
            await bot.stop()


def signed(body: bytes, kind: str, secret: str) -> dict[str, str]:
    """Return Slack's headers."""
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}", "content-type": kind}


@pytest.mark.timeout(240)
async def test_no_signed_body_is_an_error_of_ours(bot: tuple[Bot, SlackServer]) -> None:
    """Every one is answered 200 or 4xx, those that are refused are in the log, and no listener broke."""
    service, slack = bot
    wrong, refused, asked = [], 0, 0
    async with plain_client(service.url, timeout=20) as http:
        for body, kind in bodies():
            headers = signed(body, kind, slack.app.signing_secret)
            answer = await http.post("/slack/events", content=body, headers=headers)
            asked += 1
            refused += answer.status_code == 400
            if answer.status_code >= 500 or "could not be served" in answer.text:
                wrong.append((answer.status_code, body[:300]))
        assert not wrong, (len(wrong), wrong[:5], service.log()[-3000:])
        assert (await http.get("/livez")).status_code == 200
    assert asked > 400
    assert service.log().count("none of Slack's") == refused
    assert "Traceback" not in service.log()

"""The same server from another process."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import SlackServer
from demo.slack.remote import RemoteError, RemoteSlack
from tests.demo.slack.shapes import buttons

ROOT = Path(__file__).parents[3]
CHANNEL = "C0TRIAGE01"


async def test_a_server_process_is_used_and_asked_over_its_control_api() -> None:
    """It prints its addresses, takes posts and faults, acts as people, tells what it holds, and ends on SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demo.slack", stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            started = json.loads(await process.stdout.readline())
        client = AsyncWebClient(started["bot_token"], base_url=started["api_url"], retry_handlers=[])
        async with RemoteSlack(started["base_url"]) as slack:
            await slack.do("fault", method="chat.postMessage", kind="rate_limited", seconds=3, status=429)
            with pytest.raises(SlackApiError):
                await client.chat_postMessage(channel=CHANNEL, text="refused")
            meta = {"event_type": "triage_delivery", "event_payload": {"delivery_id": "d9"}}
            posted = await client.chat_postMessage(
                channel=CHANNEL, text="a", blocks=buttons("x"), metadata=meta
            )
            assert (await slack.do("deliveries"))["deliveries"] == {"d9": 1}
            messages = (await slack.do("messages", channel="desk-alerts"))["messages"]
            assert [message["ts"] for message in messages] == [posted["ts"]]
            clicked = await slack.do("click", user="ana", channel=CHANNEL, ts=posted["ts"], action_id="x")
            assert clicked["outcome"]["why"] == "no connection"
            calls = (await slack.do("calls", method="chat.postMessage"))["calls"]
            assert [call["result"] for call in calls] == ["rate_limited", "ok"]
    finally:
        process.terminate()
        async with asyncio.timeout(10):
            await process.wait()
    assert process.returncode == 0


async def test_a_wrong_verb_or_argument_is_told(slack: SlackServer) -> None:
    """400 with the reason, never a stack trace."""
    async with RemoteSlack(slack.base_url) as remote:
        with pytest.raises(RemoteError, match="no verb 'fly'"):
            await remote.do("fly")
        with pytest.raises(RemoteError, match="missing argument 'channel'"):
            await remote.do("messages")
        with pytest.raises(RemoteError, match="user_not_found"):
            await remote.do("modal", user="nobody")
        with pytest.raises(RemoteError, match="unexpected keyword"):
            await remote.do("fault", colour="red")

"""Signed requests instead of Socket Mode, checked by bolt's own verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import SlackServer, Timing
from demo.slack.settings import AppConfig
from demo.slack.signed import signature
from tests.demo.slack.shapes import buttons, modal
from tests.demo.slack.waiting import eventually

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck

Body = dict[str, Any]


async def test_a_signed_command_click_and_event_pass_bolts_check() -> None:
    """Form, payload and JSON bodies are each signed over their raw bytes; answers come back in the response."""
    config = AppConfig(request_url="http://127.0.0.1:1/slack/events")
    seen: list[Body] = []
    app = AsyncApp(
        client=AsyncWebClient(config.bot_token, retry_handlers=[]), signing_secret=config.signing_secret
    )

    @app.command("/triage")
    async def on_command(ack: AsyncAck, body: Body) -> None:
        seen.append(body)
        await ack("hello")

    @app.action("go")
    async def on_click(ack: AsyncAck, body: Body) -> None:
        seen.append(body)
        await ack()

    @app.event("app_mention")
    async def on_mention(event: Body) -> None:
        seen.append(event)

    site_app = app.server(port=0).web_app
    runner = web.AppRunner(site_app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    config = AppConfig(request_url=f"http://127.0.0.1:{port}/slack/events")
    try:
        async with SlackServer(config) as slack:
            app.client.base_url = slack.api_url
            ana = slack.member("ana")
            assert (await ana.command("/triage status")).payload == {"text": "hello"}
            await app.client.chat_postMessage(channel="C0TRIAGE01", text="a", blocks=buttons("go"))
            assert (await ana.click(slack.messages("desk-alerts")[0], "go")).acked
            ana.say("desk-alerts", "@triage status")
            await eventually(lambda: len(seen) == 3)
    finally:
        await runner.cleanup()
    assert seen[0]["command"] == "/triage"
    assert seen[1]["actions"][0]["action_id"] == "go"
    assert seen[2]["type"] == "app_mention"


async def test_a_dead_address_fails_the_act_and_the_event_is_lost_after_its_retries() -> None:
    """Nothing listens: the click fails at once, the event is given up after three retries."""
    config = AppConfig(request_url="http://127.0.0.1:9/slack/events")
    async with SlackServer(config, Timing(ack=0.5, event_retries=(0.0, 0.0, 0.0))) as slack:
        slack.modals.open("U0ANA00001", modal())
        outcome = await slack.member("ana").submit({"reason": "why not"})
        assert not outcome.acked
        assert outcome.why.startswith("dispatch_failed")
        slack.member("ana").open_home()
        await eventually(lambda: slack.delivery.events_lost)


def test_the_signature_is_the_one_slack_computes() -> None:
    """Agrees with the sdk's own verifier over the same secret, time and body."""
    body = b"token=x&text=%C3%BC"
    mine = signature("secret", "1763848800", body)
    assert mine == SignatureVerifier("secret").generate_signature(timestamp="1763848800", body=body)

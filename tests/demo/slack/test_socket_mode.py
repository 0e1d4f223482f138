"""The real bolt app over the real Socket Mode client."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError

from demo.slack import SlackServer, Timing
from demo.slack.errors import NoSuchElementError
from tests.demo.slack.shapes import buttons, modal
from tests.demo.slack.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
    from slack_sdk.web.async_client import AsyncWebClient

    Connected = Callable[..., AbstractAsyncContextManager[list[Any]]]

CHANNEL = "C0TRIAGE01"
Body = dict[str, Any]


async def test_a_click_reaches_the_app_and_its_answer_replaces_the_message(
    slack: SlackServer, client: AsyncWebClient, bolt: AsyncApp, connected: Connected
) -> None:
    """The payload names user, channel, message and button; `response_url` edits in place."""
    seen: list[Body] = []

    @bolt.action("incident.acknowledge")
    async def on_click(ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        await ack()
        seen.append(body)
        await respond(text="acknowledged", replace_original=True)

    async with connected(bolt):
        await client.chat_postMessage(channel=CHANNEL, text="a", blocks=buttons("incident.acknowledge"))
        outcome = await slack.member("ana").click(slack.messages(CHANNEL)[0], "incident.acknowledge")
        await slack.message(lambda message: message.text == "acknowledged", CHANNEL)
    assert outcome.acked
    assert seen[0]["user"]["id"] == "U0ANA00001"
    assert seen[0]["actions"][0]["value"] == "01HX"
    assert seen[0]["message"]["ts"] == slack.messages(CHANNEL)[0].ts


async def test_a_lost_click_is_not_sent_again(slack: SlackServer, client: AsyncWebClient) -> None:
    """Without a connection the act fails at once, and nothing comes later."""
    await client.chat_postMessage(channel=CHANNEL, text="a", blocks=buttons("x"))
    outcome = await slack.member("ana").click(slack.messages(CHANNEL)[0], "x")
    assert (outcome.acked, outcome.why) == (False, "no connection")
    with pytest.raises(NoSuchElementError, match=r"no element 'y' here; there is x"):
        await slack.member("ana").click(slack.messages(CHANNEL)[0], "y")


async def test_a_modal_opens_refuses_updates_pushes_and_closes(
    slack: SlackServer, client: AsyncWebClient, bolt: AsyncApp, connected: Connected
) -> None:
    """The whole life of a form: Slack's own check, the app's errors, an update, a push, and clear."""
    answers: list[Body] = [
        {"response_action": "errors", "errors": {"reason": "Say more."}},
        {"response_action": "update", "view": modal("second", title="Sure?")},
        {"response_action": "push", "view": modal("third")},
        {"response_action": "clear"},
    ]
    states: list[Body] = []

    @bolt.action("open")
    async def on_open(ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal("first"))

    async def on_submit(ack: AsyncAck, view: Body) -> None:
        states.append(view["state"]["values"])
        await ack(**answers.pop(0))

    for callback_id in ("first", "second", "third"):
        bolt.view(callback_id)(on_submit)
    ana = slack.member("ana")
    async with connected(bolt):
        await client.chat_postMessage(channel=CHANNEL, text="a", blocks=buttons("open"))
        await ana.click(slack.messages(CHANNEL)[0], "open")
        await ana.sees_modal("first")
        unsent = await ana.submit()
        assert (unsent.sent, unsent.errors) == (False, {"reason": "Please complete this required field."})
        told = await ana.submit({"reason": "because", "length": "4"})
        assert told.errors == {"reason": "Say more."}
        await ana.submit()
        assert (await ana.sees_modal("second")).body["title"]["text"] == "Sure?"
        await ana.submit()
        assert (await ana.sees_modal("third")).previous_id is not None
        await ana.submit({"reason": "third"})
    assert ana.modal is None
    assert states[0]["length"]["length"]["selected_option"]["value"] == "4"
    assert states[1]["reason"]["reason"]["value"] == "because"


async def test_a_trigger_works_once_and_not_for_long(
    client: AsyncWebClient, bolt: AsyncApp, slack: SlackServer, connected: Connected
) -> None:
    """The second use, a late use and an invented one are each refused."""
    triggers: list[str] = []

    @bolt.command("/triage")
    async def on_command(ack: AsyncAck, body: Body) -> None:
        await ack()
        triggers.append(body["trigger_id"])

    async def code(trigger: str) -> str:
        with pytest.raises(SlackApiError) as caught:
            await client.views_open(trigger_id=trigger, view=modal())
        return str(caught.value.response["error"])

    async with connected(bolt):
        await slack.member("ana").command("/triage do")
        await slack.member("ana").command("/triage do")
    await client.views_open(trigger_id=triggers[0], view=modal())
    assert await code(triggers[0]) == "exchanged_trigger_id"
    slack.triggers._timing = Timing(trigger=0.0)
    assert await code(triggers[1]) == "expired_trigger_id"
    assert await code("1.2.invented") == "invalid_trigger_id"


async def test_a_view_is_updated_by_hash_and_a_home_published(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    """An old hash is a conflict; a home has no title; updates keep what was entered."""
    view = slack.modals.open("U0ANA00001", slack.modals.checked(modal()))
    ana = slack.member("ana")
    ana.enter("reason", "half a thought")
    old = view.hash
    await client.views_update(view_id=view.id, hash=old, view=modal(title="Newer"))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view.id, hash=old, view=modal())
    assert view.state["reason"]["reason"]["value"] == "half a thought"
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(view_id="V0NONE", view=modal())
    await client.views_publish(user_id="U0ANA00001", view={"type": "home", "blocks": buttons("refresh")})
    assert ana.home is not None
    assert slack.member("ben").home is None


async def test_a_command_is_answered_by_its_acknowledgement_and_later_by_url(
    slack: SlackServer, bolt: AsyncApp, connected: Connected
) -> None:
    """The ack's text is private; the url works five times and no more."""
    statuses: list[int] = []

    @bolt.command("/triage")
    async def on_command(ack: AsyncAck, command: Body, respond: AsyncRespond) -> None:
        await ack(f"looking at {command['text']}…")
        for n in range(6):
            kind = "in_channel" if n == 0 else "ephemeral"
            answer = await respond(text=f"answer {n}", response_type=kind)
            statuses.append(answer.status_code)

    async with connected(bolt):
        outcome = await slack.member("vik").command("/triage status bot1")
        await eventually(lambda: len(statuses) >= 6)
    assert outcome.payload == {"text": "looking at status bot1…"}
    assert [message.text for message in slack.messages(CHANNEL)] == ["answer 0"]
    private = {message.text for message in slack.ephemerals(CHANNEL, "vik")}
    assert private == {"looking at status bot1…", "answer 1", "answer 2", "answer 3", "answer 4"}
    assert statuses == [200] * 5 + [404]


async def test_a_command_nobody_answers_fails_as_in_slack(
    slack: SlackServer, bolt: AsyncApp, connected: Connected
) -> None:
    """`dispatch_failed` without a connection, `operation_timeout` without an ack in time."""

    @bolt.command("/triage")
    async def on_command(_ack: AsyncAck) -> None:
        await asyncio.sleep(0)

    ana = slack.member("ana")
    assert (await ana.command("/triage status")).acked is False
    async with connected(bolt):
        assert (await ana.command("/triage status")).why == "operation_timeout"
    assert (await ana.command("/nothing")).why == "invalid_command"
    notices = [message.text for message in slack.ephemerals(CHANNEL, "ana")]
    assert "dispatch_failed" in notices[0]
    assert "operation_timeout" in notices[1]


async def test_events_arrive_for_what_the_app_subscribed_to(
    slack: SlackServer, bolt: AsyncApp, connected: Connected
) -> None:
    """A mention and the Home tab do; an ordinary message does not."""
    seen: list[Body] = []

    @bolt.event("app_mention")
    async def on_mention(event: Body) -> None:
        seen.append(event)

    @bolt.event("app_home_opened")
    async def on_home(event: Body) -> None:
        seen.append(event)

    @bolt.event("message")
    async def on_message(event: Body) -> None:
        seen.append(event)

    async with connected(bolt):
        ana = slack.member("ana")
        ana.say(CHANNEL, "nothing for the app")
        ana.say(CHANNEL, "@triage status")
        ana.open_home()
        await eventually(lambda: len(seen) >= 2)
        await asyncio.sleep(0.1)
    assert sorted(event["type"] for event in seen) == ["app_home_opened", "app_mention"]
    mention = next(event for event in seen if event["type"] == "app_mention")
    assert mention["text"] == "<@U0TRIAGE01> status"


async def test_an_unacknowledged_event_comes_again_with_its_attempt_and_the_same_id(
    slack: SlackServer, bolt: AsyncApp, connected: Connected
) -> None:
    """A socket loses it; the next connection gets it again."""
    received: list[tuple[str, int]] = []

    async def on_request(_client: Any, request: Any) -> None:  # noqa: ANN401 - the sdk's own shapes
        received.append((request.payload["event_id"], request.retry_attempt))

    @bolt.event("app_mention")
    async def on_mention(event: Body) -> None:
        del event

    async with connected(bolt, 2) as handlers:
        for handler in handlers:
            handler.client.socket_mode_request_listeners.append(on_request)
        slack.sockets.stop_answering(1)
        slack.member("ana").say(CHANNEL, "@triage one")
        slack.member("ana").say(CHANNEL, "@triage two")
        await eventually(lambda: len({event_id for event_id, _ in received}) >= 2)
    attempts = sorted(attempt for _, attempt in received)
    assert attempts[0] == 0
    assert attempts[-1] > 0
    assert slack.delivery.events_lost == []


async def test_envelopes_take_turns_among_connections(
    slack: SlackServer, client: AsyncWebClient, bolt: AsyncApp, connected: Connected
) -> None:
    """Any envelope can go to any connection."""
    by_handler: list[int] = []

    @bolt.action("x")
    async def on_click(ack: AsyncAck) -> None:
        await ack()

    async with connected(bolt, 3) as handlers:
        for number, handler in enumerate(handlers):

            async def note(_client: Any, _request: Any, number: int = number) -> None:  # noqa: ANN401 - sdk shapes
                by_handler.append(number)

            handler.client.socket_mode_request_listeners.append(note)
        await client.chat_postMessage(channel=CHANNEL, text="a", blocks=buttons("x"))
        for _ in range(6):
            assert (await slack.member("ana").click(slack.messages(CHANNEL)[0], "x")).acked
        await asyncio.sleep(0.05)
    assert sorted(by_handler) == [0, 0, 1, 1, 2, 2]


async def test_a_refresh_and_a_cut_make_the_client_come_back(
    slack: SlackServer, client: AsyncWebClient, bolt: AsyncApp, connected: Connected
) -> None:
    """After `refresh_requested` and after a dropped socket a click arrives again."""

    @bolt.action("x")
    async def on_click(ack: AsyncAck) -> None:
        await ack()

    async with connected(bolt):
        await client.chat_postMessage(channel=CHANNEL, text="a", blocks=buttons("x"))
        await slack.sockets.refresh()
        await slack.workspace.until(lambda: slack.sockets.opened == 2, 10, "a second connection")
        await slack.workspace.until(lambda: len(slack.sockets.connections) == 1, 10, "the old one to go")
        assert (await slack.member("ana").click(slack.messages(CHANNEL)[0], "x")).acked
        assert slack.sockets.drop() == 1
        await slack.workspace.until(lambda: slack.sockets.opened == 3, 10, "a third connection")
        assert (await slack.member("ana").click(slack.messages(CHANNEL)[0], "x")).acked


async def test_a_frozen_socket_is_left_by_the_clients_heartbeat(
    slack: SlackServer, bolt: AsyncApp, connected: Connected
) -> None:
    """It answers no ping, so the client opens another one."""
    async with connected(bolt):
        since = time.monotonic()
        assert slack.sockets.stop_answering(frozen=True) == 1
        await slack.workspace.until(lambda: slack.sockets.opened == 2, 20, "another connection")
    assert time.monotonic() - since > 0.5


async def test_a_closed_modal_is_told_when_it_asked_to_be(
    slack: SlackServer, bolt: AsyncApp, connected: Connected
) -> None:
    """`notify_on_close` brings a view_closed, else the app gets nothing."""
    closed: list[str] = []

    @bolt.view_closed("told")
    async def on_closed(ack: AsyncAck, view: Body) -> None:
        await ack()
        closed.append(view["callback_id"])

    ana = slack.member("ana")
    async with connected(bolt):
        slack.modals.open(ana.user.id, modal("told", notify_on_close=True))
        assert (await ana.close()).sent
        slack.modals.open(ana.user.id, modal("untold"))
        assert not (await ana.close()).sent
    assert closed == ["told"]
    with pytest.raises(NoSuchElementError, match="ana has no modal open"):
        await ana.close()

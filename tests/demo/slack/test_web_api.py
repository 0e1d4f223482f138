from __future__ import annotations

import time
from typing import TYPE_CHECKING

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import Fault, SlackServer
from demo.slack.settings import BOT_SCOPES
from tests.demo.slack.shapes import buttons

if TYPE_CHECKING:
    from collections.abc import Awaitable

CHANNEL = "C0TRIAGE01"
META = {"event_type": "triage_delivery", "event_payload": {"delivery_id": "d1", "incident_id": "INC-1"}}


async def refused(call: Awaitable[object]) -> str:
    """Return the error code of a call that Slack refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_auth_test_names_the_bot_and_its_scopes(client: AsyncWebClient, slack: SlackServer) -> None:
    """The first call of every app: who am I, and what may I do."""
    answer = await client.auth_test()
    assert answer["user_id"] == slack.app.bot_user
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_a_post_keeps_its_blocks_metadata_and_thread(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    """What is posted is what is stored, and a reply hangs under its parent."""
    parent = await client.chat_postMessage(
        channel=CHANNEL, text="alert", blocks=buttons("ack"), metadata=META
    )
    reply = await client.chat_postMessage(channel=CHANNEL, text="triage", thread_ts=parent["ts"])
    stored = slack.messages("desk-alerts")[0]
    assert (stored.text, stored.delivery_id) == ("alert", "d1")
    assert reply["message"]["thread_ts"] == parent["ts"]
    assert [message.text for message in slack.thread(stored)] == ["triage"]


async def test_a_name_is_enough_to_post_but_not_to_update(client: AsyncWebClient) -> None:
    """Slack resolves `#name` for a post alone."""
    posted = await client.chat_postMessage(channel="#desk-alerts", text="one")
    assert posted["channel"] == CHANNEL
    update = client.chat_update(channel="#desk-alerts", ts=posted["ts"], text="two")
    assert await refused(update) == "channel_not_found"


async def test_an_update_keeps_metadata_and_text_alone_removes_blocks(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    """The two surprises of chat.update."""
    posted = await client.chat_postMessage(channel=CHANNEL, text="a", blocks=buttons("ack"), metadata=META)
    await client.chat_update(channel=CHANNEL, ts=posted["ts"], text="b")
    stored = slack.messages(CHANNEL)[0]
    assert (stored.text, stored.blocks, stored.delivery_id) == ("b", [], "d1")
    assert stored.edited_ts is not None


async def test_updates_are_refused_where_slack_refuses_them(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    """A missing message, another author's, and a text over 4,000 characters."""
    foreign = slack.member("ana").say(CHANNEL, "hello")
    own = await client.chat_postMessage(channel=CHANNEL, text="mine")
    assert await refused(client.chat_update(channel=CHANNEL, ts="1.000001", text="x")) == "message_not_found"
    assert (
        await refused(client.chat_update(channel=CHANNEL, ts=foreign.ts, text="x")) == "cant_update_message"
    )
    assert await refused(client.chat_update(channel=CHANNEL, ts=own["ts"], text="x" * 4001)) == "msg_too_long"


async def test_a_reply_to_a_deleted_message_lands_in_the_channel(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    """Slack un-threads it without a word; only the missing `thread_ts` of the answer tells."""
    parent = await client.chat_postMessage(channel=CHANNEL, text="alert")
    slack.delete(slack.messages(CHANNEL)[0])
    reply = await client.chat_postMessage(channel=CHANNEL, text="triage", thread_ts=parent["ts"])
    assert "thread_ts" not in reply["message"]
    assert await refused(client.conversations_replies(channel=CHANNEL, ts=parent["ts"])) == "thread_not_found"


async def test_a_deleted_parent_with_replies_stays_as_a_tombstone(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    """Its thread goes on, but it can no longer be edited and its metadata is gone."""
    parent = await client.chat_postMessage(channel=CHANNEL, text="alert", metadata=META)
    await client.chat_postMessage(channel=CHANNEL, text="one", thread_ts=parent["ts"])
    slack.delete(slack.messages(CHANNEL)[0])
    assert (
        await refused(client.chat_update(channel=CHANNEL, ts=parent["ts"], text="x")) == "message_not_found"
    )
    again = await client.chat_postMessage(channel=CHANNEL, text="two", thread_ts=parent["ts"])
    assert again["message"]["thread_ts"] == parent["ts"]
    history = await client.conversations_history(channel=CHANNEL)
    assert history["messages"][0]["subtype"] == "tombstone"
    assert slack.delivered("d1") == []


async def test_history_pages_newest_first_with_metadata_on_request(client: AsyncWebClient) -> None:
    """Cursor by cursor, nothing twice and nothing left out."""
    sent = [
        (await client.chat_postMessage(channel=CHANNEL, text=f"m{n}", metadata=META))["ts"] for n in range(7)
    ]
    seen, cursor = [], ""
    while True:
        answer = await client.conversations_history(
            channel=CHANNEL, limit=3, cursor=cursor or None, include_all_metadata=True
        )
        seen += answer["messages"]
        if not answer["has_more"]:
            break
        cursor = answer["response_metadata"]["next_cursor"]
    assert [message["ts"] for message in seen] == sent[::-1]
    assert seen[0]["metadata"]["event_payload"]["delivery_id"] == "d1"
    bare = await client.conversations_history(channel=CHANNEL, limit=1)
    assert "metadata" not in bare["messages"][0]


async def test_history_bounds_leave_out_their_ends_unless_inclusive(client: AsyncWebClient) -> None:
    """`oldest` and `latest` are open bounds; with `oldest` alone the pages go forward."""
    ts = [(await client.chat_postMessage(channel=CHANNEL, text=f"m{n}"))["ts"] for n in range(5)]

    async def texts(**bounds: object) -> list[str]:
        answer = await client.conversations_history(channel=CHANNEL, **bounds)  # type: ignore[arg-type]
        return [message["text"] for message in answer["messages"]]

    assert await texts(oldest=ts[1], latest=ts[3]) == ["m2"]
    assert await texts(oldest=ts[1], latest=ts[3], inclusive=True) == ["m3", "m2", "m1"]
    assert await texts(oldest=ts[1], limit=2) == ["m3", "m2"]


async def test_replies_are_not_in_the_history_unless_broadcast(client: AsyncWebClient) -> None:
    """A thread is read with conversations.replies; its parent leads."""
    parent = (await client.chat_postMessage(channel=CHANNEL, text="p"))["ts"]
    await client.chat_postMessage(channel=CHANNEL, text="r1", thread_ts=parent)
    await client.chat_postMessage(channel=CHANNEL, text="r2", thread_ts=parent, reply_broadcast=True)
    history = await client.conversations_history(channel=CHANNEL)
    assert [message["text"] for message in history["messages"]] == ["r2", "p"]
    assert history["messages"][1]["reply_count"] == 2
    thread = await client.conversations_replies(channel=CHANNEL, ts=parent)
    assert [message["text"] for message in thread["messages"]] == ["p", "r1", "r2"]


async def test_wrong_tokens_scopes_and_channels_are_told_apart(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    """Each has its own error code."""
    slack.add_token("xoxb-poor", "bot", ("commands",))
    assert await refused(AsyncWebClient(base_url=slack.api_url).auth_test()) == "not_authed"
    assert await refused(AsyncWebClient("xoxb-x", base_url=slack.api_url).auth_test()) == "invalid_auth"
    poor = AsyncWebClient("xoxb-poor", base_url=slack.api_url)
    with pytest.raises(SlackApiError) as caught:
        await poor.chat_postMessage(channel=CHANNEL, text="x")
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "chat:write"
    wrong_kind = client.apps_connections_open(app_token=slack.app.bot_token)
    assert await refused(wrong_kind) == "not_allowed_token_type"
    assert await refused(client.chat_postMessage(channel="C0NOWHERE", text="x")) == "channel_not_found"
    assert await refused(client.chat_postMessage(channel="general", text="x")) == "not_in_channel"
    assert await refused(client.chat_postMessage(channel="C0PRIVATE1", text="x")) == "channel_not_found"
    assert await refused(client.api_call("chat.fly")) == "unknown_method"


async def test_the_default_scopes_are_those_of_the_manifest() -> None:
    """A bot that asks for more than its manifest says fails here as it would at Slack."""
    assert "channels:read" not in BOT_SCOPES
    async with SlackServer() as plain:
        client = AsyncWebClient(plain.app.bot_token, base_url=plain.api_url)
        assert await refused(client.conversations_list()) == "missing_scope"
        assert (await client.chat_postMessage(channel=CHANNEL, text="x"))["ok"]


async def test_people_groups_and_channels_can_be_looked_up(client: AsyncWebClient) -> None:
    """Users, user groups and conversations answer in Slack's shapes."""
    assert (await client.users_info(user="U0ANA00001"))["user"]["name"] == "ana"
    assert (await client.users_lookupByEmail(email="ben@desk.example"))["user"]["id"] == "U0BEN00001"
    assert await refused(client.users_info(user="U0NOBODY")) == "user_not_found"
    groups = await client.usergroups_list(include_users=True)
    assert groups["usergroups"][0]["users"] == ["U0ANA00001"]
    assert (await client.usergroups_users_list(usergroup="S0APPROVER"))["users"] == ["U0BEN00001"]
    assert await refused(client.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"
    names = [channel["name"] for channel in (await client.conversations_list())["channels"]]
    assert names == ["desk-alerts", "desk-digest", "general"]
    await client.conversations_join(channel="C0GENERAL1")
    assert (await client.conversations_info(channel="C0GENERAL1"))["channel"]["is_member"]
    direct = (await client.conversations_open(users="U0ANA00001"))["channel"]["id"]
    assert (await client.chat_postMessage(channel=direct, text="hi"))["channel"] == direct
    assert "U0VIK00001" in (await client.conversations_members(channel=CHANNEL))["members"]


async def test_an_ephemeral_message_is_seen_by_one_person_alone(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    """It is in no history and cannot be updated."""
    answer = await client.chat_postEphemeral(channel=CHANNEL, user="U0VIK00001", text="not for you")
    assert [message.text for message in slack.ephemerals(CHANNEL, "vik")] == ["not for you"]
    assert slack.ephemerals(CHANNEL, "ana") == []
    assert (await client.conversations_history(channel=CHANNEL))["messages"] == []
    update = client.chat_update(channel=CHANNEL, ts=answer["message_ts"], text="x")
    assert await refused(update) == "message_not_found"


async def test_a_file_is_uploaded_shared_in_a_thread_and_served(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    """The sdk's three-step upload, as the digest uses it."""
    parent = (await client.chat_postMessage(channel=CHANNEL, text="digest"))["ts"]
    content = b"\x89PNG\r\n\x1a\n" + b"0" * 500
    done = await client.files_upload_v2(
        channel=CHANNEL,
        thread_ts=parent,
        filename="bot1 day.png",
        title="bot1",
        alt_txt="Equity fell",
        content=content,
        initial_comment="The day of bot1",
    )
    reply = slack.thread(slack.messages(CHANNEL)[0])[0]
    assert (reply.text, reply.files[0]["alt_txt"]) == ("The day of bot1", "Equity fell")
    info = (await client.files_info(file=done["file"]["id"]))["file"]
    assert info["shares"]["public"][CHANNEL][0]["thread_ts"] == parent
    async with aiohttp.ClientSession() as session, session.get(info["url_private"]) as served:
        assert await served.read() == content
        assert served.headers["Content-Type"] == "image/png"


async def test_reactions_and_permalinks(client: AsyncWebClient, slack: SlackServer) -> None:
    """A reaction counts once a person; a permalink leads to the page."""
    ts = (await client.chat_postMessage(channel=CHANNEL, text="x"))["ts"]
    await client.reactions_add(channel=CHANNEL, timestamp=ts, name="eyes")
    again = client.reactions_add(channel=CHANNEL, timestamp=ts, name="eyes")
    assert await refused(again) == "already_reacted"
    link = (await client.chat_getPermalink(channel=CHANNEL, message_ts=ts))["permalink"]
    assert link == f"{slack.base_url}/archives/{CHANNEL}/p{ts.replace('.', '')}"


async def test_faults_act_as_often_as_told_and_then_all_is_well(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    """Each kind of fault, and what it leaves behind."""
    post = "chat.postMessage"
    slack.faults.add(
        Fault.rate_limited(post, retry_after=7),
        Fault.error(post, "fatal_error", processed=True),
        Fault.error(post, "internal_error"),
        Fault.http(post, 503),
        Fault.lost_answer(post),
        Fault.reset(post),
    )
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(channel=CHANNEL, text="1")
    assert limited.value.response.status_code == 429
    assert limited.value.response.headers["Retry-After"] == "7"
    assert await refused(client.chat_postMessage(channel=CHANNEL, text="2")) == "fatal_error"
    assert await refused(client.chat_postMessage(channel=CHANNEL, text="3")) == "internal_error"
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel=CHANNEL, text="4")
    for text in ("5", "6"):
        with pytest.raises(aiohttp.ClientError):
            await client.chat_postMessage(channel=CHANNEL, text=text)
    await client.chat_postMessage(channel=CHANNEL, text="7")
    assert [message.text for message in slack.messages(CHANNEL)] == ["2", "5", "7"]
    assert slack.faults.pending == 0
    words = ["rate_limited", "fatal_error", "internal_error", "http", "lost_answer", "reset", "ok"]
    assert [call.result for call in slack.calls.of(post)] == words


async def test_the_sdks_own_retry_doubles_a_lost_post(slack: SlackServer) -> None:
    """Why posts go out with `retry_handlers=[]`: a delivery id shows twice."""
    default = AsyncWebClient(slack.app.bot_token, base_url=slack.api_url)
    slack.faults.add(Fault.lost_answer("chat.postMessage"))
    await default.chat_postMessage(channel=CHANNEL, text="x", metadata=META)
    assert slack.deliveries() == {"d1": 2}


async def test_a_slow_answer_comes_after_the_post_is_seen(client: AsyncWebClient, slack: SlackServer) -> None:
    """A delayed answer is done at once and answered late."""
    slack.faults.add(Fault.delay("chat.postMessage", 0.3))
    since = time.monotonic()
    await client.chat_postMessage(channel=CHANNEL, text="x")
    assert time.monotonic() - since >= 0.3
    assert slack.calls.of("chat.postMessage", ok=True)[0].seconds < 0.3


async def test_posts_are_limited_per_channel_when_limits_are_on(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    """A burst passes, then 429 with `Retry-After`; another channel is not affected."""
    slack.pace.enabled = True
    codes, waits = [], set()
    for n in range(6):
        try:
            await client.chat_postMessage(channel=CHANNEL, text=str(n))
            codes.append(200)
        except SlackApiError as error:
            codes.append(error.response.status_code)
            waits.add(error.response.headers["Retry-After"])
    assert waits == {"1"}
    assert codes == [200, 200, 200, 200, 429, 429]
    assert (await client.chat_postMessage(channel="C0DIGEST01", text="x"))["ok"]


async def test_only_this_machine_is_served(slack: SlackServer) -> None:
    """Another host name (DNS rebinding) or a page of another origin is turned away."""
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{slack.api_url}auth.test", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
        headers = {"Origin": "http://evil.example"}
        async with session.post(f"{slack.base_url}/_control/info", json={}, headers=headers) as answer:
            assert answer.status == 403

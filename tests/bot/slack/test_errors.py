"""What each of Slack's answers means for the message that was to be sent."""

import json

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from bot.slack import errors
from bot.slack.client import open_client
from bot.slack.directory import Channels
from bot.slack.rendered import Rendered
from bot.store import SqlStore
from demo.slack import Fault, SlackServer

POST = "chat.postMessage"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.rate_limited(POST, 7), errors.RateLimited),
        (Fault.http(POST, 500), errors.OutcomeUnknown),
        (Fault.http(POST, 200), errors.OutcomeUnknown),
        (Fault.reset(POST), errors.OutcomeUnknown),
        (Fault.lost_answer(POST), errors.OutcomeUnknown),
        (Fault.error(POST, "fatal_error"), errors.OutcomeUnknown),
        (Fault.error(POST, "service_unavailable"), errors.NotDone),
        (Fault.error(POST, "message_not_found"), errors.Gone),
        (Fault.error(POST, "invalid_blocks"), errors.ContentRefused),
        (Fault.error(POST, "msg_blocks_too_long"), errors.ContentRefused),
        (Fault.error(POST, "token_revoked"), errors.Misconfigured),
        (Fault.error(POST, "a_new_word_of_slack"), errors.UnknownWord),
        (Fault.error(POST, "thread_locked"), errors.NotDone),
    ],
    ids=lambda value: (
        getattr(value, "code", "") or getattr(value, "kind", "") or getattr(value, "__name__", "")
    ),
)
async def test_an_answer_becomes_the_type_that_says_what_it_means(
    slack: SlackServer, fault: Fault, kind: type[errors.SlackFailure]
) -> None:
    """Each is asked of the real client against a server that fails in that way."""
    slack.faults.add(fault)
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        with pytest.raises(kind) as caught:
            await client.post("C0TRIAGE01", Rendered("hello"), {"delivery_id": "d"})
    if isinstance(caught.value, errors.RateLimited):
        assert caught.value.retry_after == 7
    assert POST in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "5",
        '"text"',
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        '{"ok": true}',
        '{"ok": true, "ts": null, "channel": null, "message": null}',
        '{"ok": true, "ts": 5, "channel": 5, "message": "text"}',
        '{"ok": false, "error": null}',
        '{"ok": false, "error": ["no", "word"]}',
        '{"ok": false, "error": 5}',
    ],
    ids=lambda body: body[:60] or "nothing",
)
async def test_an_answer_without_a_meaning_leaves_open_what_was_done(slack: SlackServer, body: str) -> None:
    """It is a failure of Slack's, never a mistake of ours nor a message that stands at None."""
    slack.faults.add(Fault.raw(POST, body))
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        with pytest.raises(errors.OutcomeUnknown):
            await client.post("C0TRIAGE01", Rendered("hello"), {"delivery_id": "d"})


@pytest.mark.parametrize(
    "more", ['"errors": 5', '"response_metadata": [1]', '"response_metadata": {"messages": "x"}']
)
async def test_what_a_refusal_adds_in_another_shape_is_left_out(slack: SlackServer, more: str) -> None:
    """Its word says enough."""
    slack.faults.add(Fault.raw(POST, f'{{"ok": false, "error": "is_archived", {more}}}'))
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        with pytest.raises(errors.Misconfigured):
            await client.post("C0TRIAGE01", Rendered("hello"), {"delivery_id": "d"})


async def test_a_word_without_end_is_cut(slack: SlackServer) -> None:
    """It is logged, stored with the message and shown in /readyz; what it holds of a secret is masked."""
    word = f"token {slack.app.bot_token}\n" * 10_000
    slack.faults.add(Fault.raw(POST, json.dumps({"ok": False, "error": word, "errors": [word, word]})))
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        with pytest.raises(errors.UnknownWord) as caught:
            await client.post("C0TRIAGE01", Rendered("hello"), {"delivery_id": "d"})
    assert len(str(caught.value)) < 800
    assert "\n" not in str(caught.value)
    assert slack.app.bot_token not in str(caught.value)


async def test_a_channel_without_an_id_is_a_failure_of_slacks(
    slack: SlackServer, sqlite_store: SqlStore
) -> None:
    """It is asked for again, as after every odd answer."""
    answer = {"ok": True, "channels": [{"name": "desk-alerts", "id": None}]}
    slack.faults.add(Fault.raw("conversations.list", json.dumps(answer)))
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        with pytest.raises(errors.OutcomeUnknown):
            await Channels(client, {"incidents": "desk-alerts"}, sqlite_store).resolve("incidents")


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("C1", "C1"),
        ("C0TRIAGE01", "C0TRIAGE01"),
        ("GHZBQWERT", "GHZBQWERT"),  # some ids have no digit
        ("GENERAL", ""),
        ("c0triage01", ""),
        ("desk-alerts", ""),
    ],
)
async def test_a_channel_written_as_its_id_is_not_looked_up(
    slack: SlackServer, sqlite_store: SqlStore, written: str, known: str
) -> None:
    """To look a name up takes a scope that an app may lack, and there is no channel of an id's name."""
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        channels = Channels(client, {"incidents": written}, sqlite_store)
        assert channels.known("incidents") == known
        if known:
            assert await channels.resolve("incidents") == known
    assert not slack.calls.of("conversations.list")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("-5", 1.0),
        ("nan", 1.0),
        ("soon", 1.0),
        ("inf", 300.0),
        ("999999999999", 300.0),
        ("Mon, 30 Nov 2009 20:00:00 GMT", 1.0),
        ("Mon, 30 Nov 2099 20:00:00 GMT", 300.0),
        ("Mon, 30 Nov 99999 20:00:00 GMT", 1.0),
    ],
)
async def test_a_wait_that_slack_asks_for_is_bounded(
    slack: SlackServer, written: str, seconds: float
) -> None:
    """None at all would ask without pause, and endless a channel would stay silent until the next start."""
    slack.faults.add(Fault.raw(POST, "{}", status=429, retry_after=written))
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        with pytest.raises(errors.RateLimited) as caught:
            await client.post("C0TRIAGE01", Rendered("hello"), {})
    assert caught.value.retry_after == seconds


async def test_a_server_that_is_not_there_certainly_did_nothing() -> None:
    """A refused connection is not an unknown outcome."""
    async with open_client("xoxb-1", url="http://127.0.0.1:1/api/") as client:
        with pytest.raises(errors.NotDone):
            await client.post("C1", Rendered("hello"), {})


async def test_a_message_of_unknown_outcome_was_posted_by_one_request_alone(slack: SlackServer) -> None:
    """The SDK's own second try after a reset is off: it would be a duplicate."""
    slack.faults.add(Fault.lost_answer(POST))
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        with pytest.raises(errors.OutcomeUnknown):
            await client.post("C0TRIAGE01", Rendered("hello"), {"delivery_id": "d"})
    assert len(slack.calls.of(POST)) == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), errors.OutcomeUnknown),
        (aiohttp.ServerDisconnectedError(), errors.OutcomeUnknown),
        (ConnectionResetError(), errors.OutcomeUnknown),
        (
            aiohttp.ClientConnectorError(ConnectionKey("h", 1, False, True, None, None, None), OSError("no")),  # noqa: FBT003
            errors.NotDone,
        ),
    ],
)
def test_a_broken_connection_is_unknown_and_none_at_all_is_not_done(
    error: Exception, kind: type[errors.SlackFailure]
) -> None:
    """What was never sent may be sent again without a look."""
    assert isinstance(errors.classify(error, POST), kind)


def test_a_mistake_of_ours_is_not_taken_for_slacks() -> None:
    """Only what a call can raise is classified."""
    with pytest.raises(KeyError):
        errors.classify(KeyError("x"), POST)

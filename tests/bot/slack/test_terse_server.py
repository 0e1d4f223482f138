"""Servers that speak the Web API and say less than Slack does: a reply is a reply, and one card stays one card."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from bot.store import SqlStore
from demo.slack import AppConfig, Fault, SlackServer
from demo.slack.settings import BOT_SCOPES
from tests.bot.slack.workbench import Bench, bench_on

pytestmark = pytest.mark.slow

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = dict[str, object]


def no_message(answer: Answer) -> Answer:
    """Leave the message out of what a post is answered."""
    return {name: answer[name] for name in answer if name != "message"}


def no_thread(answer: Answer) -> Answer:
    """Leave out which thread the message is in."""
    message = answer.get("message")
    assert isinstance(message, dict)
    return answer | {"message": {name: message[name] for name in message if name != "thread_ts"}}


def only_ts(answer: Answer) -> Answer:
    """Leave out everything but where the message stands in time."""
    return {name: answer[name] for name in ("ok", "ts")}


def answering(shorten: Callable[[Answer], Answer]) -> SlackServer:
    """Return a workspace whose answers to posts are shortened."""

    @web.middleware
    async def shortened(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if request.path.endswith("/chat.postMessage") and isinstance(response, web.Response):
            answer = json.loads(response.text or "{}")
            return web.json_response(shorten(answer) if answer.get("ok") else answer)
        return response

    app = AppConfig(scopes=(*BOT_SCOPES, "channels:read", "groups:read"))
    return SlackServer(app, extend=lambda _, application: application.middlewares.append(shortened))


async def a_card_and_two_lines(bench: Bench) -> None:
    """Tell an incident, a line in its thread, and another one later."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.sender.run())
        incident = await bench.open()
        for text in ("the first line", "the second line"):
            await bench.line(incident, text)
            await bench.settled()
        bench.sender.stop()


@pytest.mark.parametrize("shorten", [no_message, no_thread, only_ts])
async def test_a_reply_whose_answer_names_no_thread_is_not_taken_back(
    sqlite_store: SqlStore, shorten: Callable[[Answer], Answer]
) -> None:
    """One card, and both lines below it."""
    async with answering(shorten) as slack, bench_on(sqlite_store, slack) as bench:
        await a_card_and_two_lines(bench)
        (card,) = bench.cards()
        told = str([message.blocks for message in slack.thread(card)])
        assert told.count("the first line") == told.count("the second line") == 1
        assert not slack.calls.of("chat.delete") + slack.calls.of("conversations.history")


@pytest.mark.parametrize("shorten", [no_message, no_thread])
async def test_a_line_whose_card_was_deleted_is_noticed_without_its_answer(
    sqlite_store: SqlStore, shorten: Callable[[Answer], Answer]
) -> None:
    """The thread is looked at: it is gone, so the stray line is taken back and the card is posted anew."""
    async with answering(shorten) as slack, bench_on(sqlite_store, slack) as bench:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.sender.run())
            incident = await bench.open()
            await bench.settled()
            slack.delete(bench.cards()[0])
            await bench.line(incident, "a line of a thread that is gone")
            await bench.settled()
            bench.sender.stop()
        (card,) = bench.cards()
        assert len(slack.thread(card)) == 1


async def test_without_a_look_an_answer_that_shows_no_message_is_not_doubted(sqlite_store: SqlStore) -> None:
    """Where nobody can tell, a reply counts as one: else its card would be posted anew without end."""
    async with answering(no_message) as slack, bench_on(sqlite_store, slack) as bench:
        slack.faults.add(Fault.error("conversations.replies", "unknown_method", 1000))
        await a_card_and_two_lines(bench)
        (card,) = bench.cards()
        assert len(slack.thread(card)) == 2

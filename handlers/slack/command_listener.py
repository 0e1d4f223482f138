"""Listens for ``/triage`` and for mentions, and answers in place.

The command is acknowledged at once. What takes longer than ``PROMPT_SECONDS`` says "looking…" meanwhile, and the
answer replaces it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import aiohttp
from loguru import logger
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.answer_files import upload, upload_for
from handlers.slack.buttons import what_happened
from handlers.slack.click import read_click
from handlers.slack.command import Call, CommandServices, authorise
from handlers.slack.command_line import CommandLine, incident_id, read_line
from handlers.slack.commands.help import help_answer
from handlers.slack.reply import answer_beside, answer_privately, by_name, named_text
from triage.concurrency import FAULTS, is_stop
from triage.errors import StoreUnavailable, TriageError
from triage.ports.chat import Answer, AnswerFile, saying
from triage.ports.store import Tx
from triage.untrusted_text import one_line
from triage.wording import nearest, together

PROMPT_SECONDS = 1.2
ANSWER_SECONDS = 120.0
SEND_SECONDS = 10.0
OK = 200
LOOKING = "Looking… The answer takes this line's place, or stands above it."
"""True however late Slack shows it: what is said at an address is not found again, so it cannot be taken back."""
MENTION = "<@"


def register_commands(app: AsyncApp, services: CommandServices, *, our_user: str) -> None:
    """Register the slash command and the mention."""
    app.command("/triage")(slash(services))
    app.event("app_mention")(mention(services, our_user))


def slash(services: CommandServices) -> Callable[..., Awaitable[None]]:
    """Return the listener of ``/triage``."""

    async def typed(
        ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient
    ) -> None:
        await ack()
        async with services.services.in_flight.one():
            line = read_line(str(body.get("text") or ""))
            call = Call(
                user=str(body.get("user_id", "")),
                user_name=str(body.get("user_name", "")),
                channel=str(body.get("channel_id", "")),
                trigger_id=str(body.get("trigger_id", "")),
                public=line.share,
            )
            answer = await _answer_in_place(services, call, line, respond, client)
            if answer is not None:
                about = services.render(answer).text
                if said := await _hand_out(services, client, call, answer.files, about):
                    shown = services.render(saying(said))
                    await _send(
                        respond,
                        text=named_text(shown.text),
                        blocks=by_name(list(shown.blocks)),
                        response_type="ephemeral",
                        replace_original=False,
                    )

    return typed


async def _answer_in_place(
    services: CommandServices, call: Call, line: CommandLine, respond: AsyncRespond, client: AsyncWebClient
) -> Answer | None:
    looking = False
    async with asyncio.TaskGroup() as group:
        answering = group.create_task(answer_to(services, call, line))
        done, _ = await asyncio.wait([answering], timeout=PROMPT_SECONDS)
        if not done:
            await _send(respond, text=LOOKING, response_type="ephemeral")
            looking = True  # also where Slack did not say so: what may stand there is to be replaced
    answer = answering.result()
    if answer is None:
        if looking:
            await _send(respond, delete_original=True)
        return None
    shown = services.render(answer)
    share = line.share and not answer.private
    if looking and share:  # what one person saw cannot become what everybody sees
        await _send(respond, delete_original=True)
    # A bare sentence, a refusal above all, may name people by their ids; reports name them themselves.
    ids = not share and not answer.title
    text = named_text(shown.text) if ids else shown.text
    blocks = by_name(list(shown.blocks)) if ids else list(shown.blocks)
    refused = await _send(
        respond,
        text=text,
        blocks=blocks,
        response_type="in_channel" if share else "ephemeral",
        replace_original=looking and not share,
        delete_original=False,
    )
    if refused:  # the address has expired, or is used up: the person is told another way
        await answer_beside(client, call.channel, call.user, text, blocks)
    return answer


async def _hand_out(
    services: CommandServices, client: AsyncWebClient, call: Call, files: Sequence[AnswerFile], about: str
) -> str:
    """Send files; only an operator's go into a channel. Returns what the person is to be told, or nothing."""
    if not files:
        return ""
    decision = await services.services.roles.decide(call.user, "operator", "put files into a channel")
    if call.public and decision.allowed:
        why = await upload(client, files, call.channel, call.thread_ts)
        mend = "Invite me into this channel (/invite) and ask again."
    else:
        why = await upload_for(client, files, call.user, about)
        mend = "Add share to the command and they come here, for everybody." if decision.allowed else ""
    if why:
        return f"The pictures could not be sent ({why}). {mend}".rstrip()
    if call.public and not decision.allowed:
        return f"The pictures are in your direct messages with me. {decision.why}"
    return ""


async def _send(respond: AsyncRespond, **content: Any) -> bool:  # noqa: ANN401 - the SDK's own arguments
    """Answer at the address that came with a command. Returns whether Slack refuses it there: then nobody sees it."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            answer = await respond(**content)
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        logger.warning("an answer did not reach Slack: {error}", error=error)
        return False
    status = getattr(answer, "status_code", OK)
    if status == OK:
        return False
    said = one_line(str(getattr(answer, "body", "")), 60)
    logger.warning("Slack does not take an answer: HTTP {status} {said}", status=status, said=said)
    return True


async def answer_to(services: CommandServices, call: Call, line: CommandLine) -> Answer | None:
    """Answer a command line; whatever goes wrong is said, and None means that a form is the answer."""
    word, *arguments = together((line.command, *line.arguments), services.commands)
    command = services.commands.get(word)
    if command is None:
        return _unknown(services, line.command)
    limit = asyncio.timeout(ANSWER_SECONDS)
    try:
        async with limit:
            named = incident_id(arguments[0]) if arguments else call.incident_id
            await authorise(services, call, command, named)
            return await command.run(services, call, tuple(arguments))
    except StoreUnavailable as error:
        return replace(saying(what_happened(error)), private=True)
    except TriageError as error:
        return replace(saying(str(error)), private=True)
    except FAULTS as error:  # the person must get an answer; the log has the traceback
        if is_stop(error):
            raise
        if limit.expired():
            return saying(
                f"That took longer than {ANSWER_SECONDS:g} s, so I stopped. A source may be slow: /triage status"
            )
        logger.bind(command=line.command, user=call.user).exception("command failed")
        return saying("That went wrong here, not with you; the log has the reason. Please try again.")


def _unknown(services: CommandServices, word: str) -> Answer:
    like = nearest(word, services.commands) or next(
        (one for one in services.commands if word.startswith(one)), ""
    )
    help_text = help_answer(services.commands.values())
    meant = f" Did you mean /triage {services.commands[like].usage}?" if like else ""
    if (number := incident_id(word)) is not None:
        meant = f" Did you mean /triage show INC-{number}?"
    said = f"I do not know {one_line(word, 40)!r}.{meant}"
    return Answer("", (*saying(said).sections, *help_text.sections), note=help_text.note, preview=said)


def mention(services: CommandServices, our_user: str) -> Callable[..., Awaitable[None]]:
    """Return the listener of mentions: the command's words behind the name, answered in the thread."""

    async def mentioned(body: dict[str, Any], event: dict[str, Any], client: AsyncWebClient) -> None:
        async with services.services.in_flight.one():
            now = services.services.clock.now()
            event_id = str(body.get("event_id", ""))
            fresh = await services.services.store.write(
                lambda tx: tx.notes.once("slack_event", event_id, now)
            )
            if not fresh or event.get("bot_id"):
                return
            channel, thread = (
                str(event.get("channel", "")),
                str(event.get("thread_ts") or event.get("ts", "")),
            )
            call = Call(
                user=str(event.get("user", "")),
                user_name="",
                channel=channel,
                thread_ts=thread,
                incident_id=await _incident_of(services, channel, str(event.get("thread_ts") or "")),
                public=True,
            )
            text = str(event.get("text", "")).replace(f"{MENTION}{our_user}>", " ")
            answer = await answer_to(services, call, read_line(text))
            asked = read_click(
                {
                    "user": {"id": call.user},
                    "channel": {"id": channel},
                    "message": {"ts": event.get("ts"), "thread_ts": event.get("thread_ts")},
                }
            )
            if answer is not None and answer.private:
                # It names who may: shown by name it would ping them in public.
                await answer_privately(client, asked, answer.summary)
                return
            shown = services.render(
                answer or saying("That opens a form: type it as a slash command, please.")
            )
            await _post(client, channel, thread, shown.text, list(shown.blocks))
            files = answer.files if answer is not None else ()
            if said := await _hand_out(services, client, call, files, shown.text):
                await answer_privately(client, asked, said)

    return mentioned


async def _incident_of(services: CommandServices, channel: str, thread: str) -> int | None:
    if not thread:
        return None

    def find(tx: Tx) -> int | None:
        message = tx.outbox.by_post_id(channel, thread)
        return message.incident_id if message is not None else None

    return await services.services.store.read(find)


async def _post(client: AsyncWebClient, channel: str, thread: str, text: str, blocks: list[Any]) -> None:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await client.chat_postMessage(
                channel=channel,
                thread_ts=thread,
                text=text,
                blocks=blocks,
                unfurl_links=False,
                unfurl_media=False,
            )
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        logger.warning("an answer did not reach Slack: {error}", error=error)

"""What every form has in common once it is submitted: stored and closed, or kept open with what is wrong in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.click import Click
from handlers.slack.reply import answer_privately
from triage.errors import BadInput, Refused


class BadForm(BadInput):
    """A field cannot be taken: ``errors`` says why, by block id."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


async def close_once_stored(
    ack: AsyncAck, client: AsyncWebClient, store: Callable[[], Awaitable[tuple[Click, str]]], refused_at: str
) -> bool:
    """Store a form, then close it and say so; else leave it open with the fault at its field. Whether it was stored.

    ``store`` returns who submitted it and what they are told. ``refused_at``: the block that shows a refusal.
    """
    try:
        click, text = await store()
    except BadForm as wrong:
        await ack(response_action="errors", errors=wrong.errors)
        return False
    except Refused as refusal:
        await ack(response_action="errors", errors={refused_at: str(refusal)})
        return False
    await ack()
    await answer_privately(client, click, text)
    return True

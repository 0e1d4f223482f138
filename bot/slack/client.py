"""The few calls to Slack that this bot makes. Each is made once: whoever calls decides about a second time."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.errors import Gone, OutcomeUnknown, classify
from bot.slack.rendered import Rendered
from triage.model import Json
from triage.ports.clock import Clock, SystemClock

SLACK = "https://slack.com/api/"
EVENT_TYPE = "triage_delivery"
TIMEOUT_SECONDS = 8.0
"""After this long a call is given up. Slack may do it all the same, and much later."""
CLOCK_SKEW = timedelta(minutes=5)
"""How much farther than two clocks were seen to differ they may be apart: a scan begins that much before the attempt."""
UNKNOWN_SKEW, MOST_SKEW = timedelta(hours=1), timedelta(days=1)
"""What is reckoned with before a post has shown it, and at the most: farther back a scan has no end."""
CHANNEL_ID = re.compile(r"[CGD](?:(?=[A-Z]*[0-9])[A-Z0-9]+|[A-Z]{8,})")
"""A channel's id: a name has no capital letters. Some ids have no digit; a short word without one is a name."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the token is (``auth.test``)."""

    team_id: str
    team: str
    user_id: str
    bot_id: str
    url: str = ""
    enterprise_id: str | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message is: the channel's id (even where a name was given), its ts, the thread it is in.

    ``thread_ts``: empty where it is in none, None where the answer shows no message and so does not tell.
    """

    channel_id: str
    ts: str
    thread_ts: str | None = ""


def posted_at(ts: str) -> datetime:
    """Return when Slack posted a message: its ts is that time."""
    return datetime.fromtimestamp(float(ts), UTC)


class SlackClient:
    """Calls Slack's Web API; every method raises a ``SlackFailure`` and nothing else.

    ``clock_skew``: by how much Slack's clock may be behind ours, as its answers and the posts among them show.
    """

    def __init__(self, web: AsyncWebClient, clock: Clock | None = None) -> None:
        self.web = web
        self._clock = clock or SystemClock()
        self._behind: timedelta | None = None
        self._behind_by_date = timedelta()

    @property
    def clock_skew(self) -> timedelta:
        """By how much earlier than an attempt its message may be stamped."""
        seen = CLOCK_SKEW + max(self._behind_by_date, self._behind or timedelta())
        return max(UNKNOWN_SKEW, seen) if self._behind is None else seen

    async def call(self, method: str, **arguments: Json) -> dict[str, Any]:
        """Call a method once and return its answer."""
        sent = {name: value for name, value in arguments.items() if value is not None}
        return _answer(method, await self._ask(method, json=sent))

    async def read(self, method: str, **arguments: str | int | bool | None) -> dict[str, Any]:
        """Call a method that only reads (Slack takes no JSON body there)."""
        sent = {name: value for name, value in arguments.items() if value is not None}
        return _answer(method, await self._ask(method, http_verb="GET", params=sent))

    async def app_call(self, method: str, app_token: str) -> dict[str, Any]:
        """Call a method of the app itself, with its own token."""
        bearer = {"Authorization": f"Bearer {app_token}"}
        return _answer(method, await self._ask(method, headers=bearer))

    async def _ask(self, method: str, **request: Any) -> AsyncSlackResponse:  # noqa: ANN401 - as the SDK takes it
        try:
            answer = await self.web.api_call(method, **request)
        except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise classify(error, method) from error
        except (
            AttributeError,
            RecursionError,
        ) as error:  # the SDK, of a number or text for an answer, or of endless lists
            raise OutcomeUnknown(method, "bad_answer", type(error).__name__) from error
        self._compare_dates(answer)
        return answer

    async def identity(self) -> Identity:
        """Say who we are."""
        response = await self._ask("auth.test")
        _answer("auth.test", response)
        scopes = str(response.headers.get("x-oauth-scopes", "") or "")
        return Identity(
            team_id=str(response.get("team_id", "")),
            team=str(response.get("team", "")),
            user_id=str(response.get("user_id", "")),
            bot_id=str(response.get("bot_id", "")),
            url=str(response.get("url", "")),
            enterprise_id=response.get("enterprise_id"),
            scopes=frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
        )

    async def post(
        self, channel: str, rendered: Rendered, payload: Mapping[str, Json], *, thread_ts: str = ""
    ) -> Posted:
        """Post a message whose metadata carries ``payload``, by which it is found again."""
        answer = await self.call(
            "chat.postMessage",
            channel=channel,
            text=rendered.text,
            blocks=list(rendered.blocks) or None,
            metadata={"event_type": EVENT_TYPE, "event_payload": dict(payload)},
            thread_ts=thread_ts or None,
            reply_broadcast=True if rendered.in_channel and thread_ts else None,
            unfurl_links=False,
            unfurl_media=False,
        )
        message = answer.get("message")
        thread = str(message.get("thread_ts") or "") if isinstance(message, dict) else None
        if "channel" not in answer and CHANNEL_ID.fullmatch(
            channel
        ):  # a server that says less than Slack does
            answer = {**answer, "channel": channel}
        place, ts = (text_of(answer, name, "chat.postMessage") for name in ("channel", "ts"))
        self._compare_clocks(ts)
        return Posted(channel_id=place, ts=ts, thread_ts=thread)

    def _compare_clocks(self, ts: str) -> None:
        """Learn how far Slack's clock is behind ours; the most that was seen counts, for ours may be set."""
        try:
            behind = self._clock.now() - posted_at(ts)
        except (ValueError, OverflowError, OSError):
            return
        self._behind = min(MOST_SKEW, max(behind, self._behind or timedelta()))

    def _compare_dates(self, answer: AsyncSlackResponse) -> None:
        """Learn how far Slack's clock may be behind ours before it has answered a post: each answer has its date."""
        try:
            date = parsedate_to_datetime(str(answer.headers.get("Date")))
            behind = self._clock.now() - date.astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            return
        self._behind_by_date = min(MOST_SKEW, max(behind, self._behind_by_date))

    async def edit(self, channel_id: str, ts: str, rendered: Rendered) -> None:
        """Replace a message; its metadata stays."""
        await self.call(
            "chat.update", channel=channel_id, ts=ts, text=rendered.text, blocks=list(rendered.blocks)
        )

    async def delete(self, channel_id: str, ts: str) -> None:
        """Take a message of ours away; one that is gone already is as good."""
        try:
            await self.call("chat.delete", channel=channel_id, ts=ts)
        except Gone:
            return


def _answer(method: str, response: AsyncSlackResponse) -> dict[str, Any]:
    if not isinstance(response.data, dict):
        raise OutcomeUnknown(method, "bad_answer")
    return response.data


def text_of(answer: Mapping[str, Any], name: str, method: str) -> str:
    """Return a field of an answer that is a text with something in it. Raises OutcomeUnknown where it is none."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise OutcomeUnknown(method, "bad_answer", f"it has no {name}")
    return value


def list_of(answer: Mapping[str, Any], name: str, method: str) -> list[Any]:
    """Return a list of an answer: one that is not there is not an empty one. Raises OutcomeUnknown where it is none."""
    value = answer.get(name)
    if not isinstance(value, list):
        raise OutcomeUnknown(method, "bad_answer", f"it has no list of {name}")
    return value


def cursor_of(answer: Mapping[str, Any]) -> str | None:
    """Return what asks for the next page of an answer, None where it is the last one."""
    more = answer.get("response_metadata")
    cursor = more.get("next_cursor") if isinstance(more, dict) else None
    return str(cursor) if cursor else None


@asynccontextmanager
async def open_client(
    token: str, *, url: str = SLACK, timeout_seconds: float = TIMEOUT_SECONDS, clock: Clock | None = None
) -> AsyncIterator[SlackClient]:
    """Open a client with one pool of connections, no retries of its own, and a limit to every wait."""
    timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        # The SDK's own limit takes whole seconds and would win over the session's.
        # aiohttp, which gets it, takes a fraction too.
        web = AsyncWebClient(
            token,
            base_url=url,
            session=session,
            retry_handlers=[],
            timeout=timeout_seconds,  # type: ignore[arg-type]
        )
        if urlsplit(url).hostname in LOOPBACK:
            web.proxy = None  # the SDK reads HTTP_PROXY and knows no NO_PROXY
        yield SlackClient(web, clock)

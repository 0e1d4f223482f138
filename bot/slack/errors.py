"""Slack's refusals and silences as types; which of them is which is decided here and nowhere else.

::

    SlackFailure
    ├── RateLimited         429: this method (and channel) alone has to wait
    ├── OutcomeUnknown      it may have been done: look before doing it again
    ├── NotDone             it was certainly not done, and may work soon
    │   └── UnknownWord     so it seems: look before doing it again
    ├── Gone                the message or thread is not there any more
    ├── Misconfigured       no retry helps until a person mends something; the text says what
    └── ContentRefused      Slack does not take this content

A refusal binds the place of the message that was refused (its channel, and what was to be done there), and no
other message; only a token that is not valid any more binds all of them (``whole_app``).
"""

from __future__ import annotations

import asyncio
import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.refusal_words import (
    CONTENT,
    ELSEWHERE,
    GONE,
    KEPT,
    MEND,
    MEND_APP_TOKEN,
    NOT_DONE,
    OF_MESSAGE,
    REFERENCE,
    UNKNOWN,
)
from triage.errors import TriageError
from triage.outside_numbers import real
from triage.untrusted_text import one_line

OK, TOO_MANY, SERVER_ERROR = 200, 429, 500
DEFAULT_RETRY_AFTER = 1.0
LONGEST_CODE, LONGEST_DETAIL = 80, 600
"""The longest word of Slack's has 40 letters."""
LONGEST_RETRY_AFTER = 300.0
"""So long a 429 is obeyed: then Slack is asked again, which costs it nothing, whatever it wrote."""


class SlackFailure(TriageError):
    """A call to Slack did not give what was asked. ``code`` is Slack's word, or ours where it said none.

    ``detail`` says more; where a person has to mend something, what. Both are cut: they go into the log and ``/readyz``.
    """

    def __init__(self, method: str, code: str, detail: str = "") -> None:
        code, detail = one_line(code, LONGEST_CODE), one_line(detail, LONGEST_DETAIL)
        super().__init__(f"{method}: {code}{f' ({detail})' if detail else ''}")
        self.method = method
        self.code = code
        self.detail = detail


class RateLimited(SlackFailure):
    """Slack asks to wait ``retry_after`` seconds with this method (and channel)."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(method, "ratelimited", f"wait {retry_after:g} s")
        self.retry_after = retry_after


class OutcomeUnknown(SlackFailure):
    """No answer, or one that does not tell whether it was done."""


class NotDone(SlackFailure):
    """Not done: no connection, Slack is busy, or it refused this one message."""


class UnknownWord(NotDone):
    """It refused with a word that we do not know, which may mean that it was done in part."""


class Gone(SlackFailure):
    """The message or the thread is not there."""


def kept_for_good(failure: SlackFailure) -> bool:
    """Whether Slack never removes that message: its text can be changed, no more."""
    return failure.code in KEPT


class Misconfigured(SlackFailure):
    """A token, a scope or a channel is wrong; ``whole_app``: not for this channel alone."""

    @property
    def whole_app(self) -> bool:
        """Whether every channel is concerned."""
        return self.code in {
            "invalid_auth",
            "not_authed",
            "account_inactive",
            "token_revoked",
            "token_expired",
            "accesslimited",
        }

    @property
    def elsewhere(self) -> bool:
        """Whether the channel may be somewhere else by now: archived and made anew, or another one in the settings."""
        return self.code in ELSEWHERE


class ContentRefused(SlackFailure):
    """Slack refuses the content; nothing was posted."""


def classify(error: Exception, method: str) -> SlackFailure:
    """Return what an exception of a call means for the message that was to be sent."""
    if isinstance(error, SlackFailure):
        return error
    if isinstance(error, SlackApiError):
        return _answered(error.response, method)
    # The last is what the name of a host says that can be none, such as ``a..b``.
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL) or type(error) is UnicodeError:
        return NotDone(method, "unreachable", str(error))
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return OutcomeUnknown(method, "timeout")
    if isinstance(error, aiohttp.ClientError | OSError):
        return OutcomeUnknown(method, "connection_broken", str(error) or type(error).__name__)
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | SlackClientError):
        return OutcomeUnknown(method, "bad_answer", type(error).__name__)
    raise error


def _answered(response: Any, method: str) -> SlackFailure:  # noqa: ANN401 - the SDK gives its response or aiohttp's
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", OK))
    if status == TOO_MANY:
        return RateLimited(method, _retry_after(getattr(response, "headers", {})))
    came = getattr(response, "data", None)
    data = came if isinstance(came, dict) else {}
    code = data.get("error")
    if status >= SERVER_ERROR or not isinstance(code, str) or not code:
        return OutcomeUnknown(method, "bad_answer", f"HTTP {status}")
    return refusal(method, code, _details(data))


def refusal(method: str, code: str, detail: str = "") -> SlackFailure:
    """Return what ``{"ok": false, "error": code}`` means."""
    if code in {"ratelimited", "rate_limited"}:
        return RateLimited(method, DEFAULT_RETRY_AFTER)
    for codes, kind in ((UNKNOWN, OutcomeUnknown), (NOT_DONE, NotDone), (GONE, Gone)):
        if code in codes:
            return kind(method, code)
    if code in CONTENT:
        return ContentRefused(method, code, detail)
    if method.startswith("apps.") and code in MEND:
        mend = MEND_APP_TOKEN.get(code) or REFERENCE.format(method=method)
        return Misconfigured(method, code, "; ".join(filter(None, (mend, detail))))
    if code in MEND:
        mend = REFERENCE.format(method=method) if _of_a_person(method, MEND[code]) else MEND[code]
        return Misconfigured(method, code, "; ".join(filter(None, (mend, detail))))
    # A word we do not know concerns this message alone.
    mend = OF_MESSAGE.get(code) or REFERENCE.format(method=method)
    kind = NotDone if code in OF_MESSAGE else UnknownWord
    return kind(method, code, "; ".join(filter(None, (detail, mend))))


def _of_a_person(method: str, mend: str) -> bool:
    """Whether a mend speaks of our channel though the call was about a person's tab, form or group."""
    return "TRIAGE_CHANNEL" in mend and method.startswith(("views.", "users.", "usergroups."))


def _retry_after(headers: Any) -> float:  # noqa: ANN401 - a case-insensitive mapping, or the SDK's dict of lists
    value = headers.get("Retry-After") or headers.get("retry-after")
    if isinstance(value, list):
        value = value[0] if value else None
    seconds = _seconds(str(value)) if value is not None else DEFAULT_RETRY_AFTER
    # Compared so that what is no number (nan) is the shortest.
    return min(LONGEST_RETRY_AFTER, seconds) if seconds > DEFAULT_RETRY_AFTER else DEFAULT_RETRY_AFTER


def _seconds(text: str) -> float:
    """Read what a Retry-After holds: seconds, or the date until which to wait."""
    try:
        return real(text.strip())
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text)
        return until.timestamp() - time.time()
    except (ValueError, OverflowError):
        return DEFAULT_RETRY_AFTER


def _details(data: dict[str, Any]) -> str:
    more = data.get("response_metadata")
    messages = data.get("errors") or (more.get("messages") if isinstance(more, dict) else None)
    said = [str(message) for message in messages[:3]] if isinstance(messages, list) else []
    return "; ".join([*said, *([f"needs {data['needed']}"] if data.get("needed") else [])])

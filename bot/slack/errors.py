"""Slack's refusals and silences as types; which of them is which is decided here and nowhere else.

::

    SlackFailure
    ├── RateLimited         429: this method (and channel) alone has to wait
    ├── OutcomeUnknown      it may have been done: look before doing it again
    ├── NotDone             it was certainly not done, and may work soon
    ├── Gone                the message or thread is not there any more
    ├── Misconfigured       no retry helps until a person mends something; the text says what
    └── ContentRefused      Slack does not take this content

A refusal binds the place of the message that was refused (its channel, and what was to be done there), and no
other message; only a token that is not valid any more binds all of them (``whole_app``).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from triage.errors import TriageError

OK, TOO_MANY, SERVER_ERROR = 200, 429, 500
DEFAULT_RETRY_AFTER = 1.0

_UNKNOWN = frozenset({"fatal_error", "internal_error", "request_timeout", "team_added_to_org"})
_NOT_DONE = frozenset({"service_unavailable", "ratelimited", "rate_limited", "message_limit_exceeded"})
_GONE = frozenset(
    {
        "message_not_found",
        "thread_not_found",
        "cant_update_message",
        "edit_window_closed",
        "cannot_reply_to_message",
    }
)
_CONTENT = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "invalid_arguments",
        "invalid_metadata_format",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "markdown_text_conflict",
        "too_many_attachments",
        "view_too_large",
    }
)
CLOSED = {
    "edit_window_closed": "the workspace closes messages for edits, so each change of a card is a new message: "
    "ask an admin to let the app edit its messages at any time",
    "cant_update_message": "the card is not this app's (was the app made anew?): it is posted anew",
}
"""Slack has the message, and does not let us edit it any more: said, for the older text goes on standing there."""
_KEPT = frozenset({"cant_delete_message", "compliance_exports_prevent_deletion"})
_MEND = {
    "channel_not_found": "is TRIAGE_CHANNEL right, and the bot a member of it? (/invite it there)",
    "not_in_channel": "invite the bot to the channel: /invite @hbot-triage",
    "is_archived": "the channel is archived: name another one in TRIAGE_CHANNEL",
    "invalid_auth": "SLACK_BOT_TOKEN is not valid: copy it again from the app's page",
    "not_authed": "SLACK_BOT_TOKEN is empty",
    "account_inactive": "the app was removed from the workspace: install it again",
    "token_revoked": "SLACK_BOT_TOKEN was revoked: install the app again",
    "token_expired": "SLACK_BOT_TOKEN has expired: install the app again",
    "missing_scope": "the app lacks a scope: compare it with deploy/slack-manifest.yaml and reinstall",
    "restricted_action": "a workspace rule forbids the bot to post there: ask an admin",
    "restricted_action_read_only_channel": "the channel is read-only: let the bot post there, or name another one",
    "restricted_action_thread_only_channel": "the channel takes nothing but threads: allow posts, or name another one",
    "restricted_action_non_threadable_channel": "the channel takes no threads: allow them, or name another one",
    "ekm_access_denied": "a workspace rule forbids the bot to post there: ask an admin",
    "enterprise_is_restricted": "a rule of the organisation forbids it: ask an admin of the organisation",
    "team_access_not_granted": "the app has no access to this workspace: grant it in the organisation's settings",
    "team_not_found": "the app has no access to this workspace: install it there",
    "access_denied": "the app may not do this there: ask an admin, or invite the bot again",
    "no_permission": "the app may not do this there: compare it with deploy/slack-manifest.yaml and reinstall",
    "not_allowed_token_type": "SLACK_BOT_TOKEN must be the bot's token (xoxb-…): copy it from the app's page",
    "org_login_required": "the workspace moves to an organisation: wait for its end, then install the app again",
    "two_factor_setup_required": "the workspace asks its members for two-factor sign-in: ask an admin",
    "messages_tab_disabled": "turn on the Messages tab of the app's Home, or name a channel",
    "cannot_dm_bot": "TRIAGE_CHANNEL names a bot: name a channel",
    "user_not_found": "TRIAGE_CHANNEL names nobody: name a channel",
    "user_disabled": "TRIAGE_CHANNEL names somebody who left: name a channel",
    "channel_type_not_supported": "messages cannot be posted to that kind of channel: name another one",
    "method_not_supported_for_channel_type": "that kind of channel does not take it: name another one",
    "file_uploads_disabled": "the workspace takes no files: ask an admin to allow them",
    "storage_limit_reached": "the workspace has no room for files: ask an admin",
    "no_such_subteam": "desk.yaml names a user group that the workspace does not have: name another one",
    "paid_teams_only": "user groups need a paid plan: name people in desk.yaml instead",
    "not_enabled": "turn on the Home tab on the app's page (App Home)",
}
REFERENCE = "what to mend: https://docs.slack.dev/reference/methods/{method}"
"""Where Slack itself says what a word means for which we know no mend."""
_ELSEWHERE = frozenset({"is_archived", "channel_not_found", "channel_is_archived", "is_inactive"})
"""The channel is not there (any more): one made anew under its name has another id."""


class SlackFailure(TriageError):
    """A call to Slack did not give what was asked. ``code`` is Slack's word, or ours where it said none.

    ``detail`` says more; where a person has to mend something, what.
    """

    def __init__(self, method: str, code: str, detail: str = "") -> None:
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
    """Not done: no connection, Slack is busy, or it refused with a word that we do not know."""


class Gone(SlackFailure):
    """The message or the thread is not there."""


def kept_for_good(failure: SlackFailure) -> bool:
    """Whether Slack never removes that message: its text can be changed, no more."""
    return failure.code in _KEPT


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
        }

    @property
    def elsewhere(self) -> bool:
        """Whether the channel may be somewhere else by now: archived and made anew, or another one in the settings."""
        return self.code in _ELSEWHERE


class ContentRefused(SlackFailure):
    """Slack refuses the content; nothing was posted."""


def classify(error: Exception, method: str) -> SlackFailure:
    """Return what an exception of a call means for the message that was to be sent."""
    if isinstance(error, SlackFailure):
        return error
    if isinstance(error, SlackApiError):
        return _answered(error.response, method)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL):
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
    data = getattr(response, "data", None)
    if status >= SERVER_ERROR or not isinstance(data, dict) or not data.get("error"):
        return OutcomeUnknown(method, "bad_answer", f"HTTP {status}")
    return refusal(method, str(data["error"]), _details(data))


def refusal(method: str, code: str, detail: str = "") -> SlackFailure:
    """Return what ``{"ok": false, "error": code}`` means."""
    if code in {"ratelimited", "rate_limited"}:
        return RateLimited(method, DEFAULT_RETRY_AFTER)
    for codes, kind in ((_UNKNOWN, OutcomeUnknown), (_NOT_DONE, NotDone), (_GONE, Gone)):
        if code in codes:
            return kind(method, code)
    if code in _CONTENT:
        return ContentRefused(method, code, detail)
    if code in _MEND:
        return Misconfigured(method, code, "; ".join(filter(None, (_MEND[code], detail))))
    # A word we do not know concerns this message alone.
    return NotDone(method, code, "; ".join(filter(None, (detail, REFERENCE.format(method=method)))))


def _retry_after(headers: Any) -> float:  # noqa: ANN401 - a case-insensitive mapping, or the SDK's dict of lists
    value = headers.get("Retry-After") or headers.get("retry-after")
    if isinstance(value, list):
        value = value[0] if value else None
    try:
        return max(0.0, float(value)) if value is not None else DEFAULT_RETRY_AFTER
    except ValueError:
        return DEFAULT_RETRY_AFTER


def _details(data: dict[str, Any]) -> str:
    messages = data.get("errors") or (data.get("response_metadata") or {}).get("messages") or ()
    needed = f"needs {data['needed']}" if data.get("needed") else ""
    return "; ".join([*(str(message) for message in messages[:3]), *([needed] if needed else [])])

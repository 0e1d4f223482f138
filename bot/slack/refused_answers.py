"""What Slack refuses of the answers to people, noted for ``/readyz``: who pressed a button is told, an operator must know.

Every listener's client makes its calls through the SDK's retry handlers: one that never retries sees each answer, so
that no listener can forget to note its own.
"""

from __future__ import annotations

from http import HTTPStatus

from slack_sdk.errors import SlackRequestError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

from bot.slack.errors import ContentRefused, Misconfigured, NotDone, refusal
from bot.slack.problems import Problems
from handlers.slack.reply import TOO_LATE
from triage.ports.clock import Clock

REMEMBERED_SECONDS = 3600.0
"""A form is opened when somebody presses: so long it is said, unless one opens before."""
_VIEWS, _APP = "views.", "apps."
_API = "/api/"
"""In the address of each method; a file's contents go to another one, which answers with plain text."""
_PASSING = frozenset(
    {
        *TOO_LATE,
        *("not_found", "hash_conflict", "service_unavailable", "message_limit_exceeded"),
    }
)
"""Of a view: the person was too late, or has closed it; or Slack is busy."""


class RefusedAnswers(AsyncRetryHandler):
    """Notes refusals of views, and of any call for want of a scope; each is over when the method works again."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._problems = Problems(clock, remembered_seconds=REMEMBERED_SECONDS)

    @property
    def problems(self) -> dict[str, str]:
        """By method, what a person must mend; empty when all is well."""
        return self._problems.current()

    async def can_retry_async(
        self,
        *,
        state: RetryState,  # noqa: ARG002 - as the SDK calls it
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        """Note what came of a call; nothing is ever tried again here.

        Raises SlackRequestError where an answer of 200 is a number, a text or a list, or one is nested without end: what
        the SDK raises of those is no error of its own, and no listener knows it.
        """
        if isinstance(error, RecursionError) or (
            error is None and response is not None and _API in request.url and _is_no_object(response)
        ):
            raise SlackRequestError("Slack's answer is no object") from error
        body = response.body if response is not None else None
        if isinstance(body, dict):
            method = request.url.rsplit("/", 1)[-1]
            self._note(method, "" if body.get("ok") else str(body.get("error") or ""), body.get("needed"))
        return False

    def _note(self, method: str, code: str, needed: object) -> None:
        if method.startswith(_APP):  # what the sockets ask for, and say themselves
            return
        if not code:
            self._problems.over(method)
            return
        failure = refusal(method, code, f"needs {needed}" if needed else "")
        view = method.startswith(_VIEWS) and code not in _PASSING
        mistake = view and isinstance(failure, Misconfigured | ContentRefused | NotDone)
        if mistake or code == "missing_scope":
            self._problems.say(method, str(failure))


def _is_no_object(response: HttpResponse) -> bool:
    """Whether an answer that says to be well is something else than an object; ``data``: it is plain text."""
    body = response.body or response.data
    return response.status_code == HTTPStatus.OK and bool(body) and not isinstance(body, dict)

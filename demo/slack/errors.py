"""What the server refuses, in Slack's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class SlackError(Exception):
    """An answer `{"ok": false, "error": code}`.

    `messages` are the plain reasons (`must be less than 76 characters [json-pointer:/blocks/0/…]`), which the answer
    carries both as `errors` and as `response_metadata.messages`; `extra` joins the answer as it is.
    """

    def __init__(
        self, code: str, messages: Sequence[str] = (), *, extra: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(code if not messages else f"{code}: {'; '.join(messages)}")
        self.code = code
        self.messages = tuple(messages)
        self.extra = dict(extra or {})

    def answer(self) -> dict[str, object]:
        """Slack's JSON for this refusal."""
        body: dict[str, object] = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            body["errors"] = list(self.messages)
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body


class NoSuchElementError(LookupError):
    """A test or the page tried to use something that is not on the screen."""

"""One call of a method: its arguments, read strictly, and what it may touch."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demo.slack.errors import SlackError

if TYPE_CHECKING:
    from demo.slack.backend import SlackBackend
    from demo.slack.model import Channel, Json, Token
    from demo.slack.workspace import Workspace


class Args:
    """Arguments of a call. They arrive as JSON, as a form or in the query, so numbers and lists may be strings."""

    def __init__(self, values: Json) -> None:
        self.values = values

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string; without a default it must be there."""
        value = self.values.get(name)
        if value is None or value == "":
            if default is None:
                raise SlackError("invalid_arguments", [f"missing required field: {name}"])
            return default
        if isinstance(value, bool | dict | list):
            raise SlackError("invalid_arguments", [f"must provide a string [json-pointer:/{name}]"])
        return str(value)

    def maybe(self, name: str) -> str | None:
        """Return a string, or None when it is absent or empty."""
        return self.text(name, "") or None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a truth value."""
        value = self.values.get(name)
        return default if value is None else value in {True, "1", "true", "True"}

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number from 1 to `most`; `SlackError` `invalid_limit` for what is none."""
        try:
            value = int(self.values.get(name) or default)
        except (TypeError, ValueError):
            raise SlackError("invalid_limit") from None
        return min(max(value, 1), most)

    def json(self, name: str, refusal: str = "invalid_arguments") -> Any:  # noqa: ANN401 - any JSON value
        """Return a JSON value that may have been sent as a string; `refusal` is the error when it is broken."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackError(refusal) from None

    def blocks(self, name: str) -> list[Json] | None:
        """Return a list of objects, or None when it was not sent; `SlackError` `invalid_blocks_format`."""
        value = self.json(name, "invalid_blocks_format")
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise SlackError("invalid_blocks_format")
        return value


@dataclass(frozen=True)
class WebCall:
    """A call that is allowed: who makes it, with what, and the server it is for."""

    method: str
    args: Args
    token: Token
    server: SlackBackend

    @property
    def workspace(self) -> Workspace:
        """The server's workspace."""
        return self.server.workspace

    def channel(self, name: str = "channel", *, by_name: bool = False) -> Channel:
        """Return the channel an argument names, if the caller can see it; `SlackError` `channel_not_found`."""
        key = self.args.text(name, "")
        found = self.workspace.channel(key) if by_name else self.workspace.channels.get(key)
        if found is None or (found.is_private and self.token.user not in found.members):
            raise SlackError("channel_not_found")
        return found

    def joined_channel(self, name: str = "channel", *, by_name: bool = False) -> Channel:
        """Return a channel the caller is a member of; also `not_in_channel` and `is_archived`."""
        found = self.channel(name, by_name=by_name)
        if self.token.user not in found.members:
            raise SlackError("not_in_channel")
        if found.is_archived:
            raise SlackError("is_archived")
        return found


def page(entries: list[Any], cursor: str | None, limit: int) -> tuple[list[Any], str]:
    """Return one page of a list and the cursor of the next (empty at the end); `SlackError` `invalid_cursor`."""
    start = 0
    if cursor:
        try:
            start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
        except (binascii.Error, ValueError):
            raise SlackError("invalid_cursor") from None
    end = start + limit
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(entries) else ""
    return entries[start:end], following

"""Requests to Alertmanager's API, read and refused as Alertmanager 0.25 does."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from demo.servers.am_model import LABEL_NAME, AmAlert, AmMatcher
from demo.servers.go_text import compile_regexp, ns_of_rfc3339
from demo.servers.local_server import compact

_GO_TYPES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}


class RefusedError(Exception):
    """A request answered with `status` and a JSON body."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def coded(status: int, message: str, code: int | None = None) -> RefusedError:
    """Return the refusal with a body `{code, message}`; the code is the status unless given."""
    return RefusedError(status, {"code": code or status, "message": message})


def answer_json(body: object, status: int = 200) -> web.Response:
    """Answer JSON as the real server does: no charset in its type."""
    content = (compact(body) + "\n").encode()
    return web.Response(status=status, body=content, headers={"Content-Type": "application/json"})


def flag(request: web.Request, name: str) -> bool:
    """Read a flag that is on unless it is said to be off; what is no boolean counts as off."""
    return request.query.get(name, "true").lower() in ("1", "true", "t", "yes", "y", "on", "ok", "checked")


def receiver_filter(request: web.Request) -> Callable[[Mapping[str, Any]], bool]:
    """Read `receiver`, a regular expression over whole names. Raises RefusedError."""
    pattern = request.query.get("receiver", "")
    if not pattern:
        return lambda _alert: True
    try:
        regexp: re.Pattern[str] = compile_regexp(f"^(?:{pattern})$")
    except ValueError as error:
        raise RefusedError(400, f"failed to parse receiver param: {error}") from error
    return lambda alert: any(regexp.fullmatch(r["name"]) for r in alert["receivers"])


async def read_body(request: web.Request, what: str, kind: type, model: str) -> Any:  # noqa: ANN401 (any JSON)
    """Read a JSON body of a type. Raises RefusedError."""
    if request.content_type != "application/json":
        raise coded(
            415, f'unsupported media type "{request.content_type}", only [application/json] are allowed'
        )
    try:
        body = json.loads(await request.text())
    except ValueError as error:
        raise coded(400, f'parsing {what} body from "" failed, because {error}') from error
    if not isinstance(body, kind):
        got = _GO_TYPES.get(type(body), "null")
        raise coded(
            400,
            f'parsing {what} body from "" failed, because json: cannot unmarshal {got} '
            f"into Go value of type {model}",
        )
    return body


def moment(item: Mapping[str, Any], name: str, what: str) -> int:
    """Read a timestamp; 0 when it is not given. Raises RefusedError."""
    text = str(item.get(name) or "")
    if not text or text.startswith("0001-01-01T00:00:00"):
        return 0
    try:
        return ns_of_rfc3339(text)
    except ValueError as error:
        raise coded(400, f'parsing {what} body from "" failed, because {error}') from error


def read_matcher(item: Mapping[str, Any], index: int) -> AmMatcher:
    """Read one matcher of a silence. Raises RefusedError."""
    for name in ("isRegex", "name", "value"):
        if item.get(name) is None:
            raise coded(422, f"matchers.{index}.{name} in body is required", 602)
    return AmMatcher(
        str(item["name"]), str(item["value"]), bool(item["isRegex"]), item.get("isEqual") is not False
    )


def problem_of(alert: AmAlert) -> str:
    """Say what is wrong with an alert, in Alertmanager's words; empty when nothing is."""
    if alert.starts_at > alert.ends_at:
        return "start time must be before end time"
    if not alert.labels:
        return "at least one label pair required"
    for kind, pairs in (("label set", alert.labels), ("annotations", alert.annotations)):
        for name in pairs:
            if not LABEL_NAME.fullmatch(name):
                return f'invalid {kind}: invalid name "{name}"'
    return ""


def silence_id(request: web.Request) -> str:
    """Read the id in the path. Raises RefusedError."""
    text = request.match_info["id"]
    try:
        return str(UUID(text))
    except ValueError:
        raise coded(422, f'silenceID in path must be of type uuid: "{text}"', 601) from None

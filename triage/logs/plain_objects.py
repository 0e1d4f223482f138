"""An object of JSON, or of Python, without a level: whether its fields tell of a failure. Pure.

::

    {"event": "poll", "error": null, "failed": 0}            none
    {"event": "order_update", "status": "rejected"}           one
    {"code": "00000", "msg": "success"}, {"retCode": 10003}   none, one
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from triage.outside_numbers import is_whole

_ERRORS = frozenset(
    {
        *("error", "err", "errors", "exception", "exc_info", "stack_trace", "traceback"),
        *("failure", "failures", "failed", "is_error", "has_error", "has_failed"),
    }
)
_SUCCESS = frozenset({"success", "ok", "succeeded", "is_ok"})
_STATES = frozenset({"status", "state", "outcome", "result", "level", "severity"})
_EVENTS = frozenset({"event", "event_name", "event_type"})
_SAID = frozenset({"msg", "message", "text", "reason", "body", "detail", "description", *_EVENTS})
_BAD_STATES = frozenset(
    {
        "error",
        "failed",
        "failure",
        "rejected",
        "refused",
        "fatal",
        "critical",
        "crashed",
        "timeout",
        "timed_out",
    }
)
_CODES = frozenset({"retcode", "ret_code", "errcode", "error_code", "errorcode", "errno"})
_STATUS = frozenset({"status", "status_code", "statuscode", "http_status"})
_SERVED = (*sorted(_STATUS), "res.statuscode", "response.status", "response.status_code")
_REQUEST = (
    "method",
    "request_method",
    "request",
    "request.method",
    "req.method",
    "uri",
    "request_uri",
    "http_method",
    "verb",
)
_SERVER_FAILED = range(500, 600)
_NOTHING = frozenset(
    {"", "0", "none", "null", "nil", "<nil>", "false", "no", "ok", "n/a", "00000", "success", "-"}
)
_PARTS = re.compile(r"[\W_]+")
_DEEP = 4
_LONG = 8000


def object_of(text: str) -> dict[str, Any] | None:
    """Return the object that a line is, as JSON or as Python prints it; None where it is none."""
    if not (text.startswith("{") and text.rstrip().endswith("}")):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = _of_python(text)
    return found if isinstance(found, dict) else None


def _of_python(text: str) -> object:
    if len(text) > _LONG or not text.startswith("{'"):
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def tells_failure(found: Mapping[str, Any]) -> bool:
    """Tell whether a field says that something failed; an empty one, a zero and ``false`` say that nothing did."""
    return any(_is_bad(str(name).lower(), value) for name, value in found.items())


def sentences(found: Mapping[str, Any], depth: int = _DEEP) -> Iterator[str]:
    """Yield the texts of an object that are said in words, without the names of their fields."""
    for name, value in found.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and (" " in each.strip() or str(name).lower() in _SAID):
                yield each
            elif isinstance(each, dict) and depth:
                yield from sentences(each, depth - 1)


def level_of_status(flat: Mapping[str, object], level: str) -> str:
    """Return the level of a served request by its status, where the line names none or INFO; else the level it names.

    ``flat``: every field by its path. A server tells of its own failure (5xx) as of any other request.
    """
    if level.upper() not in {"", "INFO"} or not any(name in flat for name in _REQUEST):
        return level
    status = next((number for name in _SERVED if (number := _number(flat.get(name)))), 0)
    return "ERROR" if status in _SERVER_FAILED else level or ("INFO" if status else "")


def _is_bad(name: str, value: object) -> bool:
    if name in _ERRORS:
        return _says_something(value)
    if name in _SUCCESS:
        return value is False
    if name in _CODES:
        return isinstance(value, int | str) and str(value).strip().lower() not in _NOTHING
    if (name in _SUCCESS and value is False) or (name in _STATUS and _number(value) in _SERVER_FAILED):
        return True
    if isinstance(value, str) and name in (_STATES | _EVENTS):
        parts = _PARTS.split(value.lower()) if name in _EVENTS else [value.strip().lower()]
        return "on" not in parts and not _BAD_STATES.isdisjoint(parts)
    return isinstance(value, dict) and any(_is_bad(str(inner).lower(), each) for inner, each in value.items())


def _says_something(value: object) -> bool:
    """A failure's own field: whatever it holds but nothing, a zero, or an object of such."""
    if isinstance(value, dict):
        return any(_says_something(each) for each in value.values())
    if isinstance(value, list):
        return any(_says_something(each) for each in value)
    if isinstance(value, str):
        return value.strip().lower() not in _NOTHING
    return bool(value)


def _number(value: object) -> int:
    if isinstance(value, str) and is_whole(value) and len(value) < 4:  # noqa: PLR2004 - a status
        return int(value)
    return value if isinstance(value, int) else 0

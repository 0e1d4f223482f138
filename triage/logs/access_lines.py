"""A web server's access lines: they name no level, and the status of the answer tells what they mean. Pure.

::

    10.0.0.3 - admin [20/Feb/2026:16:33:00 +0000] "POST /orders HTTP/1.1" 502 157 "-" "client"
    [GIN] 2026/02/20 - 16:33:00 | 502 |   1.2ms | 10.0.0.3 | POST "/orders"
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FAILED = 500
_COMMON = re.compile(
    r"(?:\S{1,250} )?\S{1,80} \S{1,80} \S{1,80} \[\d\d/[A-Z][a-z]{2}/\d{4}[: ]\d\d:\d\d:\d\d[^\]\n]{0,12}\] "
    r'(?P<message>"(?:[^"\\]|\\.){0,4000}" (?P<status>[1-5]\d\d)\b)'
)
"""The common log format of nginx, Apache and others, with a virtual host before it or without."""
_BRIEF = re.compile(
    r"(?:\S{1,80} - |\[\d{4}-\d\d-\d\dT[\d:.]{8,18}Z\] )"
    r'(?P<message>"[A-Z]{3,8} [^"\n]{1,2000} HTTP/\d(?:\.\d)?") (?P<status>[1-5]\d\d)\b'
    r"|(?P<asked>(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \S{1,2000}) (?P<answer>[1-5]\d\d) [\d.]{1,12} ?ms\b"
)
"""Uvicorn's, Envoy's, and what Express prints while it is developed."""
_GIN = re.compile(
    r"\[GIN\] [\d/]{10} - [\d:]{8} \| {0,3}(?P<status>[1-5]\d\d) {0,3}\|(?:[^|\n]{0,60}\|){1,2} *(?P<message>.*)"
)
_HAPROXY = re.compile(
    r"(?:.{0,80}haproxy\[\d{1,10}\]: )?\S{2,60}:\d{1,5} \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] "
    r"(?P<message>\S{1,80} \S{1,160}) [-\d/+]{9,60} (?P<status>[1-5]\d\d) "
)
"""HAProxy's own: client, front end, back end and server, five times of the request, the status."""


@dataclass(frozen=True, slots=True)
class AccessLine:
    """``message``: the request and the status of its answer; ``failed``: the server could not do it (5xx)."""

    message: str
    failed: bool


def access_of(text: str) -> AccessLine | None:
    """Read a line of access; None where it is none."""
    found = (
        _GIN.match(text)
        if text.startswith("[GIN]")
        else _COMMON.match(text) or _HAPROXY.match(text) or _BRIEF.match(text)
    )
    if found is None:
        return None
    named = found.groupdict()
    message, status = (named["message"] or named["asked"]).strip(), named["status"] or named["answer"]
    return AccessLine(message if message.endswith(status) else f"{message} {status}", int(status) >= _FAILED)

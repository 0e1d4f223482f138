"""Loki's HTTP API. Its errors are plain text; streams come apart and are merged here.

What a tenant's limits refuse is asked again in a way they allow, once: after a moment where too much was
outstanding (429), with fewer lines where the server names its limit or the answer was too large.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.sources.answer_shape import listed
from bot.sources.http import HttpSource, Params, Reply, first_line
from bot.sources.loki.limiter import AnswerCache, QueryLimiter
from bot.sources.loki.retention import retention_of
from bot.sources.times import nanoseconds
from triage.errors import SourceBadAnswer, SourceTooLarge
from triage.masking import masked_and_cut
from triage.model import utc
from triage.outside_numbers import is_whole, real, whole
from triage.ports.sources import LogLine, LogLines
from triage.queries import logql

NAME = "Loki"
MAX_LINES = 5000
_LINE_MAX = 4000
"""Characters of a line that are kept: no message is longer, a dumped payload is."""
_KEPT_CHARACTERS = 2_000_000
_TOO_MANY = 429
_BAD_REQUEST = 400
_AGAIN_SECONDS = 0.3
_AGAIN_MAX = 2.0
_ENTRIES = re.compile(r"max_entries_limit\w*[^(\n]{0,40}\(\d+ (?:>|\\u003e) (?P<limit>\d+)\)")
"""Behind a gateway the sentence stands in JSON, which escapes the sign."""


@dataclass(frozen=True, slots=True)
class _LokiReply:
    """What was asked for; ``partial``: that it is not all of it, and why, as the server warns (from 3.0 on)."""

    result: list[Any]
    partial: str


class Loki:
    """The port ``Logs``."""

    def __init__(self, http: HttpSource) -> None:
        self._http = http
        self._turns = QueryLimiter()
        self._kept = AnswerCache()
        self._max_lines = MAX_LINES

    async def lines(
        self,
        selector: str,
        *,
        contains: str = "",
        start: datetime,
        end: datetime,
        limit: int = MAX_LINES,
        kept_seconds: float = 0,
    ) -> LogLines:
        """Return the newest lines of a range (the end is not in it), oldest first."""
        query = selector + logql.containing(contains)
        key = ("lines", query, start, end, limit)
        async with self._turns.turn((end - start).total_seconds()):
            kept = self._kept.get(key, kept_seconds)
            if isinstance(kept, LogLines):
                return kept
            found = await self._lines(query, start, end, limit)
        if kept_seconds and sum(len(line.text) for line in found.lines) <= _KEPT_CHARACTERS:
            self._kept.put(key, found)
        return found

    async def _lines(self, query: str, start: datetime, end: datetime, limit: int) -> LogLines:
        wanted = max(1, min(limit, MAX_LINES))
        params = {
            "query": query,
            "start": str(nanoseconds(start)),
            "end": str(nanoseconds(end)),
            "direction": "backward",
        }
        try:
            answer, asked = await self._limited(params, wanted + 1)
        except SourceTooLarge:
            answer, asked = await self._limited(params, max(1, wanted // 4))
            wanted = min(wanted, asked)
        with self._http.shape("log streams"):
            found = sorted(_lines(answer.result), key=lambda each: each[0])
        if answer.partial and not found:
            raise SourceBadAnswer(NAME, answer.partial)
        kept = found[-wanted:]
        cut = len(found) > len(kept) or (asked <= wanted and len(found) >= asked)
        return LogLines(tuple(line for _, line in kept), truncated=cut or bool(answer.partial))

    async def _limited(self, params: Params, limit: int) -> tuple[_LokiReply, int]:
        """Ask for so many lines, or for as many as the server allows; return what came, and how many were asked for."""
        asked = min(limit, self._max_lines)
        reply = await self._ask("query_range", {**params, "limit": str(asked)})
        if reply.status == _BAD_REQUEST:
            named = _ENTRIES.search(reply.text)
            if named is not None and 0 < int(named["limit"]) < asked:
                asked = self._max_lines = int(named["limit"])
                reply = await self._ask("query_range", {**params, "limit": str(asked)})
        return self._result(reply, "streams"), asked

    async def count(
        self, selector: str, *, contains: str = "", end: datetime, window_seconds: float
    ) -> int | None:
        """Return how many lines of the window contain a text; None where the streams hold no line at all."""
        every = await self.counts(selector, by="", end=end, window_seconds=window_seconds)
        if not every or not contains:
            return every.get("")
        wanted = selector + logql.containing(contains)
        return (await self.counts(wanted, by="", end=end, window_seconds=window_seconds)).get("", 0)

    async def counts(
        self, selector: str, *, by: str, end: datetime, window_seconds: float, kept_seconds: float = 0
    ) -> Mapping[str, int]:
        """Count the lines of a window by the values of a label (``by`` empty: all together, under "")."""
        query = logql.count_over(selector, window_seconds, by=by)
        key = ("counts", query, end)
        async with self._turns.turn(window_seconds):
            kept = self._kept.get(key, kept_seconds)
            if isinstance(kept, dict):
                return kept
            reply = await self._ask("query", {"query": query, "time": str(nanoseconds(end))})
        answer = self._result(reply, "vector")
        if answer.partial:  # a count of a part is no count
            raise SourceBadAnswer(NAME, answer.partial)
        with self._http.shape("counts"):
            found: dict[str, int] = {}
            for each in answer.result:
                name = str(each["metric"].get(by, "")) if by else ""
                found[name] = found.get(name, 0) + round(real(each["value"][1]))
        if kept_seconds:
            self._kept.put(key, found)
        return found

    async def ready(self) -> None:
        """Return when Loki says that it is ready; it is not for its first 15 seconds."""
        reply = await self._http.ask("GET", "ready")
        self._http.insist(reply)

    async def retention_seconds(self, selectors: Iterable[str]) -> float | None:
        """Return for how long it keeps the lines of all of some selectors, as its configuration says.

        None: for ever, or it does not say.
        """
        config = self._http.insist(await self._http.ask("GET", "config")).text
        kept = (retention_of(config, streams) for streams in selectors)
        return min((seconds for seconds in kept if seconds is not None), default=None)

    async def _ask(self, path: str, params: Params) -> Reply:
        """Ask; where Loki has no room, ask once more after a moment, and go one by one from then on."""
        reply = await self._http.ask("GET", f"loki/api/v1/{path}", params=params)
        if reply.status == _TOO_MANY:
            self._turns.narrow()
            await asyncio.sleep(_again_after(reply))
            reply = await self._http.ask("GET", f"loki/api/v1/{path}", params=params)
        return reply

    def _result(self, reply: Reply, kind: str) -> _LokiReply:
        answer = self._http.json(self._http.insist(reply))
        with self._http.shape("an answer"):
            data = answer["data"]
            result = data["result"]
            warnings = [first_line(str(each)) for each in listed(answer.get("warnings"))]
            partial = f"answered in part: {'; '.join(warnings)}" if warnings else ""
            if result is None:
                return _LokiReply([], partial)
            if data["resultType"] != kind or not isinstance(result, list):
                raise SourceBadAnswer(NAME, f"answered {data['resultType']} where {kind} was asked for")
            return _LokiReply(result, partial)


def _again_after(reply: Reply) -> float:
    named = reply.headers.get("retry-after", "")
    return min(float(named), _AGAIN_MAX) if is_whole(named) else _AGAIN_SECONDS


def _lines(streams: list[Any]) -> Iterator[tuple[int, LogLine]]:
    for stream in streams:
        labels = {str(name): str(value) for name, value in stream["stream"].items()}
        # Asked for backwards: reversed, lines of one moment stand in the order in which they were written.
        for entry in reversed(listed(stream["values"])):
            at = whole(entry[0])
            yield at, LogLine(utc(at / 1e9), _line(str(entry[1])), labels)


def _line(text: str) -> str:
    """Return a line, cut where it is too long: masked before, so that no half of a secret is left."""
    return text if len(text) <= _LINE_MAX else masked_and_cut(text, _LINE_MAX)

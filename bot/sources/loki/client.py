"""Loki's HTTP API. Its errors are plain text; streams come apart and are merged here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bot.sources.http import HttpSource, Params
from bot.sources.times import nanoseconds
from triage.diagnosis.checks.base import together
from triage.errors import SourceBadAnswer
from triage.model import utc
from triage.ports.sources import LogLine, LogLines
from triage.queries import logql

NAME = "Loki"
MAX_LINES = 5000
_LINE_MAX = 4000
"""Characters of a line that are kept: no message is longer, a dumped payload is."""


class Loki:
    """The port ``Logs``."""

    def __init__(self, http: HttpSource) -> None:
        self._http = http

    async def lines(
        self, selector: str, *, contains: str = "", start: datetime, end: datetime, limit: int = MAX_LINES
    ) -> LogLines:
        """Return the newest lines of a range (the end is not in it), oldest first."""
        wanted = max(1, min(limit, MAX_LINES))
        data = await self._query(
            "query_range",
            {
                "query": selector + logql.containing(contains),
                "start": str(nanoseconds(start)),
                "end": str(nanoseconds(end)),
                "limit": str(min(wanted + 1, MAX_LINES)),
                "direction": "backward",
            },
            "streams",
        )
        with self._http.shape("log streams"):
            found = sorted(_lines(data), key=lambda each: each[0])
        kept = found[-wanted:]
        return LogLines(
            tuple(line for _, line in kept), truncated=len(found) > len(kept) or len(found) >= MAX_LINES
        )

    async def count(
        self, selector: str, *, contains: str = "", end: datetime, window_seconds: float
    ) -> int | None:
        """Return how many lines of the window contain a text; None where the streams hold no line at all."""
        if not contains:
            return await self._count(selector, end, window_seconds)
        every, wanted = await together(
            self._count(selector, end, window_seconds),
            self._count(selector + logql.containing(contains), end, window_seconds),
        )
        return None if every is None else wanted or 0

    async def ready(self) -> None:
        """Return when Loki says that it is ready; it is not for its first 15 seconds."""
        reply = await self._http.ask("GET", "ready")
        self._http.insist(reply)

    async def _count(self, selection: str, end: datetime, window_seconds: float) -> int | None:
        params = {"query": logql.count_over(selection, window_seconds), "time": str(nanoseconds(end))}
        data = await self._query("query", params, "vector")
        with self._http.shape("a count"):
            return sum(round(float(each["value"][1])) for each in data) if data else None

    async def _query(self, path: str, params: Params, kind: str) -> list[Any]:
        answer = self._http.json(await self._http.get(f"loki/api/v1/{path}", params=params))
        with self._http.shape("an answer"):
            data = answer["data"]
            if data["resultType"] != kind or not isinstance(data["result"], list):
                raise SourceBadAnswer(NAME, f"answered {data['resultType']} where {kind} was asked for")
            result: list[Any] = data["result"]
            return result


def _lines(streams: list[Any]) -> Iterator[tuple[int, LogLine]]:
    for stream in streams:
        labels = {str(name): str(value) for name, value in stream["stream"].items()}
        for entry in stream["values"]:
            at = int(entry[0])
            yield at, LogLine(utc(at / 1e9), str(entry[1])[:_LINE_MAX], labels)

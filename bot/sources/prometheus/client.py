"""Prometheus' HTTP API, v1. Values come as strings, NaN and infinities among them; no series is no data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import chain
from typing import Any

import httpx

from bot.sources.answer_shape import BROKEN, known_text, listed, readable, told_apart
from bot.sources.http import HttpSource, Reply, first_line
from bot.sources.times import rfc3339, span_seconds
from triage.errors import SourceBadAnswer, SourceTimeout
from triage.model import utc
from triage.outside_numbers import real, reals
from triage.ports.sources import (
    UNREADABLE_RULE,
    FiringAlert,
    QueryResult,
    RangeResult,
    RuleState,
    Sample,
    Series,
    Target,
    unread_firing,
    unread_target,
)
from triage.ports.sources.unread import unread_words

NAME = "Prometheus"
_LONG = 3000
"""Characters of a query from which on it is posted as a form: with many bots it outgrows what a server or a proxy takes
of an address, 8 KB for most."""
_MAX_POINTS = 11_000
"""Prometheus' own limit of points in a series."""
_NEVER = "0001-01-01T00:00:00Z"
"""What Prometheus writes where a target was not scraped yet; one that is compatible writes nothing."""


class _SharedTimes:
    """Reads the points of an answer's series, which have their times in common: each time is made once."""

    def __init__(self) -> None:
        self._raw: list[Any] = []
        self._moments: list[datetime] = []

    def read(self, values: list[Any]) -> tuple[tuple[datetime, float], ...]:
        """Return a series' points."""
        raw = [at for at, _ in values]
        if raw != self._raw:
            self._moments = [utc(real(at)) for at in raw]
            self._raw = raw
        return tuple(zip(self._moments, reals([value for _, value in values]), strict=True))


class Prometheus:
    """The port ``Metrics``."""

    def __init__(self, http: HttpSource) -> None:
        self._http = http

    async def query(self, promql: str, *, at: datetime | None = None, partly: bool = False) -> QueryResult:
        """Evaluate an instant query; a scalar is one sample without labels."""
        params = {"query": promql, "timeout": f"{self._http.total_seconds:g}s"}
        if at is not None:
            params["time"] = repr(at.timestamp())
        data, warnings = await self._api("query", params)
        with self._http.shape("an instant query"):
            samples, unread = _samples(data)
        return QueryResult(samples, (*warnings, *_unread(unread, len(samples), partly=partly)), unread)

    async def query_range(
        self, promql: str, *, start: datetime, end: datetime, step_seconds: float, partly: bool = False
    ) -> RangeResult:
        """Evaluate a query over a range; the step grows where it would be more than 11,000 points."""
        step = max(step_seconds, (end - start).total_seconds() / (_MAX_POINTS - 1), 0.001)
        params = {
            "query": promql,
            "start": repr(start.timestamp()),
            "end": repr(end.timestamp()),
            "step": f"{step:.3f}",
            "timeout": f"{self._http.total_seconds:g}s",
        }
        data, warnings = await self._api("query_range", params)
        points = _SharedTimes()
        with self._http.shape("a range query"):
            series, unread = readable(
                _result(data, "matrix"),
                lambda each: Series(_labels(each["metric"]), points.read(listed(each.get("values")))),
            )
        return RangeResult(tuple(series), (*warnings, *_unread(unread, len(series), partly=partly)), unread)

    async def rules(self) -> tuple[RuleState, ...]:
        """Return all alerting rules.

        A rule or group that cannot be read stands there as ``UNREADABLE_RULE``, and hides none of the others.
        """
        data, _ = await self._api("rules", {"type": "alert"})
        with self._http.shape("the rules"):
            groups, lost = readable(listed(data["groups"]), lambda group: listed(group.get("rules")))
            rules, unread = readable(chain.from_iterable(groups), _rule)
        return (*filter(None, rules), *[UNREADABLE_RULE] * (lost + unread))

    async def alerts(self) -> tuple[FiringAlert, ...]:
        """Return the alerts that rules hold as pending or firing; one that cannot be read hides none of the others."""
        data, _ = await self._api("alerts", {})
        with self._http.shape("the alerts"):
            return told_apart(listed(data["alerts"]), _firing, _unread_firing)

    async def targets(self) -> tuple[Target, ...]:
        """Return the active scrape targets; one that cannot be read hides none of the others."""
        data, _ = await self._api("targets", {"state": "active"})
        with self._http.shape("the targets"):
            return told_apart(listed(data["activeTargets"]), _target, _unread_target)

    async def retention_seconds(self) -> float | None:
        """Return for how long it keeps what it scraped; None where only a size limits that, or it does not say."""
        data, _ = await self._api("status/runtimeinfo", {})
        with self._http.shape("its status"):
            times = [
                part
                for part in str(data.get("storageRetention") or "").split(" or ")
                if not part.endswith("B")
            ]
        return span_seconds(times[0]) if times else None

    async def _ask(self, path: str, params: Mapping[str, str]) -> Reply:
        address = f"api/v1/{path}"
        if len(params.get("query", "")) > _LONG:
            reply = await self._http.ask("POST", address, form=params, reads=True)
            if reply.status != httpx.codes.METHOD_NOT_ALLOWED:  # as a proxy says that lets only reading pass
                return reply
        return await self._http.ask("GET", address, params=params)

    async def _api(self, path: str, params: Mapping[str, str]) -> tuple[Any, tuple[str, ...]]:
        reply = await self._ask(path, params)
        if reply.status != httpx.codes.OK and not _is_json(reply.headers.get("content-type", "")):
            raise self._http.refusal(reply)
        answer = self._http.json(reply)
        if not isinstance(answer, dict) or str(answer.get("status")) not in {"success", "error"}:
            raise SourceBadAnswer(NAME, f"answered {reply.status} with JSON that is not its own")
        if answer["status"] == "error" or reply.status != httpx.codes.OK:
            words = first_line(f"{answer.get('errorType')}: {answer.get('error')}")
            if str(answer.get("errorType")) in {"timeout", "canceled"}:
                raise SourceTimeout(NAME, words)
            raise self._http.refusal(reply, words)
        with self._http.shape("an answer"):
            warnings = [first_line(str(each)) for each in listed(answer.get("warnings"))]
            if answer.get("isPartial"):  # as VictoriaMetrics says it
                warnings.append("the answer is partial")
            return answer["data"], tuple(warnings)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip() == "application/json"


def _labels(labels: dict[str, object]) -> dict[str, str]:
    return {str(name): str(value) for name, value in labels.items()}


def _result(data: dict[str, Any], kind: str) -> list[Any]:
    if data["resultType"] != kind:
        raise ValueError(f"a {data['resultType']} and not a {kind}")
    return listed(data["result"])


def _unread(unread: int, read: int, *, partly: bool) -> tuple[str, ...]:
    """Return a warning of series that cannot be read. Raises SourceBadAnswer for who needs them all."""
    words = unread_words(unread, read + unread, "series")
    if words and not partly:
        raise SourceBadAnswer(NAME, words)
    return (words,) if words else ()


def _samples(data: dict[str, Any]) -> tuple[tuple[Sample, ...], int]:
    """Return what can be read of an instant query's answer, and how many of its series cannot."""
    if data["resultType"] == "scalar":
        at, value = data["result"]
        return (Sample({}, real(value), utc(real(at))),), 0
    found, unread = readable(_result(data, "vector"), _sample)
    return tuple(filter(None, found)), unread


def _sample(each: dict[str, Any]) -> Sample | None:
    """Read a series; None for a native histogram, which has no single value."""
    if "value" not in each and "histogram" in each:
        return None
    return Sample(_labels(each["metric"]), real(each["value"][1]), utc(real(each["value"][0])))


def _firing(alert: dict[str, Any]) -> FiringAlert:
    return FiringAlert(
        labels=_labels(alert["labels"]),
        state=str(alert["state"]),
        active_at=rfc3339(alert["activeAt"]),
        value=str(alert.get("value", "")),
    )


def _unread_firing(alert: Any) -> FiringAlert:  # noqa: ANN401 - what JSON can be
    try:
        return unread_firing(_labels(alert["labels"]))
    except BROKEN:
        return unread_firing()


def _unread_target(target: Any) -> Target:  # noqa: ANN401 - what JSON can be
    return unread_target(known_text(target, "labels", "job"), known_text(target, "labels", "instance"))


def _rule(rule: dict[str, Any]) -> RuleState | None:
    """Read a rule; None for one that records."""
    if rule.get("type", "alerting") != "alerting":
        return None
    return RuleState(
        name=str(rule["name"]),
        state=str(rule.get("state", "")),
        health=str(rule.get("health", "unknown")),
        last_error=first_line(str(rule.get("lastError") or "")),
        labels=_labels(rule.get("labels") or {}),
        query=str(rule.get("query") or ""),
    )


def _target(target: dict[str, Any]) -> Target:
    labels = target["labels"]
    scraped = rfc3339(str(target.get("lastScrape") or _NEVER))
    return Target(
        job=str(labels.get("job", "")),
        instance=str(labels.get("instance", "")),
        health=str(target["health"]),
        last_scrape=scraped if scraped.year > 1 else None,
        last_error=first_line(str(target.get("lastError") or "")),
    )

"""Whether a dashboard is there and its panels return data, asked as Grafana's own page asks.

``GET /api/search`` finds it by its title, ``GET /api/dashboards/uid/<uid>`` gives its panels, and ``POST /api/ds/query``
asks a panel's first target through its datasource. A variable of the dashboard stands for everything here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from bot.sources.http import HttpSource
from triage.errors import SourceDenied, SourceError
from triage.ports.checklists import DashboardState

MOST = 40
"""Panels of one dashboard that are asked; at most ``AT_ONCE`` of them at a time."""
AT_ONCE = 4
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\[\[(\w+)(?::\w+)?\]\]|\$(\w+)")


async def dashboard_state(http: HttpSource, title: str) -> DashboardState:
    """Look for a dashboard by its exact title and ask its panels. Raises SourceError."""
    search = http.json(await http.get("api/search", params={"type": "dash-db", "query": title}))
    with http.shape("a list of dashboards"):
        uids = [str(one["uid"]) for one in search if str(one.get("title")) == title]
    if not uids:
        return DashboardState(title, found=False)
    model = http.json(await http.get(f"api/dashboards/uid/{quote(uids[0], safe='')}"))
    with http.shape("a dashboard"):
        targets = list(_targets(model["dashboard"]))[:MOST]
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(target: tuple[str, str, str]) -> tuple[str, bool]:
        async with gate:
            return target[0], await _has_data(http, target[1], target[2])

    answers = await asyncio.gather(*map(ask, targets))
    empty = tuple(name for name, has_data in answers if not has_data)
    return DashboardState(title, found=True, panels=len(answers), without_data=empty)


def _targets(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (title, datasource's uid, expression) of each panel that asks something, those in rows too."""
    for panel in _panels(dashboard.get("panels") or ()):
        for target in panel.get("targets") or ():
            source = target.get("datasource") or panel.get("datasource") or {}
            uid = str(source.get("uid") or "") if isinstance(source, dict) else ""
            expression = str(target.get("expr") or "")
            if uid and not uid.startswith("$") and expression:
                yield str(panel.get("title") or "untitled"), uid, expression
                break


def _panels(panels: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - JSON
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels") or ())


def _everything(expression: str) -> str:
    """Return an expression whose variables match everything; Grafana fills in its own, which begin with two signs."""

    def matched(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[3]
        return found[0] if name.startswith("__") else ".+"

    return re.sub(r'=(?=\s*"\.\+")', "=~", _VARIABLE.sub(matched, expression))


async def _has_data(http: HttpSource, uid: str, expression: str) -> bool:
    """Ask one target over the last 15 minutes; a target that is refused returns no data."""
    query = {
        "refId": "A",
        "datasource": {"uid": uid},
        "expr": _everything(expression),
        "intervalMs": 15_000,
        "maxDataPoints": 100,
    }
    body = {"queries": [query], "from": "now-15m", "to": "now"}
    try:
        reply = await http.ask("POST", "api/ds/query", body=body)
        if reply.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise http.refusal(reply)
        frames = http.json(reply).get("results", {}).get("A", {}).get("frames", [])
        return any(any(values) for frame in frames for values in frame.get("data", {}).get("values", []))
    except SourceDenied:
        raise
    except (SourceError, AttributeError, TypeError):
        return False

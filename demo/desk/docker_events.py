"""The engine's event stream: what was since a time, then what happens, a JSON object a line."""

import asyncio
import json
from collections.abc import Mapping

from aiohttp import web

from demo.desk import docker_views
from demo.desk.container import DockerEvent
from demo.desk.engine import Engine

KEYS = {"type", "event", "container", "image", "label", "scope"}
LOOKS_AT_THE_CLOCK_EVERY = 0.25
ROUNDED = 0.01  # clients write times with few digits


def filters(request: web.Request) -> dict[str, list[str]]:
    """Return the query's ``filters``, in either of the forms clients send. Raises ValueError."""
    raw = json.loads(request.query.get("filters") or "{}")
    if not isinstance(raw, dict):
        raise ValueError("invalid filter")  # noqa: TRY004 - the request is wrong, not a type
    return {str(key): [str(one) for one in value] for key, value in raw.items()}


def matches(event: DockerEvent, wanted: Mapping[str, list[str]]) -> bool:
    """Whether an event passes: any value of a key, every key."""
    labels = [f"{key}={value}" for key, value in event.attributes.items()]
    have = {
        "type": [event.type],
        "event": [event.action, event.action.partition(":")[0]],
        "container": [event.container_id, event.container_id[:12], event.attributes.get("name", "")],
        "image": [event.image],
        "label": [*labels, *event.attributes],
        "scope": ["local"],
    }
    return all(set(values) & set(have.get(key, ())) for key, values in wanted.items())


async def stream(request: web.Request, engine: Engine, stopping: asyncio.Event) -> web.StreamResponse:
    """Answer ``GET /events``; ends at ``until``, or when the client or the engine goes."""
    wanted = filters(request)
    since, until = (float(request.query.get(key) or 0) for key in ("since", "until"))
    queue: asyncio.Queue[DockerEvent] = asyncio.Queue()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    engine.listeners.append(queue.put_nowait)
    try:
        await response.prepare(request)
        for event in [one for one in engine.events if since and one.at >= since]:
            if (not until or event.at <= until) and matches(event, wanted):
                await _write(response, event)
        await _live(response, queue, engine, wanted, until, stopping)
    except ConnectionResetError:
        pass  # the client went; there is nobody to tell
    finally:
        engine.listeners.remove(queue.put_nowait)
    return response


async def _live(  # noqa: PLR0917 - one loop over all of them
    response: web.StreamResponse,
    queue: asyncio.Queue[DockerEvent],
    engine: Engine,
    wanted: Mapping[str, list[str]],
    until: float,
    stopping: asyncio.Event,
) -> None:
    while not stopping.is_set() and not (until and engine.clock.now() >= until - ROUNDED):
        try:
            event = await asyncio.wait_for(queue.get(), LOOKS_AT_THE_CLOCK_EVERY)
        except TimeoutError:
            continue
        if matches(event, wanted) and not (until and event.at > until):
            await _write(response, event)


async def _write(response: web.StreamResponse, event: DockerEvent) -> None:
    await response.write(json.dumps(docker_views.event(event)).encode() + b"\n")

"""How the engine's HTTP API reads requests and words its answers and refusals."""

import json

from aiohttp import web

from demo.desk.container import Container


class Missing(Exception):
    """There is no such thing; the text is the engine's."""


def as_json(value: object, status: int = 200) -> web.Response:
    """Answer with JSON under the bare content type: the docker client reads errors in no other."""
    headers = {"Content-Type": "application/json"}
    return web.Response(body=json.dumps(value).encode(), status=status, headers=headers)


async def read_body(request: web.Request) -> dict[str, object]:
    """Return a request's JSON object, empty where there is no body. Raises ValueError for anything else."""
    raw = await request.read()
    value = json.loads(raw) if raw else {}
    if not isinstance(value, dict):
        raise ValueError("invalid JSON: expected an object")  # noqa: TRY004 - the request is wrong, not a type
    return value


def passes(container: Container, wanted: dict[str, list[str]]) -> bool:
    """Whether a container passes the filters of the list call."""
    labels = [f"{key}={value}" for key, value in container.labels.items()]
    names = wanted.get("name", [])
    return (
        (not names or any(name.strip("^$/") in container.name for name in names))
        and (container.status in wanted.get("status", [container.status]))
        and (not wanted.get("id") or any(container.id.startswith(one) for one in wanted["id"]))
        and all(label in labels or label in container.labels for label in wanted.get("label", []))
    )


def problem(status: int, text: str) -> web.Response:
    """Refuse with the engine's JSON message."""
    return as_json({"message": text}, status=status)

"""``/livez``, ``/readyz``, ``/metrics``: alive, able to work, and in numbers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response


@dataclass(frozen=True, slots=True)
class Dependency:
    """How one dependency is. ``needed``: the service cannot do its work without it; ``why`` says what is wrong."""

    ok: bool
    needed: bool
    why: str = ""
    facts: Mapping[str, object] | None = None


@dataclass(slots=True)
class Health:
    """Answers for the process. ``dependencies`` is asked at each ``/readyz`` and is quick."""

    dependencies: Callable[[], Awaitable[Mapping[str, Dependency]]]
    metrics: Callable[[], Awaitable[bytes]]

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        text = PlainTextResponse  # says to OpenAPI what comes
        late: dict[int | str, dict[str, Any]] = {
            503: {"description": "Something that is needed does not work"}
        }
        router.add_api_route(
            "/livez", self.alive, methods=["GET"], summary="The process runs", response_class=text
        )
        router.add_api_route(
            "/readyz", self.ready, methods=["GET"], summary="Each dependency", responses=late
        )
        router.add_api_route(
            "/metrics", self.numbers, methods=["GET"], summary="Prometheus' exposition", response_class=text
        )
        return router

    async def alive(self) -> PlainTextResponse:
        """Answer as long as the loop turns."""
        return PlainTextResponse("ok\n")

    async def ready(self) -> JSONResponse:
        """Answer 200 where all that is needed works, else 503; either way with each dependency."""
        found = await self.dependencies()
        ready = all(dependency.ok for dependency in found.values() if dependency.needed)
        body = {
            "ready": ready,
            "dependencies": {
                name: {
                    "ok": dependency.ok,
                    "needed": dependency.needed,
                    **({"why": dependency.why} if dependency.why else {}),
                    **(dependency.facts or {}),
                }
                for name, dependency in found.items()
            },
        }
        return JSONResponse(body, status_code=200 if ready else 503)

    async def numbers(self) -> Response:
        """Answer in the text format of Prometheus."""
        return Response(await self.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

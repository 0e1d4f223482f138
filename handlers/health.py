"""``/livez``, ``/readyz``, ``/metrics``: alive, able to work, and in numbers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from handlers.endpoint import Endpoint


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

    def endpoints(self) -> list[Endpoint]:
        """Return where the process is asked how it is."""
        text = {"response_class": PlainTextResponse}  # says to OpenAPI what comes
        late = {"responses": {503: {"description": "Something that is needed does not work"}}}
        return [
            # Described here and not by docstrings: the service has none (``WITHOUT_DOCSTRINGS`` of bot/cli.py).
            _asked(
                "/livez",
                self.alive,
                summary="The process runs",
                description="Answers while the loop runs.",
                **text,
            ),
            _asked(
                "/readyz",
                self.ready,
                summary="Each dependency",
                description="503 where a needed one fails.",
                **late,
            ),
            _asked(
                "/metrics", self.numbers, summary="Prometheus' exposition", description="As text.", **text
            ),
        ]

    async def alive(self, _: Request) -> PlainTextResponse:
        """Answer 200 as long as the event loop runs."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> JSONResponse:
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

    async def numbers(self, _: Request) -> Response:
        """Answer in the text format of Prometheus."""
        return Response(await self.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _asked(path: str, call: Callable[[Request], Awaitable[Response]], **documented: Any) -> Endpoint:  # noqa: ANN401 - FastAPI's own
    return Endpoint(method="GET", path=path, call=call, documented=lambda: documented)

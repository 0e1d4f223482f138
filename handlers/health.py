"""``/livez``, ``/readyz``, ``/metrics``: alive, able to work, and in numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
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
class _SharedAnswer:
    """Answers a path that takes work: those who ask while an answer is being made get one answer, begun after they asked.

    Whoever can reach the port may ask without the token, and as often as it likes.
    """

    make: Callable[[], Awaitable[Response]]
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    _begun: int = 0
    _last: tuple[int, Response] = field(default_factory=lambda: (0, Response()))

    async def get(self) -> Response:
        """Return an answer that was begun after this call."""
        asked = self._begun
        async with self._one_at_a_time:
            number, answer = self._last
            if number > asked:
                return answer
            number = self._begun = self._begun + 1
            answer = await self.make()
            self._last = (number, answer)
            return answer


@dataclass(slots=True)
class Health:
    """Answers for the process. ``dependencies`` is asked at each ``/readyz`` and is quick."""

    dependencies: Callable[[], Awaitable[Mapping[str, Dependency]]]
    metrics: Callable[[], Awaitable[bytes]]
    _ready: _SharedAnswer = field(init=False)
    _numbers: _SharedAnswer = field(init=False)

    def __post_init__(self) -> None:
        """Begin without an answer."""
        self._ready, self._numbers = _SharedAnswer(self._readiness), _SharedAnswer(self._page)

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

    async def ready(self, _: Request) -> Response:
        """Answer 200 where all that is needed works, else 503; either way with each dependency."""
        return await self._ready.get()

    async def numbers(self, _: Request) -> Response:
        """Answer in the text format of Prometheus."""
        return await self._numbers.get()

    async def _readiness(self) -> Response:
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

    async def _page(self) -> Response:
        return Response(await self.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _asked(path: str, call: Callable[[Request], Awaitable[Response]], **documented: Any) -> Endpoint:  # noqa: ANN401 - FastAPI's own
    return Endpoint(method="GET", path=path, call=call, documented=lambda: documented)

"""What is asked for at one path of our port, with one method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One path and method, and who answers there.

    ``documented`` returns what OpenAPI says of it, by the names that FastAPI's ``add_api_route`` has for it.
    """

    method: str
    path: str
    call: Callable[[Request], Awaitable[Response]]
    documented: Callable[[], Mapping[str, Any]]

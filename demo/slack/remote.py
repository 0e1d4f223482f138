"""Using a server of another process through its control API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import aiohttp

if TYPE_CHECKING:
    from types import TracebackType

    from demo.slack.model import Json

TIMEOUT = aiohttp.ClientTimeout(total=15)


class RemoteError(Exception):
    """The server refused a verb; the text says why."""


class RemoteSlack:
    """`async with RemoteSlack(base_url) as slack: await slack.do("click", user="ana", …)`; verbs are in `control`."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def do(self, verb: str, **arguments: Any) -> Json:  # noqa: ANN401 - JSON values
        """Run one verb and return its answer; `RemoteError` with the server's reason."""
        if self._session is None:
            raise RemoteError("use it inside `async with`")
        async with self._session.post(f"{self._base_url}/_control/{verb}", json=arguments) as answer:
            body: Json = await answer.json()
        if not body.get("ok"):
            raise RemoteError(f"{verb}: {body.get('error')}")
        return body

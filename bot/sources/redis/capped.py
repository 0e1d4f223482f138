"""Redis' protocol with a cap: the library reads an answer whole, however large it is announced to be."""

from __future__ import annotations

from typing import Any

from redis._parsers import _AsyncRESP2Parser
from redis.exceptions import RedisError

from bot.sources.budget import ALL_READS, AnswerTooLarge, Counted


class RedisAnswerTooLarge(RedisError):
    """An answer was larger than we read; its connection is closed by the library."""


class CappedParser(_AsyncRESP2Parser):
    """Counts the bytes of an answer, and of all that are being read, before it takes them into memory."""

    _counted: Counted | None = None

    async def read_response(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the library has it
        """Read one answer. Raises RedisAnswerTooLarge."""
        with ALL_READS.answer() as counted:
            self._counted = counted
            try:
                return await super().read_response(*args, **options)
            except AnswerTooLarge as error:
                self._clear()  # type: ignore[no-untyped-call] # the library gives no hints here
                raise RedisAnswerTooLarge(str(error)) from error

    async def _read(self, length: int) -> bytes:
        if self._counted is not None:
            self._counted.take(length)
        return bytes(await super()._read(length))

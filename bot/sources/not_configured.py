"""Stand-ins for sources whose setting is empty: every question raises SourceNotConfigured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from triage.errors import SourceNotConfigured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class NotConfigured:
    """Answers every question of every port in the same way.

    Its methods come into being when they are asked for: a port that grows needs no change here.
    """

    def __init__(self, source: str) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a method of whichever port it stands in for
        if name.startswith("_"):
            raise AttributeError(name)

        async def refuse(*_: object, **__: object) -> NoReturn:
            raise SourceNotConfigured(self._source)

        return refuse

    def events(self, **_: object) -> AsyncIterator[Any]:
        """Raise on the first step, as a generator does."""
        return _Refusal(self._source)


class _Refusal:
    """An iterator whose first step says that there is nothing to ask."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __aiter__(self) -> _Refusal:
        return self

    async def __anext__(self) -> NoReturn:
        raise SourceNotConfigured(self._source)


def not_configured(source: str) -> Any:  # noqa: ANN401 - as NotConfigured
    """Return a stand-in for any port."""
    return cast("Any", NotConfigured(source))

"""A log of every Web API call, for assertions about what was called, when, and how it ended."""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.slack.model import Json

KEPT = 200_000


@dataclass(frozen=True)
class Call:
    """One call. `at` is `time.monotonic()` when it arrived, `wall` the Unix time; `result` is `ok` or what went wrong."""

    method: str
    args: Json
    at: float
    wall: float
    result: str
    seconds: float


class CallLog:
    """The calls in the order of their end, the newest 200,000 of them."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT)

    def add(self, method: str, args: Json, at: float, result: str) -> None:
        """Note a call that arrived at `at` (monotonic) and has now ended."""
        now = time.monotonic()
        self._calls.append(
            Call(
                method=method,
                args=args,
                at=at,
                wall=time.time() - (now - at),
                result=result,
                seconds=now - at,
            )
        )

    def of(
        self, method: str | None = None, *, ok: bool | None = None, channel: str | None = None
    ) -> list[Call]:
        """Return calls, by method, by having succeeded, by channel argument."""
        return [
            call
            for call in self._calls
            if (method is None or call.method == method)
            and (ok is None or (call.result == "ok") == ok)
            and (channel is None or call.args.get("channel") == channel)
        ]

    def gaps(self, method: str, *, channel: str | None = None) -> list[float]:
        """Return the seconds between successive successful calls of a method: its pace."""
        times = sorted(call.at for call in self.of(method, ok=True, channel=channel))
        return [later - earlier for earlier, later in itertools.pairwise(times)]

    def clear(self) -> None:
        """Forget all."""
        self._calls.clear()

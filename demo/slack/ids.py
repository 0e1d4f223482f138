"""Ids of Slack's shape: message timestamps, object ids, secrets."""

from __future__ import annotations

import itertools
import secrets
import string
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ALPHABET = string.ascii_uppercase + string.digits


class Ids:
    """Makes ids that never repeat within one workspace.

    A message's `ts` is the time of `clock` (Unix seconds) with six decimals, strictly rising, as Slack's are.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._last_micros = 0
        self._count = itertools.count(1)

    def ts(self) -> str:
        """Return the next message timestamp, e.g. `1763848800.000200`."""
        micros = max(int(self._clock() * 1_000_000), self._last_micros + 1)
        self._last_micros = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def object(self, prefix: str) -> str:
        """Return an object id such as `V0A000001K7Q2`: the prefix, a counter, and some noise."""
        noise = "".join(secrets.choice(_ALPHABET) for _ in range(4))
        return f"{prefix}0{next(self._count):06d}{noise}"

    def short(self) -> str:
        """Return the five characters Slack gives to a block or an action that has no id."""
        return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(5))

    def secret(self) -> str:
        """Return an unguessable word for a URL."""
        return secrets.token_urlsafe(18)

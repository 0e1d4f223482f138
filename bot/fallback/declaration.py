"""What a fallback channel says of itself: its name, its settings, how it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from triage.ports.fallback import FallbackChannel


@dataclass(frozen=True, slots=True)
class FallbackDeclaration:
    """One folder of ``bot/fallback``. ``name``: how people call it.

    ``address``: the setting to look at when it does not work. ``open`` makes the channel of the service's settings, where
    the address is set; it connects to nothing.
    """

    name: str
    address: str
    open: Callable[[Any], FallbackChannel]


def refuse_half(secret: tuple[str, SecretStr], address: tuple[str, SecretStr]) -> None:
    """Refuse a secret whose address is not set; both come with the name of their setting. Raises ValueError."""
    if secret[1].get_secret_value() and not address[1].get_secret_value():
        raise ValueError(
            f"{secret[0]} is set and {address[0]} is not: nothing would go out; set both or none"
        )

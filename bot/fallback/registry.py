"""The fallback channels there are: the folders of ``bot/fallback``."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, cast

from pydantic import BaseModel

from bot import fallback

if TYPE_CHECKING:
    from bot.fallback.declaration import FallbackDeclaration
    from triage.ports.fallback import FallbackChannel

FOLDERS = tuple(sorted(module.name for module in pkgutil.iter_modules(fallback.__path__) if module.ispkg))


def settings_of_all() -> tuple[type[BaseModel], ...]:
    """Return the settings of every channel; imports no client."""
    return tuple(
        cast("type[BaseModel]", import_module(f"{fallback.__name__}.{folder}.settings").SETTINGS)
        for folder in FOLDERS
    )


def addresses() -> tuple[str, ...]:
    """Return the setting of each channel that is empty where it is not used; imports no client."""
    return tuple(str(import_module(f"{fallback.__name__}.{folder}.settings").ADDRESS) for folder in FOLDERS)


def is_set(settings: BaseModel, address: str) -> bool:
    """Whether a channel is used."""
    return bool(getattr(settings, address.lower()).get_secret_value())


def declared() -> tuple[FallbackDeclaration, ...]:
    """Return every channel. Raises TypeError for a folder that declares none."""
    from bot.fallback.declaration import FallbackDeclaration  # noqa: PLC0415 - settings are read without any client

    found = []
    for folder in FOLDERS:
        channel = getattr(import_module(f"{fallback.__name__}.{folder}.channel"), "CHANNEL", None)
        if not isinstance(channel, FallbackDeclaration):
            raise TypeError(f"bot/fallback/{folder}/channel.py: CHANNEL must be a FallbackDeclaration")
        found.append(channel)
    return tuple(found)


def open_channels(settings: BaseModel) -> dict[str, FallbackChannel]:
    """Return the channels of the settings by their name; one without an address is not there."""
    return {each.name: each.open(settings) for each in declared() if is_set(settings, each.address)}

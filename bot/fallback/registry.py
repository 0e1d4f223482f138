"""The fallback channels there are: the folders of ``bot/fallback``."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from pydantic import BaseModel

from bot import fallback
from bot.declared import declarations, settings_of

if TYPE_CHECKING:
    from bot.fallback.declaration import FallbackDeclaration
    from triage.ports.fallback import FallbackChannel

FOLDERS = tuple(sorted(module.name for module in pkgutil.iter_modules(fallback.__path__) if module.ispkg))


def settings_of_all() -> tuple[type[BaseModel], ...]:
    """Return the settings of every channel; imports no client."""
    return settings_of(fallback.__name__, FOLDERS)


def addresses() -> tuple[str, ...]:
    """Return the setting of each channel that is empty where it is not used; imports no client."""
    return tuple(str(import_module(f"{fallback.__name__}.{folder}.settings").ADDRESS) for folder in FOLDERS)


def is_set(settings: BaseModel, address: str) -> bool:
    """Whether a channel is used."""
    return bool(getattr(settings, address.lower()).get_secret_value())


def declared() -> tuple[FallbackDeclaration, ...]:
    """Return every channel. Raises TypeError for a folder that declares none."""
    from bot.fallback.declaration import FallbackDeclaration  # noqa: PLC0415 - settings are read without any client

    return declarations(fallback.__name__, FOLDERS, "channel.CHANNEL", FallbackDeclaration)


def open_channels(settings: BaseModel) -> dict[str, FallbackChannel]:
    """Return the channels of the settings by their name; one without an address is not there."""
    return {each.name: each.open(settings) for each in declared() if is_set(settings, each.address)}

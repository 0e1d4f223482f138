"""The fallback channels there are: the folders of ``bot/fallback``."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
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
    return tuple(map(_address, FOLDERS))


def _address(folder: str) -> str:
    return str(import_module(f"{fallback.__name__}.{folder}.settings").ADDRESS)


def is_set(settings: BaseModel, address: str) -> bool:
    """Whether a channel is used."""
    return bool(getattr(settings, address.lower()).get_secret_value())


def declared(folders: Sequence[str] = FOLDERS) -> tuple[FallbackDeclaration, ...]:
    """Return the channels of some folders, of all without them. Raises TypeError for a folder that declares none."""
    from bot.fallback.declaration import FallbackDeclaration  # noqa: PLC0415 - settings are read without any client

    return declarations(fallback.__name__, folders, "channel.CHANNEL", FallbackDeclaration)


def open_channels(settings: BaseModel) -> dict[str, FallbackChannel]:
    """Return the channels of the settings by their name; one without an address is not there, and not imported."""
    used = [folder for folder in FOLDERS if is_set(settings, _address(folder))]
    return {each.name: each.open(settings) for each in declared(used)}

"""What the folders of a package declare of themselves: one declaration a folder, found by its name."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TypeVar, cast

from pydantic import BaseModel

T = TypeVar("T")


def settings_of(package: str, folders: Iterable[str]) -> tuple[type[BaseModel], ...]:
    """Return the ``SETTINGS`` of each folder's ``settings.py``; imports no client."""
    return tuple(
        cast("type[BaseModel]", import_module(f"{package}.{folder}.settings").SETTINGS) for folder in folders
    )


def declarations(package: str, folders: Iterable[str], where: str, kind: type[T]) -> tuple[T, ...]:
    """Return what each folder's module declares. ``where``: the module and the name in it, as ``source.SOURCE``.

    Raises TypeError for a folder that declares nothing of the kind.
    """
    module, _, name = where.partition(".")
    found = []
    for folder in folders:
        one = getattr(import_module(f"{package}.{folder}.{module}"), name, None)
        if not isinstance(one, kind):
            path = f"{package.replace('.', '/')}/{folder}/{module}.py"
            raise TypeError(f"{path}: {name} must be of {kind.__name__}")
        found.append(one)
    return tuple(found)

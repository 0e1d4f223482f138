"""One adapter per source of evidence; each raises triage.errors.SourceError and nothing else.

``open_sources`` makes them all. It is imported when it is first asked for: ``minute_csv`` runs in processes
of its own, which shall not pay for the clients of Redis, Docker and HTTP.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.sources.opening import open_sources

__all__ = ["open_sources"]


def __getattr__(name: str) -> object:
    if name == "open_sources":
        return import_module("bot.sources.opening").open_sources
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

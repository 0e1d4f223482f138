"""Keeps the process small: what a long-running service need not hold."""

from __future__ import annotations

import ctypes
import gc
import sys

_ARENA_MAX = -8
"""``M_ARENA_MAX`` of glibc's ``mallopt``."""


def before_imports() -> None:
    """Prepare for a small process. To be called before the libraries are imported and threads begin."""
    # All threads share two heaps: with one each, what one thread has freed no other can use.
    libc = _libc()
    if libc is not None:
        libc.mallopt(_ARENA_MAX, 2)
    # httpx brings its own command line along, and with it rich, pygments and click: 4 MB. It copes without.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # None is Python's own word for "not to be had"


def after_start() -> None:
    """Give back what the start alone needed, and let the collector pass over what will stay for good."""
    gc.collect()
    gc.freeze()
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)


def _libc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None

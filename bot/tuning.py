"""Keeps the process small: what a long-running service need not hold, and what its collector need not look at."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ARENA_MAX = -8
"""``M_ARENA_MAX`` of glibc's ``mallopt``."""


@contextmanager
def lean_imports() -> Iterator[None]:
    """Import inside what the service runs on; before threads begin."""
    libc = _libc()
    if libc is not None:  # all threads share two heaps: with one each, what one has freed no other can use
        libc.mallopt(_ARENA_MAX, 2)
    # httpx brings its own command line along, and with it rich, pygments and click: 4 MB. It copes without.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # Python's own word for "not to be had"
    gc.disable()
    yield
    # What was imported stays for good: collected once, then never looked at again, which spares long pauses.
    gc.collect()
    gc.freeze()
    gc.enable()
    if libc is not None:
        libc.malloc_trim(0)


def _libc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None

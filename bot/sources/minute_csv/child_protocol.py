"""What the service and its short-lived processes agree on: how a job is sent to one that draws, and how they end."""

from __future__ import annotations

import os
import sys

HEAD = 8
"""Bytes that tell a job's length, as hexadecimal digits."""


def framed(job: bytes) -> bytes:
    """Return a job as it is sent: its length, and itself."""
    return b"%08x%b" % (len(job), job)


def end_at_once(code: int) -> None:
    """End this process without taking its modules apart one by one, which takes 10 ms and frees nothing sooner."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

"""Who this process is among its replicas."""

from __future__ import annotations

import os
import secrets
import socket


def owner() -> str:
    """Return a name that no other process has, and that tells an operator which one it is."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"

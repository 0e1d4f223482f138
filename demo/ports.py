"""Ports of loopback for the demo's own servers."""

import contextlib
import secrets
import socket

HOST = "127.0.0.1"
_PORTS, _TRIES = range(20_000, 32_000), 100
"""Below those that Linux (from 32,768) and others (from 49,152) give to clients."""


def free_port() -> int:
    """Return a loopback port nobody listens on.

    Not one that the system gives to clients: until the server listens, and while it is down, any connection on this
    machine may get it, and the server could not come back.
    """
    for _ in range(_TRIES):
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise OSError(f"no port from {_PORTS.start} to {_PORTS.stop - 1} of {HOST} is free")

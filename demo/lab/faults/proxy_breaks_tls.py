"""A proxy on the way presents a certificate of its own."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let every handshake fail."""
    desk.cut_off("self_signed", bots=None)


FAULT = Fault(
    name="proxy-breaks-tls",
    story="A proxy on the way presents a certificate of its own.",
    truth=Truth("tls_failure", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)

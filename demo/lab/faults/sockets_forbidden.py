"""The exchange's edge refuses this address's sockets."""

from demo.desk.replies import SOCKETS
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse the handshakes."""
    desk.refuse(SOCKETS, 403, bots=None)


FAULT = Fault(
    name="sockets-forbidden",
    story="The exchange's edge refuses this address's sockets.",
    truth=Truth("egress_blocked", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)

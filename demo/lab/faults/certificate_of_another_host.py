"""The bot's hosts file sends it to an address with somebody else's certificate."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let every handshake of one bot fail."""
    desk.cut_off("wrong_name")


FAULT = Fault(
    name="certificate-of-another-host",
    story="The bot's hosts file sends it to an address with somebody else's certificate.",
    truth=Truth("tls_failure", tolerated=("soft_pause",)),
    strike=strike,
)

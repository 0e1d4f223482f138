"""The login of the private stream is refused; all else is answered."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse the stream."""
    desk.refuse(("user_stream",), 400, "30005", "error login")


FAULT = Fault(
    name="private-stream-refused",
    story="The login of the private stream is refused; all else is answered.",
    truth=Truth("credentials_refused", tolerated=("soft_pause",)),
    strike=strike,
)

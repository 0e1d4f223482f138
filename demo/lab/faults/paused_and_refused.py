"""Docker paused bot1, and bot3's key was replaced at the exchange: nothing connects the two."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Pause the one, refuse the other."""
    desk.world.engine.pause(desk.container("bot1"))
    desk.refuse(SIGNED, 401, "-2014", "API-key format invalid.", bots=("bot3",))


FAULT = Fault(
    name="paused-and-refused",
    story="Docker paused bot1, and bot3's key was replaced at the exchange: nothing connects the two.",
    truth=Truth("paused_container", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
    beside=((Truth("credentials_refused", tolerated=("soft_pause",)), "bot3"),),
)

"""A new image sends cancels that the exchange refuses."""

from demo.desk.images import BAD_IMAGE
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Pin the image and recreate the bot."""
    desk.set_env("HUMMINGBOT_IMAGE", BAD_IMAGE)
    desk.recreate()


FAULT = Fault(
    name="image-with-a-bug",
    story="A new image sends cancels that the exchange refuses.",
    truth=Truth("bad_release", right=("rollback {bot}",), tolerated=("soft_pause",)),
    strike=strike,
)

"""A firewall rule on the host refuses the exchange's addresses."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse every connection."""
    desk.cut_off("refused", bots=None)


FAULT = Fault(
    name="firewall-refuses",
    story="A firewall rule on the host refuses the exchange's addresses.",
    truth=Truth(
        "network_down", also=frozenset({"egress_blocked", "exchange_down"}), tolerated=("soft_pause",)
    ),
    strike=strike,
    bots=(),
)

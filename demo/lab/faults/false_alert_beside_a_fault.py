"""An alert of one bot is false while another one's balance is spent."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Spend the one's balance, and let the other's alert fire."""
    desk.refuse(("place",), 400, "43012", "Insufficient balance", bots=("bot3",))
    labels = {"bot": "bot1", "severity": "critical"}
    desk.after(60, lambda: desk.alert("BotFrozen", labels, "no new snapshot"))


FAULT = Fault(
    name="false-alert-beside-a-fault",
    story="An alert of one bot is false while another one's balance is spent.",
    truth=Truth("nothing_is_wrong", also=frozenset({"no_cause_found"})),
    strike=strike,
    bots=(),
    settles=200.0,
    beside=((Truth("insufficient_funds", tolerated=("soft_pause",)), "bot3"),),
)

"""An alert that nobody wrote down fires while the everyday edge gate holds the bot."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Hold it, and let the alert fire."""
    desk.every(5, lambda: setattr(desk.struck, "gross_edge", 0.00085))
    labels = {"bot": desk.bot, "severity": "warning"}
    desk.after(100, lambda: desk.alert("VolumeAnomaly", labels, "volume differs from last week's"))


FAULT = Fault(
    name="strange-alert-in-a-pause",
    story="An alert that nobody wrote down fires while the everyday edge gate holds the bot.",
    truth=Truth("nothing_is_wrong", also=frozenset({"no_cause_found"})),
    strike=strike,
    settles=120.0,
)

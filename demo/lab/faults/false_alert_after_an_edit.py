"""An unrelated key of .env was edited, and an old alert of a frozen bot fires."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Edit it; let the alert fire."""
    desk.set_env("GRAFANA_THEME", "light")
    labels = {"bot": desk.bot, "severity": "critical"}
    desk.after(300, lambda: desk.alert("BotFrozen", labels, "frozen"))


FAULT = Fault(
    name="false-alert-after-an-edit",
    story="An unrelated key of .env was edited, and an old alert of a frozen bot fires.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
)

"""An operator pulled the kill switch before a release of the exchange."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Publish the intent."""
    desk.intent("kill_switch", "ops-console", reason="flat before the exchange release", requested_by="dana")


FAULT = Fault(
    name="kill-switch-by-a-person",
    story="An operator pulled the kill switch before a release of the exchange.",
    truth=Truth("external_kill_switch", also=frozenset({"operator_pause"})),
    strike=strike,
)

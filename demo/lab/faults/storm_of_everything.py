"""Half of the desk's rules fire at once and nothing says yet what they share."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Post them."""
    names = (
        "HighNetworkErrorRate", "ContainerHighCpu", "ConnectorIOSlow", "MarginRatioLow", "FundingRateHigh",
        "TickDurationHigh", "PositionDriftHigh", "IndicatorComputeSlow",
    )  # fmt: skip
    for name in names:
        for bot in desk.world.bots:
            desk.alert(name, {"bot": bot, "severity": "critical"}, name)


FAULT = Fault(
    name="storm-of-everything",
    story="Half of the desk's rules fire at once and nothing says yet what they share.",
    truth=Truth("alert_storm", also=frozenset({"nothing_is_wrong"})),
    strike=strike,
    bots=(),
)

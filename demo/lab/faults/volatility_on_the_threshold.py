"""The market swings around the volatility guard's threshold: the bot pauses and runs in turns."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the guard come and go; a rule of the desk's own counts."""

    def swing() -> None:
        if int(desk.now // 120) % 2:
            desk.hold("high_vol")
        else:
            desk.struck.held_by.pop("high_vol", None)

    desk.every(5, swing)
    labels = {"bot": desk.bot, "severity": "warning"}
    desk.after(
        1_500, lambda: desk.alert("BotStateFlapping", labels, "the bot changes its state again and again")
    )


FAULT = Fault(
    name="volatility-on-the-threshold",
    story="The market swings around the volatility guard's threshold: the bot pauses and runs in turns.",
    truth=Truth("flapping", also=frozenset({"high_vol"})),
    strike=strike,
)

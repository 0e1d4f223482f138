"""The edge lies on the gate's threshold: the bot pauses and resumes every two minutes."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the edge swing; a rule of the desk's own counts."""

    def swing() -> None:
        desk.struck.gross_edge = 0.0008 + (0.0006 if int(desk.now // 120) % 2 else 0.0)

    desk.every(5, swing)
    desk.after(
        1_200,
        lambda: desk.alert(
            "BotStateFlapping",
            {"bot": desk.bot, "severity": "warning"},
            f"{desk.bot} changed its state 9 times in 20 minutes",
        ),
    )


FAULT = Fault(
    name="edge-on-the-threshold",
    story="The edge lies on the gate's threshold: the bot pauses and resumes every two minutes.",
    truth=Truth("flapping", also=frozenset({"edge_gate"})),
    strike=strike,
)

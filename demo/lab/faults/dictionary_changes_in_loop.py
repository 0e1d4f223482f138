"""A loop of the controller changes what it goes through."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth

CONTROLLER = "hummingbot.strategy_v2.controllers.epp_v2_4"


def strike(desk: Breaker) -> None:
    """Fail in each update of the controller."""
    last = "RuntimeError: dictionary changed size during iteration"
    where = "controllers/market_making/epp_v2_4.py"
    lines = trace("update_processed_data", last, where)
    desk.keeps_saying(9, "ERROR", CONTROLLER, last.partition(": ")[2], lines, heals=False)


FAULT = Fault(
    name="dictionary-changes-in-loop",
    story="A loop of the controller changes what it goes through.",
    truth=Truth("code_error", tolerated=("soft_pause",)),
    strike=strike,
)

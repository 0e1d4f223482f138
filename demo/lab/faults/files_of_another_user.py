"""After a copy the bot's folder belongs to root: it trades and cannot write its minutes."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth

CONTROLLER = "hummingbot.strategy_v2.controllers.epp_v2_4"


def strike(desk: Breaker) -> None:
    """Write no minutes, and say why."""
    last = "PermissionError: [Errno 13] Permission denied: 'logs/epp_v24/minute.csv'"
    lines = trace("write_minute", last, "controllers/market_making/epp_v2_4.py")
    desk.keeps_saying(10, "ERROR", CONTROLLER, "The minute was not written.", lines, heals=False)
    desk.struck.writes_nothing = True


FAULT = Fault(
    name="files-of-another-user",
    story="After a copy the bot's folder belongs to root: it trades and cannot write its minutes.",
    truth=Truth("code_error", also=frozenset({"frozen_bot"}), tolerated=("soft_pause",)),
    strike=strike,
)

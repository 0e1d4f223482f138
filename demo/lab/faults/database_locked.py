"""A second process has the bot's database open."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let every write to it fail."""
    last = "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked"
    desk.keeps_saying(
        15,
        "ERROR",
        "hummingbot.connector.markets_recorder",
        "Error recording the trade fill.",
        trace("_did_fill_order", last),
        heals=False,
    )


FAULT = Fault(
    name="database-locked",
    story="A second process has the bot's database open.",
    truth=Truth("database_locked"),
    strike=strike,
)

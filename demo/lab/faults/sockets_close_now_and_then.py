"""A socket closes now and then, as every day; an alert that rows are missing is false."""

from demo.desk.connector import socket_dropped
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Close it four times in a quarter of an hour."""
    for after in (0, 200, 500, 800):
        desk.after(after, lambda: socket_dropped(desk.world, desk.struck, "book"))
    labels = {"bot": desk.bot, "severity": "warning"}
    desk.after(850, lambda: desk.alert("MinutePipelineStale", labels, "no new row"))


FAULT = Fault(
    name="sockets-close-now-and-then",
    story="A socket closes now and then, as every day; an alert that rows are missing is false.",
    truth=Truth("nothing_is_wrong", also=frozenset({"no_cause_found"})),
    strike=strike,
)

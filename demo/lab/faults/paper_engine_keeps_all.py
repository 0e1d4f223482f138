"""The paper engine keeps every order since the last change, until the memory is used up."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Change the setting and recreate the bot."""
    desk.set_setting("paper_order_queue_limit", "0")
    desk.recreate()


FAULT = Fault(
    name="paper-engine-keeps-all",
    story="The paper engine keeps every order since the last change, until the memory is used up.",
    truth=Truth("oom_restart_loop", right=("rollback {bot}", "disable_internal_paper {bot}")),
    strike=strike,
    settles=900,
)

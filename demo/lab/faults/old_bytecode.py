"""New controller files were copied in and the container restarted; the old bytecode is taken."""

from demo.desk.controller_code import NEW_SETTING, NEW_VERSION, write_source
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Deploy as people do it."""
    write_source(desk.world.layout.controllers(desk.bot), NEW_VERSION, desk.now)
    desk.set_setting(NEW_SETTING, "0.3")
    desk.restart()


FAULT = Fault(
    name="old-bytecode",
    story="New controller files were copied in and the container restarted; the old bytecode is taken.",
    truth=Truth("stale_bytecode", right=("clear_cache {bot}",), tolerated=("rollback {bot}",)),
    strike=strike,
)

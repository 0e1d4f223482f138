"""An editor left half a line in the bot's controller YAML, and the bot was restarted."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Break the file and restart the bot."""
    path = desk.world.layout.controller_config(desk.bot, desk.struck.variant)
    path.write_text(path.read_text() + "max_base_pct: [0.9\n")
    desk.restart()


FAULT = Fault(
    name="config-file-broken",
    story="An editor left half a line in the bot's controller YAML, and the bot was restarted.",
    truth=Truth("invalid_config", also=frozenset({"crash_restart_loop"}), tolerated=("rollback {bot}",)),
    strike=strike,
)

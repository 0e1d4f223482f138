"""A line of .env was lost: the bot is recreated without its configuration password."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Lose the line and recreate the bot."""
    path = desk.world.layout.env
    path.write_text(path.read_text().replace("CONFIG_PASSWORD=demo-only\n", ""))
    desk.recreate()
    desk.dies_when_up(5, 64, lambda: desk.prints(desk.bot, "CONFIG_PASSWORD is not set"))


FAULT = Fault(
    name="password-missing-in-env",
    story="A line of .env was lost: the bot is recreated without its configuration password.",
    truth=Truth("env_key_missing", also=frozenset({"crash_restart_loop"})),
    strike=strike,
)

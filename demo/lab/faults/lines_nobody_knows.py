"""A notifier that nobody needs fails and fills the log; the bot trades on."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Write the lines by hand."""
    text = "Telegram said: chat 44 gone, giving up on message"
    desk.keeps_saying(8, "ERROR", "hummingbot.notifier.telegram_notifier", text)


FAULT = Fault(
    name="lines-nobody-knows",
    story="A notifier that nobody needs fails and fills the log; the bot trades on.",
    truth=Truth("log_errors_other", also=frozenset({"nothing_is_wrong", "blip"}), tolerated=("soft_pause",)),
    strike=strike,
)

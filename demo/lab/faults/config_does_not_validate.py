"""Somebody added a field to the strategy's configuration and restarted; it does not load, and the process idles."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Restart the bot into a configuration that it refuses."""
    text = (
        "Failed to start strategy v2_with_controllers: 1 validation error for PMMSimpleConfig\n"
        "cooldown_tme\n  Extra inputs are not permitted [type=extra_forbidden, input_value=15, input_type=int]"
    )
    desk.restart()

    def idle() -> None:
        process = desk.struck.process
        if process is not None and not process.stopped and desk.now >= process.ready_at - 5:
            process.stopped = True
            desk.says(
                "ERROR", "hummingbot.core.trading_core", text.split("\n", maxsplit=1)[0], text.split("\n")[1:]
            )

    desk.every(5, idle)


FAULT = Fault(
    name="config-does-not-validate",
    story="Somebody added a field to the strategy's configuration and restarted; it does not load, and the process idles.",
    truth=Truth("invalid_config", tolerated=("rollback {bot}",)),
    strike=strike,
)

"""Somebody edits the controller's YAML of a running bot: each re-read fails."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let each re-read fail."""
    last = "pydantic_core._pydantic_core.ValidationError: 1 validation error for EppV24Config"
    text = "Unexpected error running clock tick."
    desk.keeps_saying(
        10, "ERROR", "hummingbot.core.clock", text, trace("update_controllers_configs", last), heals=False
    )


FAULT = Fault(
    name="config-edited-live",
    story="Somebody edits the controller's YAML of a running bot: each re-read fails.",
    truth=Truth("invalid_config", also=frozenset({"code_error"}), tolerated=("rollback {bot}", "soft_pause")),
    strike=strike,
)

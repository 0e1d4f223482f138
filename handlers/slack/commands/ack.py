"""``ack``: take an incident."""

from __future__ import annotations

from handlers.slack.command_line import operation_command
from triage.incidents.operations import acknowledge

COMMAND = operation_command("ack", "take an incident", acknowledge, what="acknowledge incidents", place=5)

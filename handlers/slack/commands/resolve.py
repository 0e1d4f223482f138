"""``resolve``: close an incident."""

from __future__ import annotations

from handlers.slack.command_line import operation_command
from triage.incidents.operations import resolve

COMMAND = operation_command(
    "resolve",
    "close it (it stays quiet while its alerts fire)",
    resolve,
    what="resolve incidents",
    place=6,
)

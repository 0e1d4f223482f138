"""What stands in a source's list for an item that could not be read, so that nobody takes it for absent."""

from __future__ import annotations

UNREADABLE = "unreadable"
"""The state of such an item (of an alert, a rule, a target, a container), the action of such an event."""


def unread_words(unread: int, every: int, of_what: str) -> str:
    """Return ``1 of the 12 alerts … cannot be read``; empty where all can."""
    return f"{unread} of the {every} {of_what} cannot be read" if unread else ""

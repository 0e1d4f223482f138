"""The fallback channels: how a grave incident gets out while the chat does not take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from triage.model import Severity


@dataclass(frozen=True, slots=True)
class Notice:
    """What goes out: ``id`` is the same for every try, so that a receiver can know a repeat.

    ``kind``: ``incident``, ``escalation``, ``drill`` or ``test``; ``text`` plain lines; ``incidents`` numbers as INC-42.
    ``only``: the recipients who lack it yet, where a channel has several; empty: all.
    """

    id: str
    kind: str
    title: str
    text: str
    severity: Severity
    incidents: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


class FallbackChannel(Protocol):
    """One channel beside the chat: a webhook, e-mail, push."""

    @property
    def name(self) -> str:
        """What people call it: ``webhook``, ``e-mail``, ``push``."""
        ...

    async def send(self, notice: Notice) -> str:
        """Send a notice. Returns who of many it did not go to, as a rule nothing.

        Raises FallbackFailure: nobody has it; PartlySent: some have it, and it is to be tried again for the others.
        """
        ...

    async def examine(self) -> str:
        """Prove that it would work, without waking anybody, and say what was seen. Raises FallbackFailure."""
        ...

"""What a message says, made from the store at the moment it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from triage.model import Json
from triage.ports.store import Message, Tx


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file to upload: ``title`` and ``alt_text`` are what people and screen readers get."""

    name: str
    content: bytes
    title: str
    alt_text: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """``text`` is the preview (notifications, screen readers), ``blocks`` what is seen in the channel.

    With a ``file`` the message is that file, and ``text`` its comment. ``in_channel``: a thread's line that is shown in
    the channel too.
    """

    text: str
    blocks: tuple[Json, ...] = ()
    file: FileContent | None = None
    in_channel: bool = False


Renderer = Callable[[Tx, Message, datetime], Rendered | None]
"""Renders one kind of message from a snapshot; None: there is nothing (any more) to show."""

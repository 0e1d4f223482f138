"""What comes over the connections of one app: looked over before anything reads it, and done once."""

from __future__ import annotations

from typing import Any

from loguru import logger

from bot.slack.payload_shape import Odd, look_over_envelope

REMEMBERED = 500


class Envelopes:
    """Remembers the latest envelopes, over whichever connection they came, and how they were acknowledged.

    Slack sends one again where it does not know whether we have it: its connection broke before the acknowledgement.
    """

    def __init__(self) -> None:
        self._answers: dict[str, str] = {}
        """By id, what acknowledged it; empty where that is still under way."""

    @staticmethod
    def read(text: str) -> dict[str, Any]:
        """Return a message of Slack's; empty, and said, where it is none."""
        try:
            return look_over_envelope(text)
        except Odd as odd:
            logger.warning("what came over a WebSocket is none of Slack's: {why}", why=odd)
            return {}

    def again(self, envelope_id: str) -> str | None:
        """Note that an envelope came. Returns None the first time, then what acknowledged it, empty if nothing yet."""
        before = self._answers.get(envelope_id)
        if before is None:
            self._answers[envelope_id] = ""
            if len(self._answers) > REMEMBERED:
                del self._answers[next(iter(self._answers))]
        return before

    def acknowledged(self, envelope_id: str, answer: str) -> None:
        """Keep what acknowledged an envelope."""
        if envelope_id in self._answers:
            self._answers[envelope_id] = answer

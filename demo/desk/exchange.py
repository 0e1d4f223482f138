"""The simulated exchange: it can refuse requests, ban a key that asks too much, and leave its fees unanswered."""

from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random

from demo.clock import NEVER
from demo.desk.replies import EVERYTHING, Endpoint, NoAnswer, Refusal, Reply

BAN_QUIET = 300.0  # a ban ends when the key has been quiet for this long
CANCELS_ALLOWED_PER_MIN = 120.0
BANNED = Refusal(429, "429", "Too Many Requests")
UNREACHABLE = NoAnswer("dns_again")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Requests that fail: which ``endpoints``, for which ``bots`` (None: all), how, and how many of them (a share).

    ``side``: only orders of that side. ``until``: Unix seconds.
    """

    reply: Reply
    endpoints: Collection[Endpoint] = EVERYTHING
    bots: Collection[str] | None = None
    share: float = 1.0
    side: str = ""
    until: float = NEVER


@dataclass(slots=True)
class Exchange:
    """Times are Unix seconds. ``banned``: bot → when its key last asked for something.

    ``silent``: bots whose order book stream stays open and brings nothing. ``fee_pct``: what a trade costs, where it
    is not the usual (a share of 1).
    """

    banned: dict[str, float] = field(default_factory=dict)
    fees_refused_until: float = 0.0
    network_down_until: float = 0.0
    troubles: list[Trouble] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    fee_pct: float | None = None

    def ban(self, bot: str, now: float) -> None:
        """Refuse this bot's requests until its key has been quiet for a while."""
        self.banned[bot] = now

    def asked(self, bot: str, endpoint: Endpoint, now: float, dice: Random, side: str = "") -> Reply | None:
        """Note a request; return how it fails, None when it is answered.

        Limits are kept apart: a ban is of placing orders, and each further one renews it.
        """
        if now < self.network_down_until:
            return UNREACHABLE
        if bot in self.banned and endpoint == "place":
            self.banned[bot] = now
            return BANNED
        for trouble in self.troubles:
            mine = trouble.bots is None or bot in trouble.bots
            sided = not trouble.side or not side or trouble.side == side
            if mine and sided and endpoint in trouble.endpoints and dice.random() < trouble.share:
                return trouble.reply
        return None

    def step(self, now: float) -> None:
        """Lift the bans of keys that have been quiet, and end the troubles whose time is over."""
        for bot, asked_at in list(self.banned.items()):
            if now - asked_at >= BAN_QUIET:
                del self.banned[bot]
        self.troubles = [trouble for trouble in self.troubles if now < trouble.until]

    def fees_known(self, now: float) -> bool:
        """Whether the fee endpoint answers."""
        return now >= self.fees_refused_until

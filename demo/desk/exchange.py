"""The exchange as the bots meet it: it can refuse orders, ban a key that asks too much, and hide its fees."""

from dataclasses import dataclass, field

BAN_QUIET = 300.0  # a ban ends when the key has been quiet for this long
CANCELS_ALLOWED_PER_MIN = 120.0


@dataclass(slots=True)
class Exchange:
    """Times are Unix seconds. ``banned``: bot → when its key last asked for something."""

    banned: dict[str, float] = field(default_factory=dict)
    fees_refused_until: float = 0.0
    network_down_until: float = 0.0

    def ban(self, bot: str, now: float) -> None:
        """Refuse this bot's requests until its key has been quiet for a while."""
        self.banned[bot] = now

    def asked(self, bot: str, now: float) -> bool:
        """Note a request; return whether it is answered properly. Asking while banned renews the ban."""
        if bot in self.banned:
            self.banned[bot] = now
            return False
        return now >= self.network_down_until

    def step(self, now: float) -> None:
        """Lift the bans of keys that have been quiet."""
        for bot, asked_at in list(self.banned.items()):
            if now - asked_at >= BAN_QUIET:
                del self.banned[bot]

    def fees_known(self, now: float) -> bool:
        """Whether the fee endpoint answers."""
        return now >= self.fees_refused_until

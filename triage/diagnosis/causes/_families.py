"""Families of alerts (see ``symptoms``) that many causes have in common."""

TRADING = frozenset({"stop", "pause", "no_fills", "errors", "orders", "book", "position", "slow"})
"""What a bot shows that runs and cannot trade as it should."""
REFUSED = TRADING - {"slow"}
"""What a bot shows whose requests are answered, with a refusal: nothing of it is late."""
STANDING = frozenset({"loop", "down", "frozen", "unhealthy"})
"""What a bot shows that does not run, or does nothing while it runs."""

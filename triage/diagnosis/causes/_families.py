"""Families of alerts (see ``symptoms``) that many causes have in common."""

TRADING = frozenset({"stop", "pause", "no_fills", "errors", "orders", "book", "position", "slow"})
"""What a bot shows that runs and cannot trade as it should."""
STANDING = frozenset({"loop", "down", "frozen", "unhealthy"})
"""What a bot shows that does not run, or does nothing while it runs."""

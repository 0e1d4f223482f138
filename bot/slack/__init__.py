"""Slack: the client that sends, the outbox that never doubles, the blocks that show."""

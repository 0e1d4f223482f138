"""Whom to notify when nobody acknowledges, and how while the chat is away: escalation, on-call, fallback channels."""

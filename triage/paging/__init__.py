"""Who is woken when nobody acknowledges, and over what when the chat is away: escalation, on-call, fallback channels."""

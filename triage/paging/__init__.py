"""Who is woken when nobody acknowledges, and over what when Slack is away: escalation, on-call, fallback channels."""

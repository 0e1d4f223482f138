"""``hbot-triage`` on the command line: each command's options and what it prints. What it does is in ``bot.commands``."""

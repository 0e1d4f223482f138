"""What ``hbot-triage`` does besides running the service: one file a command with its printing."""

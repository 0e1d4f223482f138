"""What comes in: webhooks, streams, container events, buttons, modals, slash commands."""

"""How an action touches the desk: compose, backups, intents."""

"""Which checks and actions for which signals: the shipped table, and the desk's own overrides."""

"""The catalogue of remedies: one file per action."""

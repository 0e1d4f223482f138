"""Small things that are remembered in the store: people's names, served periods."""

"""What people ask the bot: one question per file, answered from the store, the sources and the desk's files."""

"""Redis: its health, its streams, and the reader of a consumer group."""

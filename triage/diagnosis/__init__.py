"""Rules that turn findings into ranked causes: one small pure function per file."""

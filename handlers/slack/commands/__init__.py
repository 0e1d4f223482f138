"""``/triage``: parsed, authorised, answered within three seconds, to the one who asked."""

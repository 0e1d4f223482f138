"""The fallback channels: a signed webhook, e-mail, and a push service; one file each."""

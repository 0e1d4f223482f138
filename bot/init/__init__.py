"""``hbot-triage init``: reads the desk as it lies on this host, and writes the files that hbot-triage needs."""

"""One folder per source of evidence: client, settings, doctor's look. Each raises ``SourceError`` and nothing else.

``registry.SYSTEMS`` names the folders, ``opening`` opens them. Nothing is imported here: ``minute_csv`` runs in
processes of its own, which shall not pay for the clients of Redis, Docker and HTTP.
"""

"""A trading desk that runs, breaks and heals on one machine: a seeded simulation with the desk's real faces.

``world`` is the cause-and-effect model and does no I/O but the desk's own files; ``desk`` runs it and serves
its faces: exposition text, log lines, CSV files, Redis streams, the Docker Engine API and a compose command.
"""

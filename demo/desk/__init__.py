"""A simulated trading desk that runs, breaks and recovers on one machine, with the real desk's interfaces; seeded.

``world`` is the cause-and-effect model and does no I/O but the desk's own files; ``desk`` runs it and serves its
interfaces: exposition text, log lines, CSV files, Redis streams, the Docker Engine API and a compose command.
"""

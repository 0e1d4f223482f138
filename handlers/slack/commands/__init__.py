"""The commands of ``/triage``: one file a command, named for its word.

A file of this folder defines ``COMMAND``; the help, the nearest-word answer, the dispatch and the docs' table are made from
the folder (``handlers.slack.command_catalogue``).
"""

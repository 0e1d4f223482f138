"""Incident, timeline and triage as Block Kit: pure functions from what is stored to what is seen.

Untrusted text only ever stands in ``rich_text`` leaves and ``plain_text`` objects, which have no markup to
inject; the one ``mrkdwn`` object holds links that are built here.
"""

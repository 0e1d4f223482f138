"""Triage runs: taken from the queue, asked, concluded, stored, and their actions proposed."""

"""The lab: faults strike the simulated desk, today's triage looks at it, and its verdicts are scored against the truth."""

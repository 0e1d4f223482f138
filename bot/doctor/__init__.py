"""``hbot-triage doctor``: asks each dependency, and says how to mend what is wrong."""

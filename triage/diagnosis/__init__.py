"""Rules that turn findings into ranked causes: one small pure function per file."""

from triage.diagnosis.verdict import diagnose

__all__ = ["diagnose"]

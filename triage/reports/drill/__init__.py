"""The controlled alert test: a marked alert goes the whole way, and each hop is timed."""

from triage.drill_alert import ALERTNAME, is_drill

__all__ = ["ALERTNAME", "is_drill"]

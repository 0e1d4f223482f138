"""The drill's own alert: marked, mild, and over by itself."""

from __future__ import annotations

from collections.abc import Mapping

ALERTNAME = "HbotTriageDrill"
LABEL = "drill"


def drill_labels(drill_id: str) -> dict[str, str]:
    """Return the labels of a drill's alert."""
    # A job of its own makes each drill a subject, and so an incident, of its own.
    return {"alertname": ALERTNAME, "severity": "info", LABEL: drill_id, "job": drill_id}


def drill_annotations(by: str) -> dict[str, str]:
    """Return what the alert says to whoever else receives it."""
    return {
        "summary": "Drill: a test of the alerting path, nothing is wrong",
        "description": f"Fired by {by}. It ends by itself; nobody needs to do anything.",
    }


def is_drill(labels: Mapping[str, str]) -> bool:
    """Whether an alert is a drill's."""
    return labels.get("alertname") == ALERTNAME and bool(labels.get(LABEL))

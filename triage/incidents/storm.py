"""What a storm is called, and which pages of its list change."""

from __future__ import annotations

from collections.abc import Iterable

from triage.desk import Desk
from triage.model import Incident, Severity, Signal, worst
from triage.severities import is_paging

STORM_TITLE = "Alert storm"
PAGE = 350
"""Alerts on one page of the list in a storm's thread: as many as fit into one message."""
FOLD_SECONDS = 1.0
"""How long a line that is also shown in the channel waits in a storm for others to be posted with it."""


def is_urgent(desk: Desk, signal: Signal) -> bool:
    """Whether people must notice an alert at once: it is Sev-1, or its label asks for a person."""
    return signal.severity is Severity.SEV1 or is_paging(signal.labels, desk.severities)


def storm_severity(desk: Desk, signal: Signal) -> Severity:
    """Return how grave an alert makes its storm: what asks for a person at once is Sev-2 there at least.

    A playbook may take such an alert for less; among hundreds of others it stands on top of the card as grave, and the
    card's severity must say no less.
    """
    return worst(signal.severity, Severity.SEV2) if is_urgent(desk, signal) else signal.severity


def storm_title(storm: Incident, title: str, *, worse: bool) -> str:
    """Return what a storm is called once a grave alert joined: the graver one leads."""
    return f"{STORM_TITLE}: {title}" if worse or storm.title == STORM_TITLE else storm.title


def changed_pages(total: int, joined: int, *, cleared: bool) -> Iterable[int]:
    """Return the pages that change when ``joined`` of ``total`` alerts are new; what clears may stand on any."""
    if total <= 0:
        return ()
    first = 0 if cleared else max(0, total - joined) // PAGE
    return range(first, (total - 1) // PAGE + 1)

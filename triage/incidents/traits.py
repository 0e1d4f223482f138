"""By what an incident is found again: the cause, its alerts, the templates of its fresh errors. Units of a ``Tx``.

They are stored when it was triaged, and anew when somebody answered what it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from triage.drill_alert import ALERTNAME as DRILL
from triage.logs.templates import FRESH
from triage.model import Incident, TriageRun
from triage.ports.answers import CauseAnswer
from triage.ports.store import Tx

CAUSE, ALERT, LINE = "cause:", "alert:", "line:"
"""What a trait begins with."""
TEMPLATES, ALERTS = 3, 4
_NO_CAUSE = frozenset({"no_cause_found", "nothing_is_wrong"})


def traits_of(run: TriageRun, names: Iterable[str], answer: CauseAnswer | None) -> frozenset[str]:
    """Return the traits by which similar incidents are found: the cause a person named, else the cause of the verdict."""
    if answer is not None:
        causes = [answer.cause] if answer.cause else []
    else:
        causes = [each.cause for each in run.verdict.causes if each.stands]
    kept = {f"{CAUSE}{cause}" for cause in causes if cause not in _NO_CAUSE}
    kept |= {f"{ALERT}{name[:200]}" for name in sorted(names)[:ALERTS]}
    return frozenset(kept | {f"{LINE}{each}" for each in _templates(run)})


def note_traits(tx: Tx, incident: Incident, run: TriageRun) -> None:
    """Store the traits of an incident, as its newest triage and its answer have them."""
    if incident.name == DRILL:
        return
    names = tx.incidents.names([incident.id]).get(incident.id, set())
    tx.answers.set_traits(incident.id, traits_of(run, names, tx.answers.of(incident.id)))


def _templates(run: TriageRun) -> list[str]:
    """Return the templates of a run's fresh errors, each as a short digest: the three most frequent of each bot."""
    logs = next((one.data for one in run.findings if one.name == "error_logs"), {})
    kept: list[str] = []
    for entry in logs.get("bots", {}).values():
        fresh = [one for one in entry.get("templates", ()) if one.get("kind") in FRESH]
        kept += [str(one["text"]) for one in fresh[:TEMPLATES]]
    return [hashlib.sha256(text.encode()).hexdigest()[:16] for text in dict.fromkeys(kept)]

"""A playbook as data: its title, severity, checks, actions and advice."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING

from triage.model import Severity, worst
from triage.severities import has_word, is_paging, severity_of

if TYPE_CHECKING:
    from collections.abc import Mapping

BOT_DASHBOARD = "Hummingbot Bot Deep Dive"
DESK_DASHBOARD = "Hummingbot Trading Desk Overview"
PLACES = ("subject", "alert")
"""What a title may name in braces."""


@dataclass(frozen=True, slots=True)
class Playbook:
    """Which checks and actions for which signals.

    ``title``: a template with the places ``{subject}`` and ``{alert}``. ``checks``: names out of
    ``triage.diagnosis.checks.CHECKS``, in the order of the findings. ``actions``: with ``only_actions`` the only kinds
    that may be offered of those that fit the verdict; a playbook narrows and never adds.
    ``advice``: the runbook's next step in a sentence. ``dashboard``: the Grafana dashboard to link.
    ``minor_containers``: containers of dashboards and the like, for which this is Sev-3 at most.
    ``severity`` None: it follows the alert's own label of severity; ``usual`` where there is none, and ``gravest`` where
    one asks for a person at once and what it tells of is graver than that.
    """

    name: str
    title: str
    severity: Severity | None
    checks: tuple[str, ...]
    actions: tuple[str, ...] = ()
    advice: str = ""
    dashboard: str = BOT_DASHBOARD
    deadline_seconds: float | None = None
    only_actions: bool = False
    minor_containers: frozenset[str] = frozenset()
    usual: Severity | None = None
    gravest: Severity | None = None

    def title_for(self, subject: str, alert: str) -> str:
        """Return the title of an incident: ``bot1 in hard stop``; what the subject says already is not said twice."""
        title = self.title.format(subject=subject, alert=alert)
        twice = bool(subject) and title.startswith((f"{subject} {subject}:", f"{subject} {subject} "))
        return title[len(subject) + 1 :] if twice else _once(title, subject)

    def severity_of(self, labels: Mapping[str, str], words: Mapping[str, Severity] | None = None) -> Severity:
        """Return the desk's severity of such a signal. ``words``: the desk's own words of severity."""
        if labels.get("name", labels.get("container", "")) in self.minor_containers:
            return Severity.SEV3
        if self.severity is not None:
            return self.severity
        if self.usual is not None and not has_word(labels, words):
            return self.usual
        asked = severity_of(labels, words)
        return worst(asked, self.gravest or asked) if is_paging(labels, words) else asked


def _once(title: str, subject: str) -> str:
    """Return ``hbot-redis down`` for ``hbot-redis Redis down``: the subject's last word says it already."""
    first, _, rest = title.removeprefix(f"{subject} ").partition(" ")
    says = rest and title.startswith(f"{subject} ") and subject.lower().endswith(f"-{first.lower()}")
    return f"{subject} {rest}" if says else title


def places_of(title: str) -> tuple[str, ...]:
    """Return the places a title template names; raise ValueError where its braces do not fit."""
    return tuple(field for _, field, _, _ in Formatter().parse(title) if field is not None)

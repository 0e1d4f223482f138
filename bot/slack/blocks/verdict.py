"""What the triage makes of it: likely cause, because, what is not known, what to do next."""

from __future__ import annotations

from bot.slack.blocks.kit import foreign, leaf
from bot.slack.blocks.signs import action_name
from triage.incidents.view import IncidentView
from triage.model import Cause, Json, Verdict
from triage.untrusted_text import one_line

DEGRADED_ON = (
    "Degraded mode is on. Mend what is down; then Exit degraded mode brings the external stack back."
)
BECAUSE, UNKNOWNS, WORDS, ALTERNATIVE_FROM = 3, 3, 260, 0.2

Line = list[Json]


def verdict_lines(view: IncidentView) -> list[Line]:
    """Return the lines of the card that the triage fills; before it, one that says how far it is."""
    if view.run is None:
        return [[leaf("Triage is running…" if view.running else "Not triaged yet.")]]
    verdict = view.run.verdict
    again = [[leaf("A new triage is running…")]] if view.running else []
    if not view.incident.is_open:  # what to do next is past
        return _cause_lines(verdict)[:2]
    return [*_cause_lines(verdict), *_unknown_line(verdict), *_next_lines(view, verdict), *again]


def cause_words(cause: Cause) -> str:
    """Return the cause and how sure we are: ``Drawdown 2.6 % passed the hard limit 2.5 % (92 %)``."""
    return f"{one_line(cause.headline, WORDS)} ({round(min(1.0, max(0.0, cause.confidence)) * 100)} %)"


def because_words(cause: Cause, most: int) -> str:
    """Return the evidence in a row: ``because a · b and 2 more``."""
    named = " · ".join(one_line(reason, WORDS) for reason in cause.because[:most])
    rest = len(cause.because) - most
    return f"because {named} and {rest} more" if rest > 0 else f"because {named}"


def _cause_lines(verdict: Verdict) -> list[Line]:
    top = verdict.top
    if top is None:
        return [[leaf("Likely cause ", bold=True), leaf("none found: no check explains it")]]
    lines: list[Line] = [[leaf("Likely cause ", bold=True), leaf(cause_words(top))]]
    if top.because:
        lines.append([leaf(because_words(top, BECAUSE))])
    second = next(iter(verdict.causes[1:]), None)
    if second is not None and second.confidence >= ALTERNATIVE_FROM:
        lines.append([leaf("Or ", bold=True), leaf(cause_words(second))])
    return lines


def _unknown_line(verdict: Verdict) -> list[Line]:
    if not verdict.unknowns:
        return []
    named = " · ".join(one_line(unknown, 160) for unknown in verdict.unknowns[:UNKNOWNS])
    rest = len(verdict.unknowns) - UNKNOWNS
    return [[leaf("Not known ", bold=True), leaf(f"{named} and {rest} more" if rest > 0 else named)]]


def _next_lines(view: IncidentView, verdict: Verdict) -> list[Line]:
    lines: list[Line] = []
    # What the triage advised before it was done is no next step any more.
    done = {"degraded_mode"} if view.banner else set[str]()
    if verdict.top is not None and verdict.top.advice:
        past = any(one.kind in done for one in verdict.top.actions)
        advice = DEGRADED_ON if past else verdict.top.advice
        lines.append([leaf("Next ", bold=True), foreign(advice, WORDS)])
    fitting = [one for one in verdict.actions if one.kind not in done]
    if fitting and not view.offers and view.incident.is_open:
        fits = [f"{action_name(one.kind)} on {one_line(one.target, 60)}" for one in fitting[:4]]
        lines.append([leaf("Fits ", bold=True), leaf(" · ".join(fits))])
    return lines

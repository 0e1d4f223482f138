"""How often the bot's own verdicts were right, as people answered: nothing where nobody did."""

from __future__ import annotations

from triage.model import Json
from triage.ports.answers import Tally
from triage.ports.chat import Line, Section, section

STRENGTHS = ("certain", "likely", "possible")
_WORDS = {"certain": "almost certain", "likely": "likely", "possible": "possible"}


def hit_rate(period: Tally, ever: Tally) -> Section:
    """Return the section of a digest: the answers given in its period, and all there are; no line where there is none."""
    if not ever:
        return section([])
    lines = [Line(_counted(period) if period else "nobody answered in the period")]
    if period != ever:
        lines.append(Line(_counted(ever), name="Of all times"))
    return section(lines, "Verdicts, as people answered")


def counted(tally: Tally) -> dict[str, Json]:
    """Return the counts for programs: of verdicts that named a cause, and of those that named none.

    ``{"answered", "right", "share" (None where nobody answered), "by_strength": {strength: {"answered", "right"}},
    "no_cause_named"}``.
    """
    named = {strength: counts for strength, counts in tally.items() if strength}
    answered, right = (sum(counts[which] for counts in named.values()) for which in (0, 1))
    return {
        "answered": answered,
        "right": right,
        "share": round(right / answered, 4) if answered else None,
        "by_strength": {
            strength: {"answered": counts[0], "right": counts[1]} for strength, counts in named.items()
        },
        "no_cause_named": tally.get("", (0, 0))[0],
    }


def _counted(tally: Tally) -> str:
    """Return ``of 12 answered, 11 right (92 %): almost certain 8 of 8, likely 3 of 4; 2 had named no cause``."""
    named = {strength: counts for strength, counts in tally.items() if strength}
    silent = tally.get("", (0, 0))[0]
    answered, right = (sum(counts[which] for counts in named.values()) for which in (0, 1))
    parts = []
    if answered:
        by_strength = [
            f"{_WORDS.get(strength, strength)} {named[strength][1]} of {named[strength][0]}"
            for strength in (*STRENGTHS, *sorted(set(named) - set(STRENGTHS)))
            if strength in named
        ]
        shares = f": {', '.join(by_strength)}" if len(by_strength) > 1 else ""
        parts.append(f"of {answered} answered, {right} right ({_percent(right, answered)} %){shares}")
    if silent:
        parts.append(f"{silent} had named no cause")
    return "; ".join(parts)


def _percent(part: int, whole: int) -> int:
    """Return whole percent; 100 only where it is all, 0 only where it is none."""
    return part * 100 // whole if part in {0, whole} else min(99, max(1, round(part * 100 / whole)))

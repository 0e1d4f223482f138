"""Whether an action helped: the same rows before and after, side by side; pure."""

from __future__ import annotations

from triage.plans.verification import Compared, Observation, Row, Verification, VerificationOutcome

NOT_SEEN = "not looked at"


def compare(before: Observation | None, after: Observation) -> Verification:
    """Compare. Persisting: something that decides is bad, or something got bad; inconclusive: it is not known."""
    earlier = {row.name: row for row in before.rows} if before is not None else {}
    rows = tuple(_side_by_side(earlier.get(row.name), row) for row in after.rows)
    bad = [row for row in after.rows if row.good is False and row.decides]
    worse = [
        row
        for row in after.rows
        if row.good is False
        and not row.decides
        and row.name in earlier
        and earlier[row.name].good is not False
    ]
    unknown = [row for row in after.rows if row.good is None and row.decides]
    if bad or worse:
        words = [f"{row.name}: {row.seen}" for row in bad]
        words += [f"{row.name} got worse: {row.seen}" for row in worse]
        return Verification(VerificationOutcome.PERSISTING, after.at, rows, "; ".join(words))
    if unknown or not any(row.decides for row in after.rows):
        words = [f"{row.name}: {row.seen}" for row in unknown] or ["nothing that decides could be looked at"]
        return Verification(VerificationOutcome.INCONCLUSIVE, after.at, rows, "; ".join(words))
    return Verification(VerificationOutcome.RECOVERED, after.at, rows)


def _side_by_side(before: Row | None, after: Row) -> Compared:
    return Compared(after.name, before.seen if before is not None else NOT_SEEN, after.seen, after.good)

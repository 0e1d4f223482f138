"""Recorded evidence judged by today's rules, beside what was said then: what changed, cause by cause. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triage.actions.catalogue import action_title
from triage.actions.remedies import judged
from triage.model import ActionProposal, Cause, Json, Verdict, Withheld
from triage.reports.cases import RecordedCase


@dataclass(frozen=True, slots=True)
class Replay:
    """A case judged again: the verdict that ``was`` given, and the one that is given ``now``."""

    case: RecordedCase
    was: Verdict
    now: Verdict

    @property
    def changed(self) -> bool:
        """Whether anything of the verdict is another."""
        return self.was != self.now

    @property
    def differences(self) -> tuple[str, ...]:
        """What changed, one line each, the cause first."""
        return tuple(_differences(self.was, self.now))

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON values."""
        return {
            "case": self.case.name,
            "title": self.case.title,
            "schema": self.case.record.schema,
            "recorded_at": self.case.record.made_at.isoformat(),
            "caveats": list(self.case.record.caveats),
            "changed": self.changed,
            "differences": list(self.differences),
            "was": _verdict_json(self.was),
            "now": _verdict_json(self.now),
        }

    def lines(self) -> list[str]:
        """Return it for a terminal."""
        record = self.case.record
        head = f"{self.case.name}: {self.case.title} (recorded {record.made_at:%Y-%m-%d %H:%M} UTC)"
        said = [f"  note: {each}" for each in record.caveats]
        if not self.changed:
            return [head, *said, f"  same: {_named(self.now)}"]
        return [head, *said, *(f"  {each}" for each in self.differences)]


def replay(case: RecordedCase) -> Replay:
    """Judge a case by today's rules."""
    return Replay(case, case.record.verdict, judged(case.record))


def _differences(was: Verdict, now: Verdict) -> Iterator[str]:
    before, after = _named(was), _named(now)
    if before != after:
        yield f"cause: {before} -> {after}"
    earlier = {each.cause: each for each in was.causes}
    later = {each.cause: each for each in now.causes}
    for name in dict.fromkeys((*earlier, *later)):
        yield from _of_cause(name, earlier.get(name), later.get(name))
    yield from _moved("offered", map(_title, was.actions), map(_title, now.actions))
    yield from _moved("withheld", map(_withheld, was.withheld), map(_withheld, now.withheld))
    yield from _moved("not explained", was.unexplained, now.unexplained)
    yield from _moved("not known", was.unknowns, now.unknowns)


def _of_cause(name: str, was: Cause | None, now: Cause | None) -> Iterator[str]:
    if was is None or now is None:
        one = was or now
        if one is not None:
            yield f"{name}: {'no longer weighed' if now is None else 'new'} ({_strength(one)})"
        return
    if _strength(was) != _strength(now):
        yield f"{name}: {_strength(was)} -> {_strength(now)}"
    yield from _moved(f"{name}: for it", was.because, now.because)
    yield from _moved(f"{name}: against it", was.against, now.against)
    yield from _moved(f"{name}: explains", was.explains, now.explains)
    for field in ("headline", "advice", "settle", "by_hand"):
        if getattr(was, field) != getattr(now, field):
            yield f"{name}: {field.replace('_', ' ')}: {getattr(was, field)!r} -> {getattr(now, field)!r}"
    rest = (was.actions, was.follows, was.findings, was.subject, was.since)
    if rest != (now.actions, now.follows, now.findings, now.subject, now.since):
        yield f"{name}: its remedies, consequences, findings, subject or beginning differ"


def _moved(what: str, was: Iterable[str], now: Iterable[str]) -> Iterator[str]:
    before, after = list(was), list(now)
    yield from (f"{what}: - {each}" for each in before if each not in after)
    yield from (f"{what}: + {each}" for each in after if each not in before)
    if before != after and sorted(before) == sorted(after):
        yield f"{what}: in another order"


def _named(verdict: Verdict) -> str:
    standing = [each for each in verdict.causes if each.stands]
    return " and ".join(f"{each.cause} ({_strength(each)})" for each in standing) or "no cause named"


def _strength(cause: Cause) -> str:
    return (
        f"{cause.strength or 'unknown strength'} {cause.confidence:.2f}{', stands' if cause.stands else ''}"
    )


def _title(action: ActionProposal) -> str:
    return action_title(action.kind, action.target)


def _withheld(one: Withheld) -> str:
    return f"{action_title(one.kind, one.target)} ({one.why})"


def _verdict_json(verdict: Verdict) -> Json:
    return {
        "causes": [
            {
                "cause": each.cause,
                "headline": each.headline,
                "strength": each.strength,
                "confidence": each.confidence,
                "stands": each.stands,
                "because": list(each.because),
                "against": list(each.against),
                "explains": list(each.explains),
            }
            for each in verdict.causes
        ],
        "actions": [{"kind": each.kind, "target": each.target, "why": each.why} for each in verdict.actions],
        "withheld": [
            {"kind": each.kind, "target": each.target, "why": each.why} for each in verdict.withheld
        ],
        "unexplained": list(verdict.unexplained),
        "unknowns": list(verdict.unknowns),
    }

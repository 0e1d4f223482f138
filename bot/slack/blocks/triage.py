"""What the triage says in the thread: one message, edited; the verdict first, what is not ok, the rest folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from bot.slack.blocks import kit
from bot.slack.blocks.kit import leaf
from bot.slack.blocks.shortening import shorter, some
from bot.slack.blocks.symbols import FINDING, check_name
from bot.slack.blocks.times import when
from bot.slack.blocks.verdict import NOT_KNOWN, cause_words, headline
from bot.slack.rendered import Rendered
from triage.diagnosis.comparison import changes
from triage.diagnosis.strength import believed
from triage.model import Finding, FindingStatus, Json, TriageRun
from triage.untrusted_text import one_line
from triage.wording import counted, listed

REPORT = "incident.report"
"""The button that opens the whole report; its value is the incident's opaque id."""
LINES = 17
"""The lines that all of it may take on a phone."""
BAD_FIRST = 4
"""Lines kept for findings that are not ok before similar past incidents are shown."""
NOT_OK = 2
"""Lines of findings that are not ok which are always shown, before the consequences of the cause."""
RUNS, CAUSES, FINDINGS = 6, 2, 6
SAID, REASONS, ROW, NAMES, CHANGE = 108, 72, 70, 70, 72

Line = list[Json]


def triage_message(
    runs: Sequence[TriageRun], now: datetime, handle: str, past: Sequence[Line] = ()
) -> Rendered:
    """Return the message of an incident's finished runs, oldest first, at least one.

    ``past``: one line for each past incident like it.
    """
    run = runs[-1]
    head = [[leaf(_head(runs, now), bold=True)]]
    verdict = _verdict(run)
    bad = _of(run, FindingStatus.CRITICAL, FindingStatus.WARNING)[:FINDINGS]
    rest = [*_folded(run), *_unknown(run), *_changed(runs, now)]
    if kit.height([*head, *verdict, *rest]) + NOT_OK > LINES:
        verdict = _verdict(run, brief=True)
    rest += _past(
        past, LINES - kit.height([*head, *verdict, *rest]) - min(BAD_FIRST, kit.height(map(_finding, bad)))
    )
    room = LINES - kit.height([*head, *verdict, *rest])
    lines = [*head, *verdict, *_within(bad, room), *rest]
    blocks = [
        kit.paragraph(lines),
        kit.actions("triage", [kit.button("Full report", REPORT, handle)]),
    ]
    return Rendered(text=kit.preview(f"{_head(runs, now)} · {_short(run)}"), blocks=kit.present(blocks))


def _head(runs: Sequence[TriageRun], now: datetime) -> str:
    times = [when(run.finished_at or run.requested_at, now) for run in runs]
    later = list(dict.fromkeys(times[1:]))
    return f"Triage · {times[0]}" + (f", again {later[-1]}" if later else "")


def _short(run: TriageRun) -> str:
    top = run.verdict.top
    if top is None:
        return "no cause found"
    return cause_words(top) if believed(top) else headline(top)


def _verdict(run: TriageRun, *, brief: bool = False) -> list[Line]:
    causes = [cause for cause in run.verdict.causes if believed(cause)][:CAUSES]
    if not causes:
        known = next((cause for cause in run.verdict.causes if cause.cause == NOT_KNOWN), None)
        possible = next((cause for cause in run.verdict.causes if cause.cause != NOT_KNOWN), None)
        said = headline(known) if known is not None else "no check explains it"
        lines: list[Line] = [[leaf("Cause not known: ", bold=True), leaf(shorter(said, SAID))]]
        if possible is not None:
            lines.append([leaf("Possible: ", bold=True), leaf(shorter(headline(possible), SAID))])
        return lines
    lines = []
    for cause in causes:
        lines.append([leaf(shorter(cause_words(cause), SAID), bold=True)])
        if cause.because:
            lines.append([leaf(f"because {some(cause.because, REASONS - 8)}")])
        if cause.follows and not brief:
            lines.append([leaf(f"it brings about: {some(cause.follows, REASONS - 17)}")])
    if run.verdict.unexplained:
        lines.append([leaf(f"not explained: {some(run.verdict.unexplained, REASONS - 15)}")])
    return lines


def _of(run: TriageRun, *statuses: FindingStatus) -> list[Finding]:
    found = [one for one in run.findings if one.status in statuses]
    return sorted(found, key=lambda one: statuses.index(one.status))


def _finding(finding: Finding) -> Line:
    said = finding.headline or finding.why or str(finding.status)
    return [
        leaf(f"{FINDING[finding.status]} {check_name(finding.name)}: ", bold=True),
        leaf(shorter(said, ROW - len(check_name(finding.name)) - 4)),
    ]


def _folded(run: TriageRun) -> list[Line]:
    fine = _of(run, FindingStatus.OK)
    if not fine:
        return []
    only = len(fine) == len(run.findings)
    count = (
        counted(len(fine), "check") if only else f"{len(fine)} more {'check' if len(fine) == 1 else 'checks'}"
    )
    names = listed([check_name(one.name).lower() for one in fine], 12)
    return [[leaf(f"{FINDING[FindingStatus.OK]} {count} ok: "), leaf(shorter(names, NAMES - len(count)))]]


def _unknown(run: TriageRun) -> list[Line]:
    unknown = _of(run, FindingStatus.UNKNOWN)
    if not unknown:
        return []
    by_why: dict[str, list[str]] = {}
    for one in unknown:
        by_why.setdefault(one.why or one.headline or "no word", []).append(check_name(one.name))
    return [[leaf(f"{FINDING[FindingStatus.UNKNOWN]} Unknown: ", bold=True), leaf(_reasons(by_why))]]


def _reasons(by_why: Mapping[str, list[str]]) -> str:
    """Return ``Streams: Redis is not configured; Fees: Loki does not answer``.

    Where that is too long, the commonest reason and how many more are unknown; where that is too, the checks alone.
    """
    whole = "; ".join(f"{listed(names, 3)}: {why}" for why, names in by_why.items())
    if len(whole) <= NAMES or len(by_why) == 1:
        return shorter(whole, NAMES)
    why, most = max(by_why.items(), key=lambda each: len(each[1]))
    rest = sum(map(len, by_why.values())) - len(most)
    if len(common := f"{listed(most, 2)}: {one_line(why, NAMES)}; and {rest} more") <= NAMES:
        return common
    return shorter(", ".join(name for names in by_why.values() for name in names), NAMES)


def _changed(runs: Sequence[TriageRun], now: datetime) -> list[Line]:
    """Return one line a later run that found something else, the newest two; a run that found the same has none."""
    lines: list[Line] = []
    for before, after in pairwise(runs):
        if words := changes(before, after):
            at = when(after.finished_at or after.requested_at, now)
            lines.append([leaf(f"{at} changed: {some(words, CHANGE - len(at) - 10)}")])
    return lines[-2:]


def _past(lines: Sequence[Line], room: int) -> list[Line]:
    """Return as many of the past incidents as fit: what is wrong now goes first."""
    kept: list[Line] = []
    for line in lines:
        if kit.height([*kept, line]) > room:
            break
        kept.append(line)
    return kept


def _within(bad: Sequence[Finding], room: int) -> list[Line]:
    """Return the rows that fit into so many lines of a phone, and how many do not; they are named where no row fits."""
    kept: list[Line] = []
    for number, finding in enumerate(bad):
        row, rest = _finding(finding), len(bad) - number
        if kit.height([*kept, row]) + (rest > 1) > max(room, 2):
            if kept:
                return [*kept, [leaf(f"and {counted(rest, 'more check')} not ok")]]
            names = ", ".join(check_name(one.name).lower() for one in bad)
            head = f"{FINDING[bad[0].status]} {counted(rest, 'check')} not ok: "
            return [[leaf(head, bold=True), leaf(shorter(names, NAMES - len(head)))]]
        kept.append(row)
    return kept

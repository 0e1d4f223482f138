"""The score as lines for a terminal and as docs/verdicts.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demo.lab.run import RunOutcome
from demo.lab.score import BUCKET_COUNTS, Figures, figures

Half = tuple[str, Sequence[RunOutcome]]


def percent(value: float | None) -> str:
    """Return a share in percent, a dash for none."""
    return "-" if value is None else f"{100 * value:.1f} %"


def rows(score: Figures) -> Iterator[tuple[str, str]]:
    """Yield each figure with its name."""
    yield "runs (verdicts judged)", f"{score.runs} ({score.verdicts})"
    yield "no signal within its patience", str(score.without_signal)
    yield "cause named first (settled, all evidence)", percent(score.top1)
    yield "cause among the first three", percent(score.top3)
    yield "believed and wrong", percent(score.wrong)
    yield "right action", percent(score.right_action)
    yield "verdicts that offer a harmful action", str(score.harmful)
    yield "abstains where nothing is to be blamed", percent(score.abstention)
    yield "two faults at once: both named", percent(score.two_named)
    yield "a source missing: cause named first", percent(score.missing_top1)
    yield "a source missing: believed and wrong", percent(score.missing_wrong)
    yield "first verdict acceptable", percent(score.first_acceptable)
    yield "first verdict names the cause", percent(score.first_top1)
    error = score.calibration_error
    yield "expected calibration error", "-" if error is None else f"{error:.3f}"
    seconds = score.signal_seconds
    yield "first signal after (median)", "-" if seconds is None else f"{seconds:.0f} s"
    slow = score.verdict_ms
    yield (
        "time for a verdict once the findings are there (99 of 100)",
        "-" if slow is None else f"{slow:.1f} ms",
    )


def lines(name: str, outcomes: Sequence[RunOutcome]) -> list[str]:
    """Return the figures of one half for a terminal."""
    score = figures(outcomes)
    found = [f"{name}:", *(f"  {label:<60} {value}" for label, value in rows(score))]
    return [
        *found,
        *(
            f"  says {bucket.low:.2f}-{bucket.high:.2f}: {bucket.says:.2f}, is right {bucket.right:.2f} ({bucket.runs})"
            for bucket in score.buckets
        ),
    ]


def outcome_lines(outcomes: Sequence[RunOutcome], *, everything: bool = False) -> Iterator[str]:
    """Yield what verdicts said that were wrong, harmful or without a signal; all of them with ``everything``."""
    for each in outcomes:
        bad = [mark for mark, so in marks(each) if so]
        if not bad and not everything:
            continue
        missing = f" without {each.missing}" if each.missing else ""
        said = (
            f"{each.settled.said} {each.settled.confidence:.2f}" if each.settled is not None else "no signal"
        )
        truth = each.run.fault.truth.cause
        yield f"{each.run.name}{missing} [{each.signal}]: {truth} <- {said} {', '.join(bad)}"
        if everything:
            yield from (f"    {line}" for line in each.story)


def marks(outcome: RunOutcome) -> list[tuple[str, bool]]:
    """Return what can be bad about an outcome, and whether it is."""
    first, settled = outcome.first, outcome.settled
    if first is None or settled is None:
        return [("UNHEARD", True)]
    return [
        ("WRONG", settled.wrong),
        ("not first", not settled.top1 and not outcome.missing),
        (f"HARMFUL {' '.join(settled.harmful)}", bool(settled.harmful)),
        ("wrong action", not settled.right_action and not outcome.missing),
        (f"first: {first.said} {first.confidence:.2f}", not first.acceptable),
        (f"FIRST HARMFUL {' '.join(first.harmful)}", bool(first.harmful)),
    ]


HEAD = """# How good the verdicts are

Written by `make lab ARGS=--write`; [lab.md](lab.md) says how faults are made and judged. The development half is what
the weights of the causes are fitted on; the exam half has faults and seeds that nobody tunes on: only its figures are
looked at.
"""


WEEK = "## A healthy week\n\n"
"""The heading of what a healthy week brought; the next heading ends it."""


def week_in(text: str) -> str:
    """Return what docs/verdicts.md says of a healthy week; empty where it says nothing."""
    return text.partition(WEEK)[2].partition("\n## ")[0].strip()


def with_week(text: str, week: str) -> str:
    """Return docs/verdicts.md with another healthy week in it, before what a confidence is worth."""
    before, _, rest = text.partition("## What a confidence is worth")
    return f"{before.partition(WEEK)[0]}{WEEK}{week}\n\n## What a confidence is worth{rest}"


def document(halves: Sequence[Half]) -> str:
    """Return docs/verdicts.md, but for the healthy week, which is a run of its own."""
    scores = [(name, figures(outcomes)) for name, outcomes in halves]
    table = ["| | " + " | ".join(name for name, _ in scores) + " |", "| --- |" + " --- |" * len(scores)]
    columns = [dict(rows(score)) for _, score in scores]
    table += [
        f"| {label} | " + " | ".join(column[label] for column in columns) + " |" for label in columns[0]
    ]
    parts = [HEAD, "\n".join(table), "\n## What a confidence is worth\n", *_buckets(scores)]
    parts += ["\n## By fault\n", *(_by_fault(name, outcomes) for name, outcomes in halves)]
    return "\n".join(parts).rstrip() + "\n"


def _buckets(scores: Sequence[tuple[str, Figures]]) -> Iterator[str]:
    yield f"A row counts from {BUCKET_COUNTS} verdicts on; verdicts with a source missing are among them.\n"
    yield "| half | says | on average | is right | verdicts |\n| --- | --- | --- | --- | --- |"
    for name, score in scores:
        for bucket in score.buckets:
            span = f"{bucket.low:.2f} to {bucket.high:.2f}"
            yield f"| {name} | {span} | {bucket.says:.2f} | {bucket.right:.2f} | {bucket.runs} |"


def _by_fault(name: str, outcomes: Sequence[RunOutcome]) -> str:
    found = [
        f"### {name.capitalize()}\n",
        "| fault | its cause | first signal | runs | named first | wrong | harm | right action |",
    ]
    found.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for fault in sorted({each.run.fault.name for each in outcomes}):
        mine = [each for each in outcomes if each.run.fault.name == fault]
        score = figures(mine)
        signal = next((each.signal for each in mine if each.signal), "none")
        named = score.top1 if score.top1 is not None else score.abstention
        cells = (
            fault,
            mine[0].run.fault.truth.cause,
            signal,
            score.runs,
            percent(named),
            percent(score.wrong),
        )
        found.append(f"| {' | '.join(map(str, cells))} | {score.harmful} | {percent(score.right_action)} |")
    return "\n".join(found) + "\n"

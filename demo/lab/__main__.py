"""``python -m demo.lab``: run faults and print the score. ``make lab`` is this."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from demo.lab import calibration
from demo.lab.collection import faults_in, known_causes, mistakes, own_faults
from demo.lab.executor import run_all
from demo.lab.fault import Fault, FaultError
from demo.lab.plan import planned, short
from demo.lab.recorded import judge_recorded, recorded_in, recorded_lines
from demo.lab.report import document, lines, outcome_lines, week_in, with_week
from demo.lab.run import Run, RunOutcome
from demo.lab.week import ASKS_A_DAY, healthy_week
from triage.reports.cases import RecordedCase

VERDICTS = Path(__file__).parents[2] / "docs" / "verdicts.md"
BAD, USAGE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and report; returns the exit code: 0 good, 1 where no fault could be scored, 2 for a wrong call."""
    given = _parser().parse_args(arguments)
    if given.week:
        return _healthy_week(given)
    if given.causes:
        sys.stdout.write("\n".join(known_causes()) + "\n")
        return 0
    try:
        faults, cases = _collected(given)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    recorded = judge_recorded(cases)
    if cases:
        sys.stdout.write("\n".join(recorded_lines(cases, recorded)) + "\n")
    if not faults:
        return 0 if recorded else BAD
    try:
        return _scored(faults, given)
    except FaultError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE


def _collected(given: argparse.Namespace) -> tuple[list[Fault], list[RecordedCase]]:
    """Return the faults and the recorded cases that are asked for. Raises ValueError where there is none."""
    cases: list[RecordedCase] = []
    if given.faults:
        cases = [each for each in recorded_in(given.faults) if given.only in each.name]
    found = faults_in(given.faults, needed=not cases) if given.faults else own_faults()
    faults = [fault for fault in found if given.only in fault.name]
    sys.stderr.write("".join(f"{line}\n" for line in mistakes(faults)))
    if not faults and not cases:
        raise ValueError(f"no fault is called {given.only!r}")
    return faults, cases


def _scored(faults: Sequence[Fault], given: argparse.Namespace) -> int:
    began = time.monotonic()
    halves = [(name, run_all(runs, given.jobs)) for name, runs in _halves(faults, given) if runs]
    seconds = time.monotonic() - began
    for name, outcomes in halves:
        sys.stdout.write("\n".join(_report(name, outcomes, given)) + "\n")
    sys.stdout.write(f"{sum(len(outcomes) for _, outcomes in halves)} pairs of verdicts in {seconds:.0f} s\n")
    if given.write:
        before, text = week_in(VERDICTS.read_text()), document(halves)
        VERDICTS.write_text(with_week(text, before) if before else text)
    return 0 if any(outcome.settled for _, outcomes in halves for outcome in outcomes) else BAD


def _healthy_week(given: argparse.Namespace) -> int:
    """Run it, say what it brought, and put that into docs/verdicts.md where it is to be written."""
    week = asyncio.run(healthy_week(given.days, given.seed))
    sys.stdout.write(week.text + "\n")
    if given.write:
        told = f"Nothing goes wrong, and triage is asked about a bot {ASKS_A_DAY} times a day: {week.text}."
        VERDICTS.write_text(with_week(VERDICTS.read_text(), told))
    return 0 if week.good else BAD


def _report(name: str, outcomes: Sequence[RunOutcome], given: argparse.Namespace) -> Iterator[str]:
    yield from (*lines(name, outcomes), "")
    if given.tell and name != "exam":
        yield from outcome_lines(outcomes, everything=given.tell == "all")
    if given.fit and name == "development":
        yield from calibration.lines(calibration.judged(outcomes))


def _halves(faults: Sequence[Fault], given: argparse.Namespace) -> list[tuple[str, list[Run]]]:
    if given.faults:
        both = [*planned(faults, exam=False), *planned(faults, exam=True)]
        return [("all", [one for one in both if one.exam == one.fault.exam])]
    if given.short:
        return [("short", short(faults))]
    wanted = ("development", "exam") if given.half == "both" else (given.half,)
    return [(name, planned(faults, exam=name == "exam")) for name in wanted]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("make lab", description=__doc__)
    parser.add_argument(
        "--faults", type=Path, help="a folder of faults and recorded cases instead of the lab's own"
    )
    parser.add_argument(
        "--half", choices=("development", "exam", "both"), default="both", help="which faults"
    )
    parser.add_argument("--only", default="", help="faults whose name contains this")
    parser.add_argument("--short", action="store_true", help="every second development fault once")
    parser.add_argument("--tell", choices=("bad", "all"), help="print what development verdicts said")
    parser.add_argument("--write", action="store_true", help="write docs/verdicts.md")
    parser.add_argument(
        "--fit", action="store_true", help="fit the calibration on the development half, and print it"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--week", action="store_true", help="a healthy week, asked 144 times a day")
    parser.add_argument(
        "--causes", action="store_true", help="the names that a truth may have, and what each means"
    )
    parser.add_argument("--days", type=float, default=7.0, help="how long the healthy week is")
    parser.add_argument("--seed", type=int, default=1, help="of the healthy week")
    return parser


if __name__ == "__main__":
    sys.exit(main())

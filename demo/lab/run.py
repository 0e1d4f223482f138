"""One run: a fault strikes a copy of a desk, the first signal is waited for, and triage is asked twice."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, FaultError
from demo.lab.judgement import Judgement, Struck, judge, merged
from demo.lab.noise import make_noise
from demo.lab.triage import LabTriage, triage
from demo.lab.watched_desk import PreparedDesks, WatchedDesk
from triage.model import Incident, Verdict

Setting = Literal["plain", "deployed", "noisy", "paired"]
FIRST_AFTER = 5.0
"""Seconds from the first signal to the first verdict."""
INCIDENTS_MAX = 6


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be run. ``missing``: the sources that are taken away in turn; the full evidence is always judged."""

    fault: Fault
    seed: int
    setting: Setting = "plain"
    bot: str = ""
    other: Fault | None = None
    other_bot: str = ""
    missing: tuple[str, ...] = ()
    exam: bool = False

    @property
    def together(self) -> int:
        """How many things go wrong at once."""
        return 1 + len(self.fault.beside) + (1 + len(self.other.beside) if self.other is not None else 0)

    @property
    def name(self) -> str:
        """What it is called in reports."""
        with_other = f" + {self.other.name}" if self.other is not None else ""
        return f"{self.fault.name}{with_other} [{self.setting} {self.bot or 'desk'} seed {self.seed}]"


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came of a run, with one kind of evidence. ``signal_after``: seconds until the first signal; None: never."""

    run: Run
    missing: str
    signal_after: float | None
    signal: str = ""
    first: Judgement | None = None
    settled: Judgement | None = None
    story: tuple[str, ...] = field(default=(), repr=False)


async def run(one: Run, prepared: PreparedDesks) -> list[RunOutcome]:
    """Do one run; an outcome for the full evidence and one for each source that is missing."""
    watched, folder = await prepared.take(one.seed, one.bot or "bot1" if one.setting == "deployed" else "")
    try:
        return await _run_on(one, watched)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run_on(one: Run, watched: WatchedDesk) -> list[RunOutcome]:
    dice = Random(f"{one.fault.name}-{one.seed}-{one.setting}")
    breaker = Breaker(
        world=watched.world, prometheus=watched.prometheus, bus=watched.bus, bot=one.bot, dice=dice
    )
    if one.setting == "noisy":
        make_noise(breaker)
    began = watched.now
    strike(one.fault, breaker)
    if one.other is not None:
        strike(one.other, replace(breaker, bot=one.other_bot))
    struck = _struck(one)
    incident, signal = await _first(watched, breaker, one.fault.patience)
    if incident is None:
        return [RunOutcome(one, missing, None) for missing in ("", *one.missing)]
    elapsed = watched.now - began
    await watched.step(breaker)
    kinds = ("", *one.missing)
    firsts = [
        await triage(watched, watched.incidents.state.incidents[incident.id], missing) for missing in kinds
    ]
    await watched.pass_time(one.fault.settles, breaker=breaker)
    opener, *others = watched.all_incidents()
    current = [opener, *(each for each in others if each.is_open)][:INCIDENTS_MAX]
    looked_at = {missing: [await triage(watched, each, missing) for each in current] for missing in kinds}
    if one.other is not None:
        more = await _the_other(one, one.other, watched, breaker)
        current, looked_at[""] = (
            [*current, *(each for each, _ in more)],
            [*looked_at[""], *(each for _, each in more)],
        )
    outcomes = []
    for missing, first in zip(kinds, firsts, strict=True):
        looked = looked_at[missing]
        settled = _settled([each.verdict for each in looked], struck, looked)
        story = _story(current, first, looked)
        outcomes.append(
            RunOutcome(
                run=one,
                missing=missing,
                signal_after=elapsed,
                signal=signal,
                first=judge(first.verdict, struck, first.seconds),
                settled=settled,
                story=story,
            )
        )
    return outcomes


def strike(fault: Fault, breaker: Breaker) -> None:
    """Let a fault strike. Raises FaultError that names the fault which could not."""
    try:
        fault.strike(breaker)
    except Exception as error:
        raise FaultError(
            f"{fault.name} cannot strike {breaker.bot or 'the desk'}: {type(error).__name__}: {error}"
        ) from error


async def _the_other(
    one: Run, other: Fault, watched: WatchedDesk, breaker: Breaker
) -> list[tuple[Incident, LabTriage]]:
    """Wait until both faults have brought a signal (a rule may wait longer than another); look again when that settled."""
    end = watched.now + max(one.fault.patience, other.patience)
    if _has_signal(one, watched):
        return []
    while not _has_signal(one, watched) and watched.now < end:
        await watched.step(breaker)
    await watched.pass_time(other.settles, breaker=breaker)
    later = [each for each in watched.all_incidents() if each.is_open][:INCIDENTS_MAX]
    return [(each, await triage(watched, each)) for each in later]


def _has_signal(one: Run, watched: WatchedDesk) -> bool:
    return {one.bot, one.other_bot} <= {bot for each in watched.all_incidents() for bot in each.bots}


def _struck(one: Run) -> Struck:
    truths = [(one.fault.truth, one.bot), *one.fault.beside]
    if one.other is not None:
        truths += [(one.other.truth, one.other_bot), *one.other.beside]
    return Struck(tuple(truths))


async def _first(watched: WatchedDesk, breaker: Breaker, patience: float) -> tuple[Incident | None, str]:
    """Wait for the first incident."""
    end = watched.now + patience
    while watched.now < end:
        for incident in await watched.step(breaker):
            return incident, incident.name
    return None, ""


def _settled(verdicts: Sequence[Verdict], struck: Struck, looked: Sequence[LabTriage]) -> Judgement:
    judged = [judge(verdict, struck, each.seconds) for verdict, each in zip(verdicts, looked, strict=True)]
    strong = {cause.cause for verdict in verdicts for cause in verdict.causes if cause.confidence >= 0.5}  # noqa: PLR2004
    together = sum(bool(truth.names & strong) for truth, _ in struck.truths)
    return merged(judged, struck, together)


def _story(incidents: Sequence[Incident], first: LabTriage, looked: Sequence[LabTriage]) -> tuple[str, ...]:
    lines = ["first verdict"]
    lines += _triage_lines(first)
    for incident, each in zip(incidents, looked, strict=False):
        lines.append(f"settled: {incident.name} on {', '.join(str(one) for one in incident.subjects)}")
        lines += _triage_lines(each)
    return tuple(lines)


def _triage_lines(looked: LabTriage) -> list[str]:
    lines = [
        f"  {each.name} {each.status}: {each.headline} {each.why and f'[{each.why}]'}"
        for each in looked.findings
    ]
    lines += [
        f"  -> {each.confidence:.2f} {each.cause}: {each.headline} because {'; '.join(each.because)}"
        for each in looked.verdict.causes
    ]
    return [
        *lines,
        f"  offers {', '.join(f'{each.kind} {each.target}' for each in looked.verdict.actions) or 'nothing'}",
    ]

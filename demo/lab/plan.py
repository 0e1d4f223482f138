"""Which runs a set of faults makes: each plain, after a harmless deploy, amid noise, on another bot, and in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from demo.lab.evidence import SOURCE_NAMES
from demo.lab.fault import EXAM_SHARE, Fault
from demo.lab.run import Run

SEEDS = 6
"""Desks that are made: seeds 0 to 5, of which 0 and 3 are exam seeds."""


def seed_for(fault: Fault, turn: int, *, exam: bool) -> int:
    """Return a seed of the half, another one for each turn and fault."""
    half = [seed for seed in range(SEEDS) if (seed % EXAM_SHARE == 0) == exam]
    spread = sum(fault.name.encode())
    return half[(spread + turn) % len(half)]


def planned(faults: Sequence[Fault], *, exam: bool) -> list[Run]:
    """Return the runs of one half.

    Development: the development faults on development seeds. Exam: the exam faults on exam seeds, and each
    development fault once more on an exam seed.
    """
    mine = [fault for fault in faults if fault.exam == exam]
    runs = [run for number, fault in enumerate(mine) for run in _of(fault, mine, number, exam=exam)]
    if exam:
        others = [fault for fault in faults if not fault.exam]
        runs += [_plain(fault, seed_for(fault, 7, exam=True)) for fault in others]
    return [replace(run, exam=exam) for run in runs]


def _of(fault: Fault, all_of: Sequence[Fault], number: int, *, exam: bool) -> list[Run]:
    bots = fault.bots or ("",)
    seeds = [seed_for(fault, turn, exam=exam) for turn in range(4)]
    runs = [
        Run(fault, seeds[0], "plain", bots[0], missing=SOURCE_NAMES),
        Run(fault, seeds[1], "deployed", bots[0]),
        Run(fault, seeds[2], "noisy", bots[-1]),
    ]
    if number % 2 == 0 and (partner := _partner(fault, all_of, number)) is not None:
        other = next((bot for bot in partner.bots if bot != bots[0]), "")
        runs.append(
            Run(fault=fault, seed=seeds[3], setting="paired", bot=bots[0], other=partner, other_bot=other)
        )
    return runs


def _partner(fault: Fault, all_of: Sequence[Fault], number: int) -> Fault | None:
    """Return a fault that can strike at the same time without hiding this one: one of a bot beside one of another bot."""
    if not _leaves_a_bot(fault):
        return None
    turned = [*all_of[number + 1 :], *all_of[:number]]
    return next((one for one in turned if _leaves_a_bot(one) and one.truth.cause != fault.truth.cause), None)


def _leaves_a_bot(fault: Fault) -> bool:
    return len(fault.bots) > 1 and not fault.truth.abstains and not fault.beside


def _plain(fault: Fault, seed: int) -> Run:
    return Run(fault, seed, "plain", (fault.bots or ("",))[-1])


def short(faults: Sequence[Fault]) -> list[Run]:
    """Return a short form: the plain run of every second development fault, with one source missing, each in turn."""
    mine = [fault for fault in faults if not fault.exam][::2]
    return [
        Run(
            fault,
            seed_for(fault, 0, exam=False),
            bot=(fault.bots or ("",))[0],
            missing=(SOURCE_NAMES[number % len(SOURCE_NAMES)],),
        )
        for number, fault in enumerate(mine)
    ]

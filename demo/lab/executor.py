"""Runs done one after the other, or in a few processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from loguru import logger

from demo.lab.run import Run, RunOutcome, run
from demo.lab.watched_desk import PreparedDesks


def run_in_turn(runs: Sequence[Run]) -> list[RunOutcome]:
    """Return the outcomes of runs that are done one after the other, in a folder of their own."""

    async def all_of_them() -> list[RunOutcome]:
        with tempfile.TemporaryDirectory(prefix="hbot-lab-") as folder:
            prepared = PreparedDesks(Path(folder))
            return [outcome for each in runs for outcome in await run(each, prepared)]

    logger.disable("triage")  # the lab misses sources on purpose: each would be a line
    try:
        return asyncio.run(all_of_them())
    finally:
        logger.enable("triage")


def run_all(runs: Sequence[Run], jobs: int) -> list[RunOutcome]:
    """Return the outcomes of runs done in ``jobs`` processes; those of one seed stay together: its desk is made once."""
    if jobs <= 1 or len(runs) < jobs:
        return run_in_turn(runs)
    ordered = sorted(runs, key=lambda one: (one.seed, one.setting == "deployed", one.bot))
    size = -(-len(ordered) // jobs)
    parts = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        return [outcome for part in pool.map(run_in_turn, parts) for outcome in part]

"""The service on a machine whose clock is off by ``SHIFTED_BY`` seconds, as ``python -m bot.cli`` else."""

import os
import runpy
from datetime import datetime, timedelta

from triage.ports.clock import SystemClock

if __name__ == "__main__":
    by, usual = timedelta(seconds=float(os.environ["SHIFTED_BY"])), SystemClock.now

    def now(self: SystemClock) -> datetime:
        """Return what that machine says."""
        return usual(self) + by

    SystemClock.now = now  # type: ignore[method-assign]
    runpy.run_module("bot.cli", run_name="__main__", alter_sys=True)

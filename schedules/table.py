"""One table of jobs, and the scheduler that runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger
from loguru import logger

from triage.concurrency import FAULTS, RepeatedFault, is_stop
from triage.cron import Cron
from triage.errors import SettingError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True, slots=True)
class Job:
    """A job: what to call, and when: every so many ``seconds``, or at a ``cron`` expression (five fields).

    ``at_start`` runs an interval job at once too. A cron job never runs just because the process started.
    """

    name: str
    call: Callable[[], Awaitable[object]]
    seconds: float = 0.0
    cron: str = ""
    timezone: str = "UTC"
    at_start: bool = False


class CronTrigger(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Fires when cron would. The library's own reading has Monday as day 0, where cron has Sunday."""

    def __init__(self, cron: Cron, zone: ZoneInfo) -> None:
        self.cron, self.zone = cron, zone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the first time after the one before, or from now on."""
        if previous_fire_time is not None:
            return self.cron.after(previous_fire_time, self.zone)
        return self.cron.after(now - timedelta(microseconds=1), self.zone)


def trigger_of(job: Job) -> CronTrigger | IntervalTrigger:
    """Return when a job runs. Raises SettingError for a cron expression that is none."""
    if not job.cron:
        return IntervalTrigger(seconds=job.seconds, timezone=UTC)
    try:
        return CronTrigger(Cron.parse(job.cron), ZoneInfo(job.timezone))
    except ValueError as error:
        raise SettingError(
            f"schedules.{job.name}: {job.cron!r} is no cron expression ({error}); write for instance '5 0 * * *'"
        ) from error


@asynccontextmanager
async def running(
    jobs: Sequence[Job], *, beat: Callable[[str], None], failed: Callable[[str, BaseException], None]
) -> AsyncIterator[AsyncIOScheduler]:
    """Run the jobs until the context ends; one that is still running is not started a second time.

    ``beat`` and ``failed`` are told how each run ended, under ``job:`` and the job's name.
    """
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    for job in jobs:
        first = {"next_run_time": datetime.now(UTC)} if job.at_start and not job.cron else {}
        scheduler.add_job(_beating(job, beat, failed), trigger_of(job), id=job.name, name=job.name, **first)
    scheduler.start()
    try:
        yield scheduler
    finally:
        # Told to stop at once, it would cut what is due off before its first step, and log that as a failure.
        scheduler.pause()
        await asyncio.sleep(0)
        scheduler.shutdown(wait=False)


def _beating(
    job: Job, beat: Callable[[str], None], failed: Callable[[str, BaseException], None]
) -> Callable[[], Awaitable[None]]:
    fault = RepeatedFault(f"job {job.name}")

    async def call() -> None:
        try:
            await job.call()
        except StoreUnavailable as error:  # said once, by the store; the job runs again at its next time
            logger.debug("job {name} waits for the store: {why}", name=job.name, why=error)
        except FAULTS as error:  # none may take the job out of the table
            if is_stop(error):
                # The shutdown cut it off; it runs again after the next start.
                logger.info("job {name} was cut off by the shutdown", name=job.name)
                return
            fault.met(error)
            failed(f"job:{job.name}", error)
        else:
            fault.over()
            beat(f"job:{job.name}")

    return call

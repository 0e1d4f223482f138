"""The triage runner: all checks of a playbook side by side; none can delay the others or make them fail."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from loguru import logger

from triage.concurrency import FAULTS, is_stop
from triage.diagnosis.agreement import agreed
from triage.diagnosis.checks import CHECKS
from triage.diagnosis.shared_containers import shared
from triage.errors import SourceError
from triage.masking import masked
from triage.model import Finding, FindingStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triage.diagnosis.checks.base import CheckContext, NamedCheck
    from triage.playbooks.model import Playbook
    from triage.ports.clock import Clock

__all__ = ["run_checks"]


async def run_checks(
    playbook: Playbook, ctx: CheckContext, clock: Clock, *, checks: Mapping[str, NamedCheck] = CHECKS
) -> tuple[Finding, ...]:
    """Run the playbook's checks at once, each under the deadline; findings come in the playbook's order.

    Whatever a check does, it has a finding: a source without an answer, a missed deadline and a fault of
    the check itself are ``unknown`` with the reason. Only a cancellation from outside is raised.
    """
    deadline = playbook.deadline_seconds or ctx.desk.triage.deadline_seconds
    async with shared(ctx.sources.containers) as containers, asyncio.TaskGroup() as group:
        one = replace(ctx, sources=replace(ctx.sources, containers=containers))
        tasks = [
            group.create_task(_run_one(checks[name], one, clock, deadline), name=f"check {name}")
            for name in playbook.checks
        ]
    return agreed([task.result() for task in tasks], ctx.desk)


async def _run_one(check: NamedCheck, ctx: CheckContext, clock: Clock, deadline: float) -> Finding:
    started = clock.monotonic()
    finding = await _answer(check, ctx, deadline)
    return replace(finding, seconds=max(0.0, clock.monotonic() - started), observed_at=clock.now())


async def _answer(check: NamedCheck, ctx: CheckContext, deadline: float) -> Finding:
    limit = asyncio.timeout(deadline)
    try:
        async with limit:
            return await check.run(ctx)
    except TimeoutError:
        if not limit.expired():
            logger.opt(exception=True).bind(check=check.NAME).error("check failed")
            return _unknown(check, "the check itself timed out inside (TimeoutError)")
        return _unknown(check, f"no answer within {deadline:g} s")
    except SourceError as error:
        source = "" if error.source in check.SOURCE else f"{error.source}: "
        return _unknown(check, masked(f"{source}{error.why}"))
    except FAULTS as error:
        if is_stop(error):
            raise
        logger.opt(exception=True).bind(check=check.NAME).error("check failed")
        return _unknown(check, f"the check itself failed ({type(error).__name__}); the log has the traceback")


def _unknown(check: NamedCheck, why: str) -> Finding:
    return Finding(check.NAME, FindingStatus.UNKNOWN, why, check.SOURCE, why=why)

"""The runner: every check has a finding, and none of them can hold up or sink the others."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from tests.fakes.sources import FakeSources
from tests.triage.diagnosis.checks.context import context
from triage.desk import Desk
from triage.desk_sections.triage import TriageSettings
from triage.diagnosis.checks import CHECKS
from triage.diagnosis.checks.base import CheckContext
from triage.diagnosis.runner import run_checks
from triage.errors import SourceNotConfigured, SourceTimeout, SourceUnreachable
from triage.model import Finding, FindingStatus, Source
from triage.playbooks.lookup import playbook_for
from triage.playbooks.model import Playbook
from triage.ports.clock import SystemClock


@dataclass
class OneCheck:
    """A check that does what the test says."""

    NAME: str
    does: Callable[[], Awaitable[None]]
    TITLE: str = "One"
    SOURCE: str = "Prometheus"

    async def run(self, ctx: CheckContext, /) -> Finding:  # noqa: ARG002 - asks nobody
        """Do it, and find all well."""
        await self.does()
        return Finding(self.NAME, FindingStatus.OK, "well", self.SOURCE)


async def nothing() -> None:
    """Do nothing."""


def raising(error: BaseException) -> Callable[[], Awaitable[None]]:
    """Make a check fail."""

    async def fail() -> None:
        raise error

    return fail


async def run(*checks: OneCheck, deadline: float = 0.1) -> tuple[Finding, ...]:
    """Run these checks with a deadline."""
    playbook = Playbook(
        "test", "{subject}", None, tuple(check.NAME for check in checks), deadline_seconds=deadline
    )
    return await run_checks(
        playbook, context(FakeSources()), SystemClock(), checks={check.NAME: check for check in checks}
    )


@pytest.mark.parametrize(
    ("does", "why"),
    [
        (raising(SourceTimeout("Prometheus", "no answer within 3 s")), "no answer within 3 s"),
        (raising(SourceUnreachable("Loki", "refused")), "Loki: refused"),
        (raising(SourceNotConfigured("Redis")), "Redis: not configured"),
        (raising(SourceUnreachable("Prometheus", "http://a:hunter2@b refused")), "http://a:***@b refused"),
        (raising(KeyError("x")), "the check itself failed (KeyError); the log has the traceback"),
        (
            raising(asyncio.CancelledError()),
            "the check itself failed (CancelledError); the log has the traceback",
        ),
        (raising(TimeoutError()), "the check itself timed out inside (TimeoutError)"),
        (lambda: asyncio.sleep(60), "no answer within 0.1 s"),
    ],
)
async def test_what_goes_wrong_is_an_unknown_with_its_reason_and_the_others_have_theirs(
    does: Callable[[], Awaitable[None]], why: str
) -> None:
    """Down, not configured, slow, broken: never silently ok."""
    first, bad, last = await run(OneCheck("first", nothing), OneCheck("bad", does), OneCheck("last", nothing))
    assert (bad.status, bad.why, bad.headline) == (FindingStatus.UNKNOWN, why, why)
    assert (first.status, last.status) == (FindingStatus.OK, FindingStatus.OK)
    assert [each.name for each in (first, bad, last)] == ["first", "bad", "last"]


async def test_checks_run_side_by_side_and_one_that_hangs_costs_its_deadline_only() -> None:
    """Five of 0.1 s and one that hangs take the deadline, not the sum."""
    slow = [OneCheck(f"c{n}", lambda: asyncio.sleep(0.1)) for n in range(5)]
    started = time.monotonic()
    *found, hung = await run(*slow, OneCheck("hung", asyncio.Event().wait), deadline=0.4)  # type: ignore[arg-type]
    assert time.monotonic() - started < 0.55
    assert all(each.status is FindingStatus.OK and 0.09 < each.seconds < 0.3 for each in found)
    assert 0.4 <= hung.seconds < 0.5
    assert all(each.observed_at is not None for each in (*found, hung))


async def test_cancellation_from_outside_gets_through() -> None:
    """A shutdown does not wait for the deadline."""
    running = asyncio.create_task(run(OneCheck("hung", asyncio.Event().wait), deadline=60))  # type: ignore[arg-type]
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("hanging", ["metrics", "logs", "alerts", "containers", "streams"])
async def test_every_shipped_check_ends_when_a_source_hangs(hanging: str) -> None:
    """Whichever source it is: each check has a finding by the deadline, none is a fault of the check."""
    sources = FakeSources()
    getattr(sources, hanging).hangs = True
    desk = Desk(triage=TriageSettings(deadline_seconds=0.2))
    ctx = context(sources, "bot1", "bot2", desk=desk)
    playbook = replace(playbook_for(desk, "anything"), checks=tuple(CHECKS))
    started = time.monotonic()
    found = await run_checks(playbook, ctx, SystemClock())
    assert time.monotonic() - started < 0.2 + 0.15
    assert [each.name for each in found] == list(CHECKS)
    assert not [each.why for each in found if "itself" in each.why]
    assert any(each.status is FindingStatus.UNKNOWN for each in found)


@pytest.mark.parametrize("failing", ["metrics", "logs", "alerts", "containers", "streams"])
async def test_every_shipped_check_has_a_finding_when_a_source_is_down(failing: str) -> None:
    """And says so in its own words; nothing turns into ok."""
    sources = FakeSources()
    getattr(sources, failing).error = SourceUnreachable("It", "connection refused")
    desk = Desk()
    playbook = replace(playbook_for(desk, "anything", Source.ALERTMANAGER), checks=tuple(CHECKS))
    found = await run_checks(playbook, context(sources), SystemClock())
    assert [each.name for each in found] == list(CHECKS)
    assert not [each.why for each in found if "itself" in each.why]
    told = [each for each in found if "connection refused" in f"{each.why} {each.headline}"]
    assert told


async def test_nothing_configured_is_unknown_everywhere() -> None:
    """A desk without any setting still gets a triage."""
    sources = FakeSources()
    for name in ("metrics", "logs", "alerts", "containers", "streams"):
        getattr(sources, name).error = SourceNotConfigured(name)
    desk = Desk()
    playbook = replace(playbook_for(desk, "anything"), checks=tuple(CHECKS))
    found = await run_checks(playbook, context(sources), SystemClock())
    assert {each.status for each in found} == {FindingStatus.UNKNOWN}
    assert all("not configured" in each.why for each in found)

"""The scenarios of the simulated desk, triaged through every real adapter: the verdict names the true cause."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.sources.opening import open_sources
from demo.clock import SimClock
from demo.desk.desk import DeskOptions, SimulatedDesk
from demo.desk.scenarios import SCENARIOS
from demo.desk.scenarios.base import NOTHING, Scenario
from demo.servers.loki import LokiServer
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.scraping import Target
from tests.demo.desk.operators import START
from tests.fakes.episodes import firing
from tests.flows.cards import assert_readable, view_of
from triage.actions.remedies import conclude
from triage.desk import Desk
from triage.diagnosis.desk_state import look_at_bots
from triage.diagnosis.runner import run_checks
from triage.incidents.subjects import subject_of
from triage.model import (
    Episode,
    Finding,
    FindingStatus,
    Incident,
    IncidentShape,
    IncidentStatus,
    Severity,
    Verdict,
)
from triage.playbooks.lookup import playbook_for
from triage.ports.clock import SystemClock
from triage.ports.sources import Sources
from triage.runs.runner import context_of

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "desk-rules.yml"
SCRAPE = 15.0
PATIENCE_MINUTES = 45


@dataclass
class Watched:
    """A simulated desk with its Prometheus and Loki, and our sources on them."""

    desk: SimulatedDesk
    prometheus: PrometheusServer
    sources: Sources

    async def pass_time(self, minutes: float) -> None:
        """Let minutes pass, scraping every 15 seconds."""
        for _ in range(int(minutes * 60 / SCRAPE)):
            await self.desk.step(SCRAPE)
            await self.prometheus.tick()

    def firing(self) -> dict[str, list[Episode]]:
        """Return the firing alerts by name, as the episodes of one incident."""
        found: dict[str, list[Episode]] = {}
        for _, alert in self.prometheus.engine.active():
            if alert.state != "firing" or alert.labels["alertname"] == "Watchdog":
                continue
            at = datetime.fromtimestamp(alert.active_at, UTC)
            name = alert.labels["alertname"]
            subject = subject_of(alert.labels, Desk())
            found.setdefault(name, []).append(firing(name, subject, at, labels=alert.labels))
        return found

    async def triage(self, name: str, episodes: Sequence[Episode]) -> tuple[tuple[Finding, ...], Verdict]:
        """Triage an incident of these alerts, named after one of them."""
        incident = self.incident(name, episodes)
        ctx = context_of(Desk(), self.sources, incident, list(episodes), now=incident.opened_at)
        playbook = playbook_for(Desk(), name)
        findings = await run_checks(playbook, ctx, SystemClock())
        return findings, conclude(findings, ctx, episodes, playbook)

    def incident(self, name: str, episodes: Sequence[Episode]) -> Incident:
        """Return the incident of these alerts as it is opened now."""
        now = datetime.fromtimestamp(self.desk.clock.now(), UTC)
        subjects = tuple(dict.fromkeys(each.subject for each in episodes))
        desk = Desk()
        wide = IncidentShape.WIDE if len(subjects) > 1 else IncidentShape.SINGLE
        shape = IncidentShape.STORM if len(subjects) > desk.correlation.storm_incidents else wide
        title = playbook_for(desk, name).title_for(subjects[0].name, name)
        return Incident(
            id=1,
            title=title,
            name=name,
            subjects=subjects,
            severity=Severity.SEV1,
            status=IncidentStatus.TRIGGERED,
            opened_at=now,
            changed_at=now,
            shape=shape,
        )


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    """Give a desk with three hours behind it, scraped for some minutes."""
    clock = SimClock(0, START)
    loki = LokiServer(clock)

    def sink(labels: Mapping[str, str], entries: Sequence[tuple[int, str]]) -> None:
        for ns, line in entries:
            loki.add(dict(labels), line, ns / 1e9)

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(loki)
        desk = await stack.enter_async_context(
            SimulatedDesk(tmp_path, clock, (sink,), DeskOptions(past_hours=3))
        )
        targets = [Target(job, f"{job}:1", page) for job, page in desk.scrapes.items()]
        prometheus = await stack.enter_async_context(
            PrometheusServer(PrometheusConfig(targets, [RULES]), clock)
        )
        sources = await stack.enter_async_context(
            open_sources(
                prometheus_url=prometheus.url,
                loki_url=loki.url,
                redis_url=desk.redis_url,
                docker_host=desk.docker_url,
            )
        )
        one = Watched(desk, prometheus, sources)
        await one.pass_time(4)
        yield one


@pytest.mark.timeout(240)
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
async def test_the_verdict_names_the_cause_and_offers_what_cures(
    watched: Watched, scenario: Scenario
) -> None:
    """From the first alert of the scenario that all its alerts make, with the desk's own symptoms."""
    scenario.start(watched.desk.world)
    for _ in range(PATIENCE_MINUTES):
        await watched.pass_time(1)
        if set(scenario.alerts) <= set(watched.firing()):
            break
    firing = watched.firing()
    assert set(scenario.alerts) <= set(firing), sorted(firing)
    first = scenario.alerts[0]
    named = [episode for name in scenario.alerts for episode in firing[name]]
    findings, verdict = await watched.triage(first, named)
    story = "\n".join(f"{each.name} {each.status}: {each.headline} [{each.why}]" for each in findings)
    story += "\n" + "\n".join(f"{each.cause} {each.confidence} {each.because}" for each in verdict.causes)
    story += f"\n{[(each.kind, each.target) for each in verdict.actions]}"
    assert not [each for each in findings if "itself failed" in each.why], story
    assert verdict.top is not None
    assert verdict.top.cause == scenario.cause, story
    cures = {(remedy.kind, remedy.target) for remedy in scenario.remedies if remedy.kind != NOTHING}
    offered = [(each.kind, each.target) for each in verdict.actions]
    if cures and scenario.cause != "disk_full":
        assert offered[0] in cures, story
    about = watched.incident(first, named)
    trading = await look_at_bots(watched.sources.metrics, Desk(), about.opened_at)
    assert_readable(view_of(about, named, findings, verdict, trading))


async def test_a_quiet_desk_is_found_well(watched: Watched) -> None:
    """No check is critical, none of them fails, and no cause is made up."""
    await watched.pass_time(3)
    now = datetime.fromtimestamp(watched.desk.clock.now(), UTC)
    subject = subject_of({"bot": "bot1"}, Desk())
    at = firing("Whatever", subject, now)
    findings, verdict = await watched.triage("Whatever", [at])
    story = [f"{each.name} {each.status}: {each.headline} [{each.why}]" for each in findings]
    assert not [each for each in findings if each.status is FindingStatus.CRITICAL], story
    assert not [each for each in findings if "itself failed" in each.why], story
    assert verdict.top is not None
    assert verdict.top.cause == "no_cause_found", story

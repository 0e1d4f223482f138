"""Every check, with its n-th question refused: what the others answered is kept, and what is missing is said."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from tests.fakes.sources import NOW, Failing, FakeSources, container, sample
from tests.triage.diagnosis.checks.context import context
from triage.desk import Desk
from triage.diagnosis.checks import CHECKS
from triage.diagnosis.runner import run_checks
from triage.errors import SourceRejected
from triage.model import Finding, FindingStatus
from triage.playbooks.model import Playbook
from triage.ports.clock import SystemClock
from triage.ports.sources import FileStat, RuleState, Target

BOTS = ("bot1", "bot2")
CODE = "/home/hummingbot/controllers/epp_v2_4.py"
WORDS = "422 for this question alone"


def well() -> FakeSources:
    """Two bots that trade, with everything that a check may ask for."""
    sources = FakeSources()
    sources.containers.hold(*(container(f"hbot-{name}") for name in BOTS))
    for name in BOTS:
        sources.logs.add("2026-02-20 03:15:00,312 - 1 - hummingbot.core - INFO - fine", bot=name)
    states = [sample(1, "hbot_bot_state", bot=bot, state="running") for bot in BOTS]
    ages = [sample(20, bot=bot) for bot in BOTS]
    fees = [sample(1, source="api:bitget:user_fee_query", bot=bot) for bot in BOTS]
    sources.metrics.scraped = [
        Target(job="bot-metrics", instance="exporter:9400", health="up", last_scrape=NOW, last_error="")
    ]
    sources.metrics.rule_states = [RuleState(rule, "inactive", "ok") for rule in Desk().triage.expected_rules]
    for name in BOTS:
        sources.containers.code[f"hbot-{name}"] = [FileStat(CODE, NOW - timedelta(days=9), 10)]
    sources.metrics.answers = {"__name__=~": states, "time() - max by (bot": ages, "fee_source_info": fees}
    return sources


async def asked(
    name: str, refuse: Callable[[int, str], bool], monkeypatch: pytest.MonkeyPatch
) -> tuple[Finding, list[str]]:
    """Run a check; ``refuse`` says by number and words which question is refused."""
    questions: list[str] = []

    async def ask(self: Failing, question: str) -> None:
        questions.append(f"{type(self).__name__}: {question}")
        if refuse(len(questions), question):
            raise SourceRejected("source", WORDS)

    monkeypatch.setattr(Failing, "ask", ask)
    playbook = Playbook("p", "{subject}", None, (name,))
    (finding,) = await run_checks(playbook, context(well(), *BOTS), SystemClock())
    return finding, questions


def text_of(finding: Finding) -> str:
    """All that a person may read of a finding."""
    return " ".join((finding.headline, finding.why, *finding.details))


def _is(wanted: int, number: int, _question: str) -> bool:
    return number == wanted


REDUNDANT = ("container_last_seen", "resets(", "changes(", "alerts")
"""Asked for the case that the first to be asked does not answer; here that one does."""
ITSELF = {
    "bot_state": '{__name__=~"hbot_bot_net_edge_pct',
    "fee_source": "max by (bot, instance, job, source)",
    "audit_trail": "between hb.audit.v1",
}
"""Without this answer there is no finding: it is unknown, with the reason."""


@pytest.mark.parametrize("name", CHECKS)
async def test_one_refused_question_costs_only_itself(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, nothing turns ok by it, and what the other questions told is still there."""
    whole, questions = await asked(name, lambda _number, _question: False, monkeypatch)
    for refused, question in enumerate(questions, start=1):
        finding, _ = await asked(name, partial(_is, refused), monkeypatch)
        words = question.partition(": ")[2]
        if words.startswith(ITSELF.get(name, "-")):
            assert (finding.status, finding.why) == (FindingStatus.UNKNOWN, f"source: {WORDS}")
            continue
        if not words.startswith(REDUNDANT) and not any(each in words for each in REDUNDANT[:3]):
            assert WORDS in text_of(finding), question
        assert finding.data or not whole.data, question
        assert whole.status is not FindingStatus.CRITICAL
        if not words.startswith("ready"):  # who refuses that is not ready
            assert finding.status in {whole.status, FindingStatus.UNKNOWN}, (question, text_of(finding))


async def test_one_refused_inspection_leaves_the_other_containers_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the engine; the one that was refused is not said to be gone."""
    refused = lambda _number, question: question == "inspect hbot-bot2" or "container_" in question  # noqa: E731 - a row
    finding, _ = await asked("container", refused, monkeypatch)
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.data["containers"]["hbot-bot1"]["by"] == "docker"
    assert "hbot-bot2: not known: the engine refused the question" in finding.details


async def test_a_prometheus_without_targets_is_none_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that speak its language have no /targets: its rules are told all the same."""
    finding, _ = await asked("watchers", lambda _number, question: question == "targets", monkeypatch)
    assert "does not answer" not in finding.headline
    assert f"targets not known: {WORDS}" in finding.headline
    assert "rules ok" in finding.headline


async def test_where_nobody_tells_what_fires_nothing_is_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Alertmanager nor the rules: that is no "no other alert fires"; nor are unknown states "0 running"."""
    finding, _ = await asked("scope", lambda _number, question: question == "alerts", monkeypatch)
    assert finding.headline.endswith("what else fires is not known")
    assert finding.status is FindingStatus.UNKNOWN
    finding, _ = await asked("scope", lambda _number, question: "hbot_bot_state)" in question, monkeypatch)
    assert finding.headline.startswith("states of the other bots are not known")

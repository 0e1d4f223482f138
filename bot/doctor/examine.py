"""Asks every dependency at once, each under a deadline, and says what its answer or refusal means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from bot.doctor.agent import ask_agent
from bot.doctor.desk import NAME as DESK
from bot.doctor.desk import ask_desk
from bot.doctor.report import DependencyReport
from bot.doctor.slack import ELSEWHERE, ask_slack, ask_to_listen
from bot.fallback.registry import addresses, open_channels
from bot.fallback.registry import declared as declared_channels
from bot.settings import Settings
from bot.sources.declaration import EvidenceSource
from bot.sources.opening import OpenedSources
from bot.sources.registry import declared
from bot.store import open_store
from bot.wiring.sources import open_configured
from triage.desk import Desk
from triage.errors import FallbackFailure, SourceDenied, SourceError, SourceNotConfigured, TriageError
from triage.masking import masked

Question = Callable[[], Awaitable[DependencyReport]]
SECONDS = 8.0
_AGENT = "DOCKER_HOST of the agent"
_MENDS = {
    "store": "check TRIAGE_DATABASE_URL, the folder's permissions and the room on its disk",
    "agent": "start hbot-triage agent, and check TRIAGE_AGENT here and TRIAGE_AGENT_UID there",
    "slack": ELSEWHERE,
    "socket mode": ELSEWHERE,
}


async def examine(settings: Settings) -> list[DependencyReport]:
    """Ask everything side by side; each has ``SECONDS``."""
    async with open_configured(settings) as opened:
        asked: list[tuple[str, Question]] = [
            ("store", lambda: _store(settings)),
            ("slack", lambda: ask_slack(settings)),
            ("socket mode", lambda: ask_to_listen(settings)),
            ("agent", lambda: _asked_source("agent", _AGENT, lambda: ask_agent(settings))),
            (DESK, lambda: ask_desk(settings.desk)),
            *source_questions(settings.desk, opened),
            *fallback_questions(settings),
        ]
        return list(await asyncio.gather(*(_ask(name, question) for name, question in asked)))


async def _ask(name: str, question: Question) -> DependencyReport:
    try:
        async with asyncio.timeout(SECONDS):
            return await question()
    except TimeoutError:
        mend = "check its address and the network between"
        return DependencyReport(name, "failed", f"no answer within {SECONDS:g} s", mend)
    except TriageError as error:
        return DependencyReport(name, "failed", masked(str(error)), _MENDS.get(name, ""))


def source_questions(desk: Desk, opened: OpenedSources) -> list[tuple[str, Question]]:
    """Return one question for each source of evidence, by its name."""

    def ask(source: EvidenceSource) -> Question:
        async def look() -> DependencyReport:
            health = await source.look(desk, opened.adapters[source.name])
            return DependencyReport(source.name, health.state, health.seen, health.mend)

        return lambda: _asked_source(source.name, source.written, look)

    return [(source.name, ask(source)) for source in declared()]


async def _asked_source(name: str, written: str, question: Question) -> DependencyReport:
    """Ask a source. ``written``: the settings to look at where it does not answer as it should."""
    try:
        return await question()
    except SourceNotConfigured:
        mend = f"set {written} to have it in every triage"
        return DependencyReport(name, "not configured", "its setting is empty", mend)
    except SourceDenied as error:
        mend = f"check the user, the password or the token in {written}"
        return DependencyReport(name, "failed", masked(error.why), mend)
    except SourceError as error:
        return DependencyReport(
            name, "failed", masked(error.why), f"check {written} and that the server runs"
        )


def fallback_questions(settings: Settings) -> list[tuple[str, Question]]:
    """Return one question for each fallback channel that is set, one that says so where none is."""
    channels = open_channels(settings)

    def ask(name: str, address: str) -> Question:
        async def question() -> DependencyReport:
            try:
                return DependencyReport(name, "ok", await channels[name].examine())
            except FallbackFailure as failure:
                mend = f"check {address}: while Slack is away, nothing would come this way"
                return DependencyReport(name, "failed", masked(str(failure)), mend)

        return question

    async def none() -> DependencyReport:
        mend = f"set one of {', '.join(addresses())}: without one a Sev-1 waits for Slack"
        return DependencyReport("fallback", "not configured", "no fallback channel", mend)

    asked = [
        (each.name, ask(each.name, each.address)) for each in declared_channels() if each.name in channels
    ]
    return asked or [("fallback", none)]


async def _store(settings: Settings) -> DependencyReport:
    url = settings.triage_database_url.get_secret_value()
    shown = sa.make_url(url).render_as_string(hide_password=True)
    async with open_store(url) as store:
        pending = await store.read(lambda tx: tx.outbox.state().pending)
        await store.write(lambda tx: tx.notes.put("doctor/last", "written"))
    return DependencyReport("store", "ok", f"{shown} can be written; {pending} messages are owed")

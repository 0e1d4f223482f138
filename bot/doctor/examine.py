"""``hbot-triage doctor``: asks each dependency, and says how to mend what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from bot.settings import Settings
from bot.slack.client import SlackClient, open_client
from bot.slack.directory import Channels
from bot.slack.errors import Misconfigured, SlackFailure
from bot.sources.configured import open_configured
from bot.sources.grafana import open_grafana
from bot.store import open_store
from triage.errors import SourceDenied, SourceError, SourceNotConfigured, TriageError
from triage.masking import masked
from triage.ports.checklists import Dashboards
from triage.ports.sources import Sources

SECONDS = 8.0
SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "chat:write",
        "commands",
        "files:write",
        "groups:history",
        "im:history",
        "usergroups:read",
        "users:read",
    }
)
"""What the Slack manifest in ``deploy/`` asks for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One dependency's health. ``state``: ok | warning | failed | not configured; ``mend`` what to do."""

    name: str
    state: str
    seen: str
    mend: str = ""

    @property
    def good(self) -> bool:
        """Nothing to mend."""
        return self.state != "failed"

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)


async def examine(settings: Settings) -> list[Answer]:
    """Ask everything side by side; each has ``SECONDS``."""
    async with (
        open_configured(settings) as sources,
        open_grafana(settings.grafana_url, settings.grafana_token.get_secret_value()) as dashboards,
    ):
        asked: list[tuple[str, Callable[[], Awaitable[Answer]]]] = [
            ("store", lambda: _store(settings)),
            ("slack", lambda: _slack(settings)),
            *_source_questions(settings, sources),
            ("grafana", lambda: _grafana(dashboards)),
        ]
        return list(await asyncio.gather(*(_ask(name, question) for name, question in asked)))


async def _ask(name: str, question: Callable[[], Awaitable[Answer]]) -> Answer:
    try:
        async with asyncio.timeout(SECONDS):
            return await question()
    except TimeoutError:
        return Answer(
            name, "failed", f"no answer within {SECONDS:g} s", "check its address and the network between"
        )
    except SourceNotConfigured:
        mend = f"set {_SETTINGS[name]} to have it in every triage"
        return Answer(name, "not configured", "its setting is empty", mend)
    except SourceDenied as error:
        return Answer(
            name,
            "failed",
            masked(error.why),
            f"check the user, the password or the token in {_SETTINGS[name]}",
        )
    except SourceError as error:
        return Answer(name, "failed", masked(error.why), f"check {_SETTINGS[name]} and that the server runs")
    except TriageError as error:
        return Answer(name, "failed", masked(str(error)), _MENDS.get(name, ""))


_SETTINGS = {
    "prometheus": "PROMETHEUS_URL",
    "loki": "LOKI_URL",
    "alertmanager": "ALERTMANAGER_URL",
    "redis": "REDIS_URL",
    "docker": "DOCKER_HOST",
    "grafana": "GRAFANA_URL and GRAFANA_TOKEN",
}
_MENDS = {
    "store": "check TRIAGE_DATABASE_URL, the folder's permissions and the room on its disk",
    "slack": "check SLACK_BOT_TOKEN, and SLACK_API_URL where it is set",
}


async def _store(settings: Settings) -> Answer:
    url = settings.triage_database_url.get_secret_value()
    shown = sa.make_url(url).render_as_string(hide_password=True)
    async with open_store(url) as store:
        pending = await store.read(lambda tx: tx.outbox.state().pending)
        await store.write(lambda tx: tx.notes.put("doctor/last", "written"))
    return Answer("store", "ok", f"{shown} can be written; {pending} messages are owed")


async def _grafana(dashboards: Dashboards) -> Answer:
    found = await dashboards.datasources()
    ill = [source.name for source in found if source.healthy is False]
    if ill:
        return Answer("grafana", "warning", f"unhealthy: {', '.join(ill)}", "look at them in Grafana")
    return Answer("grafana", "ok", f"{len(found)} datasources")


async def _slack(settings: Settings) -> Answer:
    token = settings.slack_bot_token.get_secret_value()
    if not token:
        return Answer(
            "slack", "failed", "SLACK_BOT_TOKEN is not set", "install the app of deploy/slack-manifest.yaml"
        )
    async with open_client(token, url=settings.slack_api_url) as client:
        try:
            who = await client.identity()
            missing = sorted(SCOPES - who.scopes) if who.scopes else []
            if missing:
                mend = "add them to the app and install it again"
                return Answer("slack", "failed", f"the token lacks the scopes {', '.join(missing)}", mend)
            channels = await _channels(settings, client)
        except SlackFailure as failure:
            return Answer("slack", "failed", str(failure), getattr(failure, "mend", "") or _MENDS["slack"])
    mode = "Socket Mode" if settings.slack_app_token.get_secret_value() else "HTTP mode at /slack/events"
    return Answer("slack", "ok", f"{who.team} as {who.user_id}, {mode}, posts to {channels}")


async def _channels(settings: Settings, client: SlackClient) -> str:
    names = dict.fromkeys(name for name in (settings.triage_channel, settings.digest_channel) if name)
    directory = Channels(client)
    for name in names:
        try:
            await directory.resolve(name)
        except Misconfigured as failure:
            if failure.code != "missing_scope":
                raise
            # Posting by name needs no scope to look names up; the first post tells the id.
            return f"{' and '.join(names)}, found by name at the first post"
    return " and ".join(names) or "no channel: set TRIAGE_CHANNEL"


def _source_questions(
    settings: Settings, sources: Sources
) -> list[tuple[str, Callable[[], Awaitable[Answer]]]]:
    async def prometheus() -> Answer:
        rules = await sources.metrics.rules()
        bad = [rule.name for rule in rules if rule.health not in ("ok", "unknown")]
        if bad:
            return Answer(
                "prometheus", "warning", f"rules with errors: {', '.join(bad)}", "see its /rules page"
            )
        if not rules:
            return Answer(
                "prometheus", "warning", "no alert rules are loaded", "load deploy/prometheus/desk-rules.yml"
            )
        watchdog = settings.desk.watchdog
        if watchdog.enabled and watchdog.alertname not in {rule.name for rule in rules}:
            return Answer(
                "prometheus",
                "warning",
                f"{len(rules)} alert rules, none of them {watchdog.alertname}: nobody would notice blind alerting",
                "load the rule from deploy/prometheus/desk-rules.yml, or set watchdog.enabled: false",
            )
        young = sum(rule.health == "unknown" for rule in rules)  # it has just started
        health = f"{young} not evaluated yet" if young else "all healthy"
        return Answer("prometheus", "ok", f"{len(rules)} alert rules, {health}")

    async def loki() -> Answer:
        await sources.logs.ready()
        return Answer("loki", "ok", "ready")

    async def alertmanager() -> Answer:
        await sources.alerts.ready()
        alerts = await sources.alerts.alerts()
        return Answer("alertmanager", "ok", f"ready, holds {len(alerts)} alerts")

    async def redis() -> Answer:
        health = await sources.streams.health()
        return Answer("redis", "ok", f"{health.role}, ping {health.ping_seconds * 1000:.0f} ms")

    async def docker() -> Answer:
        await sources.containers.ready()
        names = {container.name for container in await sources.containers.list()}
        missing = [
            bot.name for bot in settings.desk.bots if settings.desk.container_of(bot.name) not in names
        ]
        seen = f"{len(names)} containers"
        if missing:
            mend = "check compose.container_template and bots in desk.yaml"
            return Answer("docker", "warning", f"{seen}, none for {', '.join(missing)}", mend)
        return Answer("docker", "ok", seen)

    return [
        ("prometheus", prometheus),
        ("loki", loki),
        ("alertmanager", alertmanager),
        ("redis", redis),
        ("docker", docker),
    ]


def printed(answers: list[Answer]) -> str:
    """Return the answers as a table, with what to mend below each."""
    lines = []
    for answer in answers:
        lines.append(f"{answer.state:<15} {answer.name:<13} {answer.seen}")
        if answer.mend:
            lines.append(f"{'':<15} {'':<13} → {answer.mend}")
    return "\n".join(lines)


__all__ = ["SCOPES", "Answer", "examine", "printed"]

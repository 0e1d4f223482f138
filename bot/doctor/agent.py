"""The agent, asked as the service will ask it: is it there, does it know the same desk, what does it let be done."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from bot.agent.client import AgentIdentity, hello
from bot.doctor.report import DependencyReport
from bot.settings import Settings
from triage.untrusted_text import one_line

CLOCKS_SECONDS = 30.0
_SOCKET = "/var/run/docker.sock"


async def ask_agent(settings: Settings) -> DependencyReport:
    """Ask the agent who it is. Without one, say plainly what this process holds."""
    if not settings.triage_agent:
        return _embedded(settings)
    who = await hello(settings.triage_agent)
    wrong = _differences(settings, who)
    if not settings.slack_app_token.get_secret_value() and not who.proves:
        wrong.append("it has no SLACK_SIGNING_SECRET, so it believes the bot who confirmed")
    holds = _what_we_hold(settings)
    if holds:
        wrong.append(f"this process still reaches {' and '.join(holds)}: what is taken over here is the host")
    head = one_line(who.record.head, 80)[:12]
    seen = f"runs as uid {who.uid}, its record has {who.record.entries} lines (head {head}…)"
    if wrong:
        mend = "give both the same desk.yaml; take the socket and the folders from this process (deploy/docker-compose.yml)"
        return DependencyReport("agent", "warning", f"{seen}; {'; '.join(wrong)}", mend)
    return DependencyReport("agent", "ok", seen)


def _embedded(settings: Settings) -> DependencyReport:
    holds = (
        "Docker's socket (root on the host) and the desk's folders"
        if settings.docker_host
        else "the desk's folders"
    )
    mend = "for more than one user run hbot-triage agent beside, and set TRIAGE_AGENT (docs/security.md)"
    return DependencyReport("agent", "warning", f"works in this process, which so holds {holds}", mend)


def _differences(settings: Settings, who: AgentIdentity) -> list[str]:
    desk = settings.desk
    found = []
    if who.desk != desk.name:
        found.append(f"its desk is {one_line(who.desk, 60)}, ours {desk.name}")
    if list(who.bots) != [bot.name for bot in desk.bots]:
        found.append("its desk.yaml names other bots")
    if list(who.kinds) != list(desk.agent.kinds):
        found.append("its desk.yaml allows other actions")
    late = abs((datetime.now(UTC) - who.at).total_seconds())
    if late > CLOCKS_SECONDS:
        found.append(f"its clock differs by {late:.0f} s")
    return found


def _what_we_hold(settings: Settings) -> list[str]:
    paths = settings.desk.paths
    found = [_SOCKET] if os.access(_SOCKET, os.W_OK) else []
    found += [
        str(path) for path in (paths.env, paths.data, paths.backups) if path and os.access(path, os.W_OK)
    ]
    return found

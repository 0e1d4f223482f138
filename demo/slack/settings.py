"""How a workspace starts: its app, its people and channels, and Slack's time limits."""

from __future__ import annotations

from dataclasses import dataclass

from demo.slack.model import Channel, User, Usergroup

BOT_SCOPES = (
    "app_mentions:read",
    "channels:history",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "im:history",
    "usergroups:read",
    "users:read",
)
"""The scopes the bot asks for in its manifest; a call that needs another one gets `missing_scope`."""


@dataclass(frozen=True)
class AppConfig:
    """The app that is installed. With `request_url` set, requests are POSTed there, signed; else Socket Mode."""

    name: str = "triage"
    display_name: str = "hbot-triage"
    app_id: str = "A0TRIAGE01"
    bot_id: str = "B0TRIAGE01"
    bot_user: str = "U0TRIAGE01"
    bot_token: str = "xoxb-0001-0001-localworkspace"  # noqa: S105 - opens nothing but this local server
    app_token: str = "xapp-1-A0TRIAGE01-0001-localworkspace"  # noqa: S105 - as bot_token
    signing_secret: str = "local-signing-secret"  # noqa: S105 - as bot_token
    verification_token: str = "local-verification-token"  # noqa: S105 - as bot_token
    scopes: tuple[str, ...] = BOT_SCOPES
    app_scopes: tuple[str, ...] = ("connections:write",)
    commands: tuple[str, ...] = ("/triage",)
    events: frozenset[str] = frozenset({"app_mention", "app_home_opened", "message.im"})
    request_url: str | None = None


@dataclass(frozen=True)
class Timing:
    """Slack's time limits, all in seconds; a test may shorten what it would otherwise wait for."""

    ack: float = 3.0
    trigger: float = 3.0
    response_url: float = 1800.0
    response_url_uses: int = 5
    event_retries: tuple[float, ...] = (0.0, 60.0, 300.0)


ANA = User("U0ANA00001", "ana", "Ana Operator", "Operator on duty")
BEN = User("U0BEN00001", "ben", "Ben Approver", "Approver")
VIK = User("U0VIK00001", "vik", "Vik Viewer", "Reads along")
SLACKBOT = User("USLACKBOT", "slackbot", "Slackbot", is_bot=True)

PEOPLE = (ANA, BEN, VIK)
GROUPS = (
    Usergroup("S0OPERATOR", "operators", "Desk operators", (ANA.id,)),
    Usergroup("S0APPROVER", "approvers", "Second person for risky actions", (BEN.id,)),
)


def channels(bot_user: str) -> tuple[Channel, ...]:
    """Return the channels every new workspace has: the bot is in two of them, `#general` it is not in."""
    everyone = {user.id for user in PEOPLE}
    return (
        Channel("C0TRIAGE01", "desk-alerts", {*everyone, bot_user}, topic="Alerts and triage of the desk"),
        Channel("C0DIGEST01", "desk-digest", {*everyone, bot_user}, topic="Daily KPI digest"),
        Channel("C0GENERAL1", "general", set(everyone), topic="Everything else"),
        Channel("C0PRIVATE1", "risk-room", {ANA.id, BEN.id}, is_private=True, topic="Approvals"),
    )

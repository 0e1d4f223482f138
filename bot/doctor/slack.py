"""Slack, asked as the service will ask it: who we are, what we may, where we post, whether its events reach us.

No connection is opened with the app-level token: Slack would send clicks to it, and nobody would answer them.
"""

from __future__ import annotations

from bot.doctor.report import DependencyReport
from bot.settings import Settings
from bot.slack.client import SlackClient, open_client
from bot.slack.directory import Channels
from bot.slack.errors import Misconfigured, SlackFailure

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

ELSEWHERE = "check that slack.com can be reached from here, and SLACK_API_URL where it is set"
_ANOTHER = (
    "make one under Basic Information → App-Level Tokens, with the scope connections:write, "
    "and set SLACK_APP_TOKEN to it"
)
_APP_TOKEN_MENDS = {
    "invalid_auth": f"SLACK_APP_TOKEN is not valid: copy it again, or {_ANOTHER}",
    "token_revoked": f"SLACK_APP_TOKEN was revoked: {_ANOTHER}",
    "token_expired": f"SLACK_APP_TOKEN has expired: {_ANOTHER}",
    "account_inactive": "the app was removed from the workspace: install it again",
    "not_allowed_token_type": f"SLACK_APP_TOKEN is no app-level token (xapp-…): {_ANOTHER}",
    "missing_scope": f"the scopes of an app-level token cannot be changed: {_ANOTHER}",
    "ratelimited": "ask again in a minute",
}


async def ask_slack(settings: Settings) -> DependencyReport:
    """Ask with the bot token: is it good, has it every scope, does it reach the channels."""
    token = settings.slack_bot_token.get_secret_value()
    if not token:
        return DependencyReport(
            "slack", "failed", "SLACK_BOT_TOKEN is not set", "install the app of deploy/slack-manifest.yaml"
        )
    async with open_client(token, url=settings.slack_api_url) as client:
        try:
            who = await client.identity()
            missing = sorted(SCOPES - who.scopes) if who.scopes else []
            if missing:
                mend = "add them to the app (OAuth & Permissions) and install it again"
                return DependencyReport(
                    "slack", "failed", f"the token lacks the scopes {', '.join(missing)}", mend
                )
            channels = await _channels(settings, client)
        except Misconfigured as failure:
            return DependencyReport("slack", "failed", f"{failure.method}: {failure.code}", failure.detail)
        except SlackFailure as failure:
            return DependencyReport("slack", "failed", str(failure), ELSEWHERE)
    if not channels:
        mend = "set TRIAGE_CHANNEL to the channel for incidents, by id or as #name"
        return DependencyReport("slack", "failed", f"{who.team} as {who.user_id}, but nowhere to post", mend)
    return DependencyReport("slack", "ok", f"{who.team} as {who.user_id}, posts to {channels}")


async def _channels(settings: Settings, client: SlackClient) -> str:
    """Name the channels, each of them asked for its newest message: that tells who is no member."""
    names = dict.fromkeys(name for name in (settings.triage_channel, settings.digest_channel) if name)
    directory = Channels(client)
    for name in names:
        try:
            channel_id = await directory.resolve(name)
        except Misconfigured as failure:
            if failure.code != "missing_scope":
                raise
            # Posting by name needs no scope to look names up; the first post tells the id.
            return f"{' and '.join(names)}, found by name at the first post"
        try:
            await client.read("conversations.history", channel=channel_id, limit=1)
        except Misconfigured as failure:
            raise Misconfigured(f"{failure.method} of {name}", failure.code, failure.detail) from failure
    return " and ".join(names)


async def ask_to_listen(settings: Settings) -> DependencyReport:
    """Ask with the app-level token whether Slack would open a Socket Mode connection for us."""
    token = settings.slack_app_token.get_secret_value()
    if not token:
        return _without_socket(settings)
    async with open_client(token, url=settings.slack_api_url) as client:
        try:
            await client.call("apps.connections.open")
        except SlackFailure as failure:
            seen = f"{failure.method}: {failure.code}"
            if failure.code == "missing_scope":
                seen = "the app-level token lacks the scope connections:write"
            elif failure.code not in _APP_TOKEN_MENDS:
                seen = str(failure)
            return DependencyReport(
                "socket mode", "failed", seen, _APP_TOKEN_MENDS.get(failure.code, ELSEWHERE)
            )
    return DependencyReport("socket mode", "ok", "Slack opens connections for the app-level token")


def _without_socket(settings: Settings) -> DependencyReport:
    if settings.slack_signing_secret.get_secret_value():
        seen = "SLACK_APP_TOKEN is empty: HTTP mode, Slack sends clicks and commands to /slack/events"
        return DependencyReport("socket mode", "not configured", seen)
    seen = "neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set: no click or command would arrive"
    return DependencyReport("socket mode", "failed", seen, _ANOTHER)

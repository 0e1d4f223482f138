"""The fallback channels that the settings name."""

from __future__ import annotations

from bot.fallback.email import EmailChannel, read_mail_url
from bot.fallback.push import PushChannel
from bot.fallback.webhook import WebhookChannel
from bot.settings import Settings
from triage.ports.fallback import FallbackChannel


def fallback_channels(settings: Settings) -> dict[str, FallbackChannel]:
    """Return the channels by their name; one without an address is not there."""
    channels: list[FallbackChannel] = []
    if settings.triage_fallback_webhook.get_secret_value():
        channels.append(
            WebhookChannel(
                settings.triage_fallback_webhook.get_secret_value(),
                settings.triage_fallback_webhook_secret.get_secret_value(),
            )
        )
    if settings.triage_fallback_smtp.get_secret_value():
        channels.append(EmailChannel(read_mail_url(settings.triage_fallback_smtp.get_secret_value())))
    if settings.triage_fallback_push.get_secret_value():
        channels.append(
            PushChannel(
                settings.triage_fallback_push.get_secret_value(),
                settings.triage_fallback_push_token.get_secret_value(),
            )
        )
    return {channel.name: channel for channel in channels}

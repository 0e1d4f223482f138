"""Which service of a compose file is what: a bot, a Redis, what watches the desk."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bot.init.seen import BotFolder, ComposeService

_BOT = re.compile(r"(?:hummingbot|hbot|bot)[-_]?\d*", re.IGNORECASE)
_MONITORING = re.compile(
    r"prometheus|grafana|alertmanager|loki|promtail|alloy|cadvisor|node-?exporter|exporter|pushgateway"
)
_MONITORING_IMAGE = re.compile(
    r"(?:^|/)(?:prometheus|grafana|alertmanager|loki|promtail|alloy|cadvisor|node-exporter|pushgateway)(?=[:@]|$)"
)
_BOT_IMAGE = re.compile(r"hummingbot/hummingbot|/hummingbot(?:[:@]|$)|^hummingbot(?:[:@]|$)")
_REDIS_IMAGE = re.compile(r"(?:^|/)(?:redis|redis-stack(?:-server)?|valkey|keydb|dragonfly)(?=[:@]|$)")
"""Redis, and what speaks like one."""


def is_bot(service: ComposeService, folders: Sequence[BotFolder]) -> bool:
    """Return whether a service is a bot: its image is Hummingbot's, or it has a folder with a bot's logs."""
    if watches(service):
        return False
    has_folder = any(folder.name == service.name for folder in folders)
    return has_bot_image(service) or (has_folder and bool(_BOT.fullmatch(service.name)))


def has_bot_image(service: ComposeService) -> bool:
    """Return whether a service's image is Hummingbot's."""
    return _BOT_IMAGE.search(service.image) is not None


def watches(service: ComposeService) -> bool:
    """Return whether a service watches the desk: by a known name, or a known image."""
    return bool(_MONITORING.search(service.name) or _MONITORING_IMAGE.search(service.image))


def is_redis(service: ComposeService) -> bool:
    """Return whether a service is a Redis, or speaks like one."""
    return service.name == "redis" or _REDIS_IMAGE.search(service.image) is not None


def redis_of(services: Iterable[ComposeService]) -> list[str]:
    """Return the services that are a Redis, the one that most others need first."""
    every = list(services)
    found = [service for service in every if is_redis(service)]
    needed = Counter(name for service in every for name in service.depends_on)
    return [one.name for one in sorted(found, key=lambda one: (one.name != "redis", -needed[one.name]))]

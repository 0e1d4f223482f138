"""Which service of a compose file is what: a bot, a Redis, what watches the desk."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bot.init.observed_desk import BotFolder, ComposeService, Value

_BOT = re.compile(r"(?:hummingbot|hbot|bot)[-_]?\d*", re.IGNORECASE)
_MONITORING = re.compile(
    r"prometheus|grafana|alertmanager|loki|promtail|alloy|cadvisor|node-?exporter|exporter|pushgateway"
)
_MONITORING_IMAGE = re.compile(
    r"(?:^|/)(?:prometheus|grafana|alertmanager|loki|promtail|alloy|cadvisor|node-exporter|pushgateway)"
    r"(?:-oss|-enterprise)?(?=[:@]|$)"
)
_BOT_IMAGE = re.compile(r"(?:^|/)hummingbot(?=[:@]|$)")
_LIKE_A_BOT_IMAGE = re.compile(
    r"(?:^|/)(?!\S*(?:api|gateway|dashboard|broker|backend|exporter|mcp|site))[\w.-]*hummingbot[\w.-]*(?=[:@]|$)"
)
"""An image that somebody made of Hummingbot's, by its name; what is made around Hummingbot is none."""
_NUMBERED = re.compile(r"(?:^|[-_.])(?:hummingbot|hbot|bot)[-_]?\d+$", re.IGNORECASE)
_REDIS_IMAGE = re.compile(r"(?:^|/)(?:redis|redis-stack(?:-server)?|valkey|keydb|dragonfly)(?=[:@]|$)")
"""Redis, and what speaks like one."""


def is_bot(service: ComposeService, folders: Sequence[BotFolder]) -> bool:
    """Return whether a service is a bot, or likely is one."""
    return bool(bot_by(service, folders).value)


def bot_by(service: ComposeService, folders: Sequence[BotFolder]) -> Value:
    """Return whether a service is a bot and by what: Hummingbot's image or home, a folder with a bot's logs; or a guess."""
    if watches(service):
        return Value(value=False, source="it watches the desk")
    if _BOT_IMAGE.search(service.image):
        return Value(value=True, source=f"image {service.image}")
    if service.home_mounted:
        return Value(value=True, source="mounts into /home/hummingbot")
    if _BOT.fullmatch(service.name) and any(folder.name == service.name for folder in folders):
        return Value(value=True, source=f"folder data/{service.name}")
    if _LIKE_A_BOT_IMAGE.search(service.image):
        return Value(value=True, source=f"image {service.image}", guess=True)
    named = next(filter(_NUMBERED.search, (service.name, service.container)), "")
    return Value(value=bool(named) and not is_redis(service), source=f"its name {named}", guess=True)


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

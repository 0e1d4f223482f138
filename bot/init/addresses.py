"""Where the desk's Prometheus, Alertmanager, Loki, Grafana and Redis are reached from a container of its networks. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from bot.init.observed_desk import ComposeService, ObservedDesk, Value
from triage.env_text import filled

PORTS = {"prometheus": 9090, "alertmanager": 9093, "loki": 3100, "grafana": 3000, "redis": 6379}
_PASSWORD = re.compile(r"--requirepass[ =](\"[^\"]*\"|'[^']*'|.+?)(?= --|$)")
_PASSWORD_ELSEWHERE = re.compile(r"\.conf\b|/run/secrets/|\$\(|_FILE\b")
_LISTENS = re.compile(
    r"(?:^|[\s\"'])--?(?:web\.listen-address|server\.http-listen-port|port)[ =]\S*?(\d+)(?=[\"'\s]|$)"
)
_PREFIX = re.compile(r"--web\.(route-prefix|external-url)[ =][\"']?([^\s\"']+)")


def addresses(seen: ObservedDesk, redis: Sequence[str]) -> dict[str, Value]:
    """Return settings of ``.env`` by name (``PROMETHEUS_URL`` …); ``redis`` are the services that are the desk's Redis."""
    found: dict[str, Value] = {}
    for service in seen.services:
        for kind in PORTS:
            name = "REDIS_URL" if kind == "redis" else f"{kind.upper()}_URL"
            is_it = service.name in redis if kind == "redis" else service.is_a(kind)
            if is_it and name not in found:
                found[name] = _value(kind, service, seen.compose_file.name)
    return found


def _value(kind: str, service: ComposeService, where: str) -> Value:
    source = f"service {service.name} in {where}"
    if kind == "redis" and _password_may_be_elsewhere(service):
        source += "; a password that stands in a file is not seen"
    if service.network_mode:
        source += f"; network_mode {service.network_mode}: no other container reaches it by this name"
    port, seen = _port(kind, service)
    address = _redis_address(service, port) if kind == "redis" else _http_address(service, port)
    return Value(address, source, guess=not seen or bool(service.network_mode))


def _port(kind: str, service: ComposeService) -> tuple[int, bool]:
    """Return the port inside, and whether it was seen: the one of the command line, the usual one, else the first."""
    told = _LISTENS.search(service.command)
    if told is not None:
        return int(told[1]), True
    port = PORTS[kind]
    return (port if port in service.ports or not service.ports else service.ports[0]), bool(service.ports)


def _http_address(service: ComposeService, port: int) -> str:
    """Return an address with the path that Prometheus and Alertmanager serve below: that of the outside URL without one."""
    given = dict(_PREFIX.findall(service.command))
    path = given.get("route-prefix", urlsplit(given.get("external-url", "")).path).rstrip("/")
    return f"http://{service.name}:{port}{path}"


def _redis_address(service: ComposeService, port: int) -> str:
    password = quote(_password(service), safe="")
    return f"redis://{f':{password}@' if password else ''}{service.name}:{port}/0"


def _password(service: ComposeService) -> str:
    """Return Redis' password: of its command line, or of the environment that images of it know."""
    known = service.environment
    found = _PASSWORD.search(f"{service.command} {known.get('REDIS_ARGS', '')}".rstrip())
    if found is not None:
        told = found[1].strip().strip("\"'")
        return "" if _PASSWORD_ELSEWHERE.search(told) else filled(told, known)
    return known.get("REDIS_PASSWORD") or known.get("VALKEY_PASSWORD") or ""


def _password_may_be_elsewhere(service: ComposeService) -> bool:
    words = f"{service.command} {' '.join(service.environment)}"
    return not _password(service) and bool(service.elsewhere or _PASSWORD_ELSEWHERE.search(words))

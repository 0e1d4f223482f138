"""The part of alertmanager.yml that the stand-in understands; anything else is refused by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml.error import YAMLError

from demo.servers.am_model import AmMatcher, all_match, parse_matcher
from demo.servers.go_text import parse_duration
from demo.yaml_text import read_yaml


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Authorization(_Strict):
    """`http_config.authorization`."""

    type: str = "Bearer"
    credentials: str = ""
    credentials_file: str = ""


class HttpConfig(_Strict):
    """`http_config`."""

    authorization: Authorization | None = None
    follow_redirects: bool = True


class WebhookConfig(_Strict):
    """One `webhook_configs` entry."""

    url: str
    send_resolved: bool = True
    max_alerts: int = 0
    http_config: HttpConfig = HttpConfig()


class ReceiverConfig(_Strict):
    """One receiver."""

    name: str
    webhook_configs: list[WebhookConfig] = []


class RouteConfig(_Strict):
    """A route and those below it; what a child leaves out it takes from its parent."""

    receiver: str = ""
    group_by: list[str] | None = None
    matchers: list[str] = []
    match: dict[str, str] = {}
    match_re: dict[str, str] = {}
    continue_: bool = Field(default=False, alias="continue")
    group_wait: str = ""
    group_interval: str = ""
    repeat_interval: str = ""
    routes: list["RouteConfig"] = []


class InhibitConfig(_Strict):
    """One inhibition rule."""

    source_matchers: list[str] = []
    target_matchers: list[str] = []
    equal: list[str] = []


class GlobalConfig(_Strict):
    """`global`."""

    resolve_timeout: str = "5m"


class AlertmanagerConfig(_Strict):
    """A whole alertmanager.yml."""

    global_: GlobalConfig = Field(default=GlobalConfig(), alias="global")
    route: RouteConfig
    receivers: list[ReceiverConfig]
    inhibit_rules: list[InhibitConfig] = []
    templates: list[str] = []


@dataclass(frozen=True, slots=True)
class Route:
    """A route with everything inherited; intervals in seconds, `group_by` None groups by all labels."""

    key: str
    receiver: str
    matchers: tuple[AmMatcher, ...]
    goes_on: bool
    group_by: frozenset[str] | None
    group_wait: float
    group_interval: float
    repeat_interval: float
    routes: tuple["Route", ...]

    def matching(self, labels: Mapping[str, str]) -> Iterator["Route"]:
        """Yield the deepest routes an alert goes to."""
        if not all_match(self.matchers, labels):
            return
        found = False
        for child in self.routes:
            hits = list(child.matching(labels))
            yield from hits
            found = found or bool(hits)
            if hits and not child.goes_on:
                break
        if not found:
            yield self

    def group_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return the labels by which an alert is grouped here."""
        wanted = self.group_by
        return {n: v for n, v in sorted(labels.items()) if wanted is None or n in wanted}


@dataclass(frozen=True, slots=True)
class Inhibition:
    """Alerts that match `target` are not told while one that matches `source` fires with `equal` labels alike."""

    source: tuple[AmMatcher, ...]
    target: tuple[AmMatcher, ...]
    equal: tuple[str, ...]


def load_config(source: str | Path) -> tuple[AlertmanagerConfig, str]:
    """Read a configuration from a file, or from text; returns it with its text. Raises ValueError."""
    text = source.read_text() if isinstance(source, Path) else source
    try:
        config = AlertmanagerConfig.model_validate(read_yaml(text))
    except (ValueError, YAMLError) as error:
        raise ValueError(f"alertmanager.yml: {error}") from error
    known = {r.name for r in config.receivers}
    for name in _receivers(config.route):
        if name not in known:
            raise ValueError(f'alertmanager.yml: undefined receiver "{name}" used in route')
    return config, text


def _receivers(route: RouteConfig) -> Iterator[str]:
    if route.receiver:
        yield route.receiver
    for child in route.routes:
        yield from _receivers(child)


def build_route(config: RouteConfig) -> Route:
    """Return the route tree with what children inherit filled in."""
    defaults = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}
    return _route(config, {**defaults, "receiver": "", "group_by": []}, "")


def _route(config: RouteConfig, parent: dict[str, Any], parent_key: str) -> Route:
    own = {name: getattr(config, name) or parent[name] for name in parent if name != "group_by"}
    own["group_by"] = config.group_by if config.group_by is not None else parent["group_by"]
    matchers = tuple(
        sorted(
            [
                *(parse_matcher(text) for text in config.matchers),
                *(AmMatcher(n, v) for n, v in config.match.items()),
                *(AmMatcher(n, v, is_regex=True) for n, v in config.match_re.items()),
            ],
            key=lambda m: (m.name, m.value),
        )
    )
    key = f"{parent_key}{{{','.join(map(str, matchers))}}}"
    return Route(
        key=key,
        receiver=own["receiver"],
        matchers=matchers,
        goes_on=config.continue_,
        group_by=None if "..." in own["group_by"] else frozenset(own["group_by"]),
        group_wait=parse_duration(own["group_wait"]),
        group_interval=parse_duration(own["group_interval"]),
        repeat_interval=parse_duration(own["repeat_interval"]),
        routes=tuple(_route(child, own, f"{key}/") for child in config.routes),
    )


def build_inhibitions(config: AlertmanagerConfig) -> tuple[Inhibition, ...]:
    """Return the inhibition rules with their matchers read."""
    return tuple(
        Inhibition(
            tuple(parse_matcher(t) for t in rule.source_matchers),
            tuple(parse_matcher(t) for t in rule.target_matchers),
            tuple(rule.equal),
        )
        for rule in config.inhibit_rules
    )

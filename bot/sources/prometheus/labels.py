"""Labels that lead nowhere: those that alert rules look for or set, and desk.yaml's own, held against the series.

A rule that looks for ``name=~"hbot-.*"`` where the containers have other names never fires, and nothing says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from triage.desk import Desk
from triage.errors import SourceError
from triage.ports.sources import Metrics, RuleState
from triage.wording import listed

Seen = Mapping[str, frozenset[str]]
"""The values that each label has, by the label's name; none where no series has it."""
_QUERIES = {
    "bot": "group by (bot) (last_over_time(hbot_bot_state[1h]))",
    "name": 'group by (name) (last_over_time(container_last_seen{name!=""}[1h]))',
    "job": "group by (job) (last_over_time(up[1h]))",
    "instance": "group by (instance) (last_over_time(up[1h]))",
}
_OF_METRIC = {"bot": "hbot_", "name": "container_"}
"""Labels that mean something else in another exporter's series: ``name`` is a systemd unit in node-exporter's."""
_SELECTOR = re.compile(r"(?P<metric>[a-zA-Z_:][\w:]{0,200})?\{(?P<body>[^{}]{1,2000})\}")
_MATCHER = re.compile(
    r"(?P<label>\w{1,80})\s*(?P<sign>=~|=)\s*(?P<quote>[\"'`])(?P<value>(?:[^\"'`\\]|\\.){1,500})(?P=quote)"
)
_SHOWN = 4


async def seen_labels(metrics: Metrics) -> Seen:
    """Ask which values the labels have that rules go by. Raises SourceError."""
    found = {}
    for label, query in _QUERIES.items():
        answer = await metrics.query(query)
        found[label] = frozenset(sample.labels.get(label, "") for sample in answer.samples) - {""}
    return found


async def leading_nowhere(desk: Desk, metrics: Metrics, rules: Iterable[RuleState]) -> list[str]:
    """Return what leads nowhere, one clause each; without any series of a label there is nothing to compare."""
    try:
        seen = await seen_labels(metrics)
    except SourceError as error:
        return [f"labels could not be compared: {error.why}"]
    return [*_of_bots(desk, seen), *_of_containers(desk, seen), *_of_rules(desk, seen, tuple(rules))]


def _of_bots(desk: Desk, seen: Seen) -> Iterator[str]:
    known = {bot.name for bot in desk.bots}
    if not seen["bot"]:
        return
    strange, silent = sorted(seen["bot"] - known), sorted(known - seen["bot"])
    if strange:
        yield f"series of {listed(strange)}, which desk.yaml does not know"
    if silent:
        yield f"no series in an hour of {listed(silent)}"


def _of_containers(desk: Desk, seen: Seen) -> Iterator[str]:
    """Of bots that have series, so that they run, cAdvisor must know the container."""
    there = seen["name"]
    absent = [
        desk.container_of(bot.name)
        for bot in desk.bots
        if there and bot.name in seen["bot"] and desk.container_of(bot.name) not in there
    ]
    if absent:
        yield f"cAdvisor has no container {listed(absent, _SHOWN)}; it names {listed(sorted(there), _SHOWN)}"


def _of_rules(desk: Desk, seen: Seen, rules: tuple[RuleState, ...]) -> Iterator[str]:
    nowhere: dict[str, list[str]] = {}
    for rule in rules:
        for matcher in _wanted(rule.query, seen):
            nowhere.setdefault(f"{matcher}, which no series has, is looked for by", []).append(rule.name)
        for label in _set_in_vain(desk, rule):
            nowhere.setdefault(f"{label}, which desk.yaml does not know, is set by", []).append(rule.name)
    for what, names in nowhere.items():
        yield f"{what} the rule{'s' if len(names) > 1 else ''} {listed(names, _SHOWN)}"


def _wanted(query: str, seen: Seen) -> Iterator[str]:
    """Yield the matchers of a query that fit no value of their label."""
    for selector in _SELECTOR.finditer(query):
        for found in _MATCHER.finditer(selector["body"]):
            label, values = found["label"], seen.get(found["label"])
            of_metric = (selector["metric"] or "").startswith(_OF_METRIC.get(label, ""))
            if values and of_metric and not _fits(found["sign"], found["value"], values):
                yield f"{label}{found['sign']}{found['quote']}{found['value']}{found['quote']}"


def _fits(sign: str, value: str, values: frozenset[str]) -> bool:
    if sign == "=":
        return value in values
    try:
        expression = re.compile(value.replace("\\\\", "\\"))
    except re.error:  # RE2 and Python differ: what cannot be compared is not called wrong
        return True
    return any(expression.fullmatch(each) for each in values)


def _set_in_vain(desk: Desk, rule: RuleState) -> Iterator[str]:
    """Yield the labels that a rule gives its alerts and that name a bot or a container which is none of the desk's."""
    bots = {bot.name for bot in desk.bots}
    services = {
        *desk.compose.external_services,
        *desk.compose.monitoring_services,
        *map(desk.service_of, bots),
    }
    containers = {desk.container_of(name) for name in (*services, *bots)}
    for label, known in (
        ("bot", bots),
        ("service", services | bots),
        ("name", containers),
        ("container", containers | services),
    ):
        value = rule.labels.get(label, "")
        if value and "{{" not in value and value not in known:
            yield f'{label}="{value}"'

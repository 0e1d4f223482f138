"""Finds the playbook of a signal; the desk's overrides come first."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from triage.desk import Desk
from triage.desk_sections.triage import PlaybookSettings
from triage.model import Source
from triage.playbooks.alert_words import topic_of
from triage.playbooks.model import Playbook
from triage.playbooks.table import (
    BY_NAME,
    BY_PREFIX,
    BY_SOURCE,
    CONTAINER_CHECKS,
    DEFAULT,
    known_name,
    of_topic,
)

_ANYTHING = frozenset({DEFAULT.name, "Bot"})
"""Rows that say only that something is the matter: the words of a name tell more."""
_ASK_MORE = frozenset({"clock"})
"""Families whose checks ask all that the prefix's row asks, and more: a host's clock shows in the bots' logs."""
_SHORT = 4
"""A prefix as short may be the beginning of another word."""


def playbook_for(desk: Desk, alertname: str, source: Source = Source.ALERTMANAGER) -> Playbook:
    """Return the playbook of a signal: by its name, by its source, by the longest prefix, by its words, or the default.

    ``playbooks`` of desk.yaml goes by the same names, with ``default`` for the default one.
    """
    shipped = _shipped(alertname, source)
    if shipped.name.startswith("Container") or (
        shipped.usual is not None and shipped.checks == CONTAINER_CHECKS
    ):
        shipped = _knowing_minor(shipped, desk.monitoring_containers)
    for name in dict.fromkeys((alertname, shipped.name)):
        settings = desk.playbooks.get(name)
        if settings is not None:
            return overridden(replace(shipped, name=name), settings)
    return shipped


@lru_cache(maxsize=64)
def _knowing_minor(playbook: Playbook, containers: frozenset[str]) -> Playbook:
    return replace(playbook, minor_containers=containers)


def _shipped(alertname: str, source: Source) -> Playbook:
    exact = BY_NAME.get(alertname) or BY_NAME.get(known_name(alertname))
    if exact is not None:
        return exact
    if source in BY_SOURCE:
        return BY_SOURCE[source]
    prefixes = [prefix for prefix in BY_PREFIX if _begins(alertname, prefix)]
    named = BY_PREFIX[max(prefixes, key=len)] if prefixes else DEFAULT
    topic = topic_of(alertname)
    if topic is None or named.severity is not None:
        return named
    by_words = of_topic(topic)
    if named.name in _ANYTHING:
        return by_words
    checks = by_words.checks if topic.family in _ASK_MORE else named.checks
    return replace(named, checks=checks, usual=by_words.usual, gravest=by_words.gravest)


def _begins(alertname: str, prefix: str) -> bool:
    """Tell whether a name begins with a prefix as a word: ``Bot`` is none of ``Bottleneck``."""
    if not alertname.startswith(prefix):
        return False
    rest = alertname[len(prefix) :]
    return not rest[:1].islower() or rest[:1] == "s" or len(prefix) > _SHORT


def overridden(playbook: Playbook, settings: PlaybookSettings) -> Playbook:
    """Return the playbook with what the desk sets. ``triage.diagnosis.playbook_settings`` says whether that makes sense."""
    if settings.severity is not None:
        playbook = replace(playbook, minor_containers=frozenset())
    given = {name: value for name, value in settings if value is not None}
    if settings.actions is not None:
        given["only_actions"] = True
    return replace(playbook, **given)

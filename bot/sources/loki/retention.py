"""For how long Loki keeps lines, read of its ``/config``: YAML of many sections, of which three count. Pure."""

from __future__ import annotations

import re

from bot.sources.times import span_seconds
from triage.outside_numbers import is_whole

_SECTION = re.compile(r"^(?P<name>[a-z_]+):[ \t]*$", re.MULTILINE)
_VALUE = r"^[ ]{1,8}%s:[ \t]*[\"']?(?P<value>\w+)"
_STREAMS = re.compile(
    r"^(?P<dent>[ ]{1,8})retention_stream:[ \t]*\n(?P<entries>(?:(?P=dent)(?:[ ]|-).*\n?)+)", re.MULTILINE
)
_ENTRY = re.compile(r"^[ ]{1,12}-[ ]", re.MULTILINE)
_PAIR = re.compile(r"^[ ]*(?P<key>selector|period|priority):[ ]*(?P<value>.+)$", re.MULTILINE)
_LABEL = re.compile(r"([a-zA-Z_]\w*)\s*=\s*\\?[\"`]([^\"`\\]*)")


def retention_of(config: str, streams: str = "") -> float | None:
    """Return the seconds after which lines are deleted; None where they never are, or the text does not say.

    ``streams``: the selector of the lines that are asked about. A period of its own (``retention_stream``) counts where
    its selector may be theirs: of those with the highest priority the shortest.
    """
    limits, compactor = _section(config, "limits_config"), _section(config, "compactor")
    if _value(compactor, "retention_enabled") == "true":
        own = _of_streams(limits, streams)
        return own or span_seconds(_value(limits, "retention_period")) or None
    tables = _section(config, "table_manager")
    if _value(tables, "retention_deletes_enabled") == "true":
        return span_seconds(_value(tables, "retention_period")) or None
    return None


def _of_streams(limits: str, streams: str) -> float | None:
    found = _STREAMS.search(limits)
    entries = _ENTRY.split(found["entries"])[1:] if found is not None else []
    named = dict(_LABEL.findall(streams))
    periods: dict[int, list[float]] = {}
    for entry in entries:
        values = dict(_PAIR.findall(entry))
        theirs = dict(_LABEL.findall(values.get("selector", "")))
        seconds = span_seconds(values.get("period", "").strip("\"' "))
        if seconds and all(named.get(label, value) == value for label, value in theirs.items()):
            priority = values.get("priority", "").strip()
            periods.setdefault(int(priority) if is_whole(priority) else 0, []).append(seconds)
    return min(periods[max(periods)]) if periods else None


def _section(config: str, name: str) -> str:
    found = list(_SECTION.finditer(config))
    for number, each in enumerate(found):
        if each["name"] == name:
            end = found[number + 1].start() if number + 1 < len(found) else len(config)
            return config[each.end() : end]
    return ""


def _value(section: str, key: str) -> str:
    found = re.search(_VALUE % re.escape(key), section, re.MULTILINE)
    return found["value"] if found is not None else ""

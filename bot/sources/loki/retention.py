"""For how long Loki keeps lines, read of its ``/config``: YAML of many sections, of which three count. Pure."""

from __future__ import annotations

import re

from bot.sources.times import span_seconds

_SECTION = re.compile(r"^(?P<name>[a-z_]+):[ \t]*$", re.MULTILINE)
_VALUE = r"^[ ]{1,8}%s:[ \t]*[\"']?(?P<value>\w+)"


def retention_of(config: str) -> float | None:
    """Return the seconds after which lines are deleted; None where they never are, or the text does not say."""
    limits, compactor = _section(config, "limits_config"), _section(config, "compactor")
    if _value(compactor, "retention_enabled") == "true":
        return span_seconds(_value(limits, "retention_period")) or None
    tables = _section(config, "table_manager")
    if _value(tables, "retention_deletes_enabled") == "true":
        return span_seconds(_value(tables, "retention_period")) or None
    return None


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

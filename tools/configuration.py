"""The configuration reference: names and defaults from the models, words from the examples that explain them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.settings import ChannelSettings, Settings, SourceSettings
from triage.desk import Desk

ROOT = Path(__file__).parents[1]
_SETTING = re.compile(r"(?P<name>[A-Z_]+)=")
_KEY = re.compile(r"(?P<indent> *)(?P<name>[a-z_]+):(?P<value>[^#]*?)(?:\s+#\s*(?P<about>.*))?$")
_MORE = re.compile(r"\s+#\s*(?P<about>.*)$")


def settings_table() -> str:
    """Return every setting of the environment with what ``.env.example`` says of it."""
    about = dict(_settings_about())
    rows = []
    # The service's own first, then those of the fallback channels and of the sources.
    fields = sorted(Settings.model_fields.items(), key=lambda field: _group(field[0]))
    for name, field in fields:
        if name == "desk":
            continue
        default = field.default
        shown = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        rows.append(f"| `{name.upper()}` | {_code(shown)} | {_cell(about.get(name.upper(), ''))} |")
    return "\n".join(("| setting | default | |", "| --- | --- | --- |", *rows, ""))


def _group(name: str) -> int:
    return 2 if name in SourceSettings.model_fields else int(name in ChannelSettings.model_fields)


def desk_table() -> str:
    """Return every key of desk.yaml with its default and what ``deploy/desk.example.yaml`` says of it."""
    about = dict(_desk_about())
    schema = Desk.model_json_schema()
    rows = [
        f"| `{key}` | {_code(default)} | {_cell(about.get(key, ''))} |"
        for key, default in _keys(schema, schema)
    ]
    return "\n".join(("| key | default | |", "| --- | --- | --- |", *rows, ""))


def _settings_about() -> Iterator[tuple[str, str]]:
    words: list[str] = []
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        found = _SETTING.match(line)
        if found:
            yield found["name"], " ".join(words)
        words = [*words, line.lstrip("# ")] if line.startswith("#") and not line.startswith("# ---") else []


def _desk_about() -> Iterator[tuple[str, str]]:
    """Yield each key's path with the comment behind it, and the lines of comment that go on below it."""
    path: list[tuple[int, str]] = []
    for line in (ROOT / "deploy" / "desk.example.yaml").read_text(encoding="utf-8").splitlines():
        found = _KEY.match(line.replace("- name", "  name"))
        if not found:
            continue
        indent = len(found["indent"])
        path = [*(step for step in path if step[0] < indent), (indent, found["name"])]
        if found["about"]:
            yield ".".join(name for _, name in path), found["about"]


def _keys(schema: Mapping[str, Any], part: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every key below a part of the schema, with its default; keys below a list stand below its name."""
    for name, field in part.get("properties", {}).items():
        key = f"{path}.{name}" if path else name
        inner = _resolved(schema, field)
        if inner.get("properties"):
            yield from _keys(schema, inner, key)
            continue
        yield key, field.get("default")
        items = _resolved(schema, inner.get("items") or {})
        if items.get("properties"):
            yield from _keys(schema, items, key)


def _resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    options = [one for one in part.get("anyOf", ()) if one.get("type") != "null"]
    if "$ref" in part:
        return _resolved(schema, schema["$defs"][part["$ref"].rpartition("/")[2]])
    return _resolved(schema, options[0]) if len(options) == 1 else part


def _code(value: object) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, list):
        shown = ", ".join(str(one.get("name", one)) if isinstance(one, dict) else str(one) for one in value)
        return f"`[{_cell(shown)}]`"
    return f"`{_cell(str(value))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

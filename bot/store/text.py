"""Text that every database takes, and that whoever reads it can send on."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_ESCAPE = re.compile(r"\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|u[0-9a-f]{4}|.)")
"""Each escape of JSON, a surrogate pair as one: a backslash that is itself escaped begins none."""


def clean(text: str) -> str:
    """Replace NUL, which PostgreSQL refuses, and lone surrogates, which no database can encode."""
    if text.isascii() and "\0" not in text:  # nearly all of it
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def json_text(value: object) -> str:
    """Return a value as JSON without NUL and lone surrogates, which JSON could carry past ``clean``."""
    try:
        text = to_json(value).decode()
    except (
        PydanticSerializationError
    ):  # a lone surrogate, or what is no JSON, which the standard encoder names
        text = _encode(value)
    return _ESCAPE.sub(_sound, text) if "\\u0000" in text or "\\ud" in text else text


def json_value(text: str | bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what JSON says. The quick reader refuses deep nesting and lone surrogates, which the standard one takes."""
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)


def _sound(match: re.Match[str]) -> str:
    escape = match[0]
    alone = len(escape) == len("\\ud800") and "\\ud800" <= escape <= "\\udfff"
    return "\\ufffd" if alone or escape == "\\u0000" else escape

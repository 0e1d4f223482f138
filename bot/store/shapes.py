"""What a row's values are to be where the database does not see to it: SQLite keeps any type, JSON has any shape.

A record that is read as it should not be fails far from here, in what is about another record. So it is refused when it
is read, and costs only itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage.model import Json


def texts(row: Mapping[Any, Any], *names: str) -> None:
    """Make sure that some columns are text. Raises ValueError."""
    for name in names:
        if type(row[name]) is not str:
            raise ValueError(f"{name} is no text")


def whole_numbers(row: Mapping[Any, Any], *names: str) -> None:
    """Make sure that some columns are whole numbers. Raises ValueError."""
    for name in names:
        if type(row[name]) is not int:
            raise ValueError(f"{name} is no whole number")


def json_object(row: Mapping[Any, Any], name: str) -> dict[str, Json]:
    """Return a column that holds an object of JSON. Raises ValueError."""
    found: dict[str, Json] = row[name]
    if type(found) is not dict:
        raise ValueError(f"{name} is no object of JSON")
    return found


def text_object(row: Mapping[Any, Any], name: str) -> dict[str, str]:
    """Return a column that holds an object of JSON whose values are all text. Raises ValueError."""
    found: dict[str, str] = row[name]
    if type(found) is not dict or any(type(value) is not str for value in found.values()):
        raise ValueError(f"{name} is no object of texts")
    return found

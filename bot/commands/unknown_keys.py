"""Which keys desk.yaml has where: what a key that is none was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from bot.fault_words import fault_of
from triage.wording import nearest

_LIKE = 0.7
"""How like a known key a misspelt one must be to be taken for it."""
_FEW = 6
"""So many keys of a part are listed where none of them is like the one that was written."""


def key_fault(one: ErrorDetails, model: type[BaseModel], *, upper: bool) -> tuple[str, str]:
    """Return a fault as where and what, in words of the file; a misspelt key gets the nearest one."""
    where, what = fault_of(one, upper=upper)
    if one["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        what = f"is no key there: {_meant(str(one['loc'][-1]), model, one['loc'][:-1])}"
    return where, what


def _meant(key: str, model: type[BaseModel], path: tuple[str | int, ...]) -> str:
    known = _keys_at(model, path)
    begun = [one for one in known if one.startswith(f"{key}_")]
    if near := nearest(key, known, _LIKE) or (begun[0] if len(begun) == 1 else ""):
        return f"did you mean {near}?"
    if place := _elsewhere(key, model):
        return f"there is {place}"
    return f"there are {', '.join(known)}" if 0 < len(known) <= _FEW else "look for a typing error"


def _elsewhere(key: str, model: type[BaseModel]) -> str:
    """Return where in desk.yaml a key of this name belongs; empty where it is nowhere, or in several places."""
    parts = [name for name in _keys_at(model, ()) if key in _keys_at(model, (name,))]
    places = [f"{part}.{key}" for part in parts] + ([key] if key in _keys_at(model, ()) else [])
    return places[0] if len(places) == 1 else ""


def _keys_at(model: type[BaseModel], path: Iterable[str | int]) -> list[str]:
    """Return the keys that a part of desk.yaml has, by the path that leads to it; empty where it cannot be told."""
    schema = _schema(model)
    here: Any = schema
    for step in path:
        part = _resolved(schema, here)
        here = part.get("properties", {}).get(step) or part.get("additionalProperties") or part.get("items")
        if not isinstance(here, dict):
            return []
    return list(_resolved(schema, here).get("properties", {}))


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and take the part of an optional one that is there."""
    options = [one for one in part.get("anyOf", ()) if one.get("type") != "null"]
    if "$ref" in part:
        return _resolved(schema, schema["$defs"][part["$ref"].rpartition("/")[2]])
    return _resolved(schema, options[0]) if options else part

"""Reads what the form of an action carries; a forged one carries nothing that is believed. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

REASON = "reason"
CHOICE_BLOCK = "choice."


def kept_in(view: Mapping[str, Any]) -> dict[str, str]:
    """Return what the form was opened with."""
    try:
        kept = json.loads(view.get("private_metadata") or "{}")
    except (TypeError, ValueError):
        return {}
    return {str(key): str(value) for key, value in kept.items()} if isinstance(kept, dict) else {}


def _values(view: Mapping[str, Any]) -> Mapping[str, Any]:
    values = (view.get("state") or {}).get("values")
    return values if isinstance(values, dict) else {}


def chosen_in(view: Mapping[str, Any]) -> dict[str, str]:
    """Return what is chosen in its selects, by argument."""
    chosen = {}
    for block_id, elements in _values(view).items():
        option = ((elements or {}).get("action_choice") or {}).get("selected_option") or {}
        if block_id.startswith(CHOICE_BLOCK) and isinstance(option.get("value"), str):
            chosen[block_id.removeprefix(CHOICE_BLOCK)] = option["value"]
    return chosen


def reason_in(view: Mapping[str, Any]) -> str:
    """Return the reason that was typed, empty when there is none."""
    value = ((_values(view).get(REASON) or {}).get(REASON) or {}).get("value")
    return value.strip()[:500] if isinstance(value, str) else ""

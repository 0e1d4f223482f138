"""Reads what the form of an action carries; a forged one carries nothing that is believed. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncBoltRequest

from triage.masking import masked_and_cut
from triage.ports.actions import Signed

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
    """Return the reason that was typed, secrets masked; empty when there is none."""
    value = ((_values(view).get(REASON) or {}).get(REASON) or {}).get("value")
    return masked_and_cut(value.strip(), 500) if isinstance(value, str) else ""


def signed_in(request: AsyncBoltRequest) -> Signed | None:
    """Return the form as Slack signed it, for the agent to check; None over Socket Mode, where nothing is signed."""
    headers = {name: values[0] if values else "" for name, values in request.headers.items()}
    signature = headers.get("x-slack-signature", "")
    if not signature or not request.raw_body:
        return None
    return Signed(request.raw_body, headers.get("x-slack-request-timestamp", ""), signature)

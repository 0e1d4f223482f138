"""Proof that a person confirmed: the form as Slack signed it, checked with the agent's own copy of the signing secret.

Only in HTTP mode does Slack sign what it sends. Over Socket Mode the agent has to believe the bot (docs/security.md).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from triage.masking import masked_and_cut
from triage.plans.agent_orders import token_of
from triage.ports.actions import ShownPlan, Signed

AGE_SECONDS = 300
_STAMP_LENGTH = 12


class SlackProof:
    """Checks Slack's ``v0`` signature and that the signed form is the one that the bot tells of."""

    def __init__(self, signing_secret: str) -> None:
        self._secret = signing_secret.encode()

    def why_not(self, shown: ShownPlan, now: datetime) -> str:
        """Return why a confirmation is not believed, empty when it is."""
        if shown.signed is None:
            return "the confirmation does not come with the form as Slack signed it"
        if why := self._why_not_signed(shown.signed, now):
            return why
        return _why_other(_payload(shown.signed.body), shown)

    def _why_not_signed(self, signed: Signed, now: datetime) -> str:
        stamp = signed.timestamp
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _STAMP_LENGTH):
            return "the form's time is no number"
        if abs(now.timestamp() - int(stamp)) > AGE_SECONDS:
            return "the form was sent more than five minutes ago"
        text = b"v0:" + stamp.encode() + b":" + signed.body.encode()
        good = "v0=" + hmac.new(self._secret, text, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(good.encode(), signed.signature.encode()):
            return "the form's signature is not Slack's"
        return ""


def _payload(body: str) -> Mapping[str, Any]:
    try:
        payloads = parse_qs(body, keep_blank_values=True, max_num_fields=100).get("payload", [])
        if len(payloads) != 1:  # which of two would be meant, each reader decides for itself
            return {}
        found = json.loads(payloads[0])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _why_other(payload: Mapping[str, Any], shown: ShownPlan) -> str:
    """Return in what the signed form differs from what the bot says of it."""
    try:
        view = payload["view"]
        kept = json.loads(view["private_metadata"])
        reason = masked_and_cut(str(view["state"]["values"]["reason"]["reason"]["value"]).strip(), 500)
        said = {
            "type": (payload["type"], "view_submission"),
            "form": (view["callback_id"], "confirm_action"),
            "person": (payload["user"]["id"], shown.actor),
            "action": (token_of(str(kept["handle"])), shown.token),
            "plan": (kept["digest"], shown.digest),
            "reason": (reason, shown.reason.strip()[:500]),
        }
    except (KeyError, TypeError, ValueError, RecursionError):
        return "what Slack signed is no form of ours"
    other = [name for name, (signed, told) in said.items() if signed != told]
    return f"what Slack signed has another {', '.join(other)}" if other else ""

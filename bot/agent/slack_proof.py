"""Proof that a person confirmed: the form as Slack signed it, checked with the agent's own copy of the signing secret.

The secret is one app's, so that what it signs came to ours. Only in HTTP mode does Slack sign what it sends. Over
Socket Mode the agent has to believe the bot (docs/security.md).
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
    """Checks Slack's ``v0`` signature and that the signed form is the one that the bot tells of.

    ``workspace``: whose people are believed; empty for the one in which the signed form says that the app is installed.
    """

    def __init__(self, signing_secret: str, workspace: str = "") -> None:
        self._secret, self._workspace = signing_secret.encode(), workspace

    def why_not(self, shown: ShownPlan, now: datetime) -> str:
        """Return why a confirmation is not believed, empty when it is."""
        if shown.signed is None:
            return "the confirmation does not come with the form as Slack signed it"
        if why := self._why_not_signed(shown.signed, now):
            return why
        payload = _payload(shown.signed.body)
        return _why_other(payload, shown) or _why_outside(payload, self._workspace)

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


def _why_outside(payload: Mapping[str, Any], workspace: str) -> str:
    """Return why the person is not one of our workspace: guests of a shared channel fill in forms, too.

    On Enterprise Grid the organisation (``E…``) may be named besides. Where the app is installed for all of it, nothing
    in the form says which workspace is ours.
    """
    view, user, team = payload["view"], payload["user"], payload.get("team")
    installed, enterprise = view.get("app_installed_team_id"), payload.get("enterprise")
    named = [user.get("team_id"), team.get("id") if isinstance(team, dict) else team]
    organisation = enterprise.get("id") if isinstance(enterprise, dict) else None
    persons = {str(one) for one in named if one} - {organisation}
    ours = workspace or str(installed or "")
    if not ours.startswith("T"):
        return "the form does not say which workspace is ours; name it in agent.workspace of desk.yaml here"
    return "" if persons == {ours} else "the form was sent by somebody of another workspace"


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

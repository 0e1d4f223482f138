"""HTTP mode: the agent believes Slack's signature over the whole form, and no word of the bot beside it."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

import pytest
from slack_bolt.async_app import AsyncBoltRequest

from bot.agent.slack_proof import SlackProof
from handlers.slack.action_form import signed_in
from triage.model import Json
from triage.plans.agent_orders import ComposeOrder, token_of
from triage.ports.actions import ShownPlan, Signed

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = datetime(2026, 2, 20, 12, 0, tzinfo=UTC)
OURS, THEIRS, GRID = "T0OURS0001", "T0THEIRS01", "E0GRID0001"
BASE = ShownPlan(
    token=token_of("handle-1"),
    kind="restart",
    target="bot1",
    orders=((1, ComposeOrder("restart", "bot1")),),
    rest="0" * 64,
    actor="U1",
    reason="because",
)


def form(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of Slack's payload
    """Return what Slack sends when the form is submitted."""
    kept = {"handle": "handle-1", "digest": BASE.digest, **changes.pop("kept", {})}
    view = {
        "callback_id": "confirm_action",
        "private_metadata": json.dumps(kept),
        "state": {"values": {"reason": {"reason": {"value": " because "}}}},
        "app_installed_team_id": OURS,
    }
    person = {"id": "U1", "team_id": OURS}
    return {"type": "view_submission", "team": {"id": OURS}, "user": person, "view": view, **changes}


def signed(payload: object, *, secret: str = SECRET, at: datetime = NOW) -> Signed:
    """Sign as Slack does."""
    body, stamp = urlencode({"payload": json.dumps(payload)}), str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return Signed(body, stamp, f"v0={digest}")


def why(payload: object, **how: Any) -> str:  # noqa: ANN401 - as signed
    """Return what the agent says to it."""
    return SlackProof(SECRET).why_not(replace(BASE, signed=signed(payload, **how)), NOW)


def test_the_form_that_a_person_submitted_is_believed() -> None:
    """Signed now, for this action, this plan, this person and this reason."""
    assert why(form()) == ""
    assert why(form(), at=NOW - timedelta(minutes=4)) == ""


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (form(user={"id": "U2", "team_id": OURS}), "person"),
        (form(user={"id": "U1", "team_id": {"id": OURS}}), "another workspace"),
        (form(kept={"handle": "handle-2"}), "action"),
        (form(kept={"digest": "f" * 64}), "plan"),
        (form(type="block_actions"), "type"),
        (form(view={}), "no form of ours"),
        ({}, "no form of ours"),
        ([], "no form of ours"),
        ("text", "no form of ours"),
    ],
)
def test_a_form_of_something_else_proves_nothing(payload: object, said: str) -> None:
    """A click of another person, on another action, on another plan: Slack signed it, but not this."""
    assert said in why(payload)


@pytest.mark.parametrize(
    ("changes", "workspace", "good"),
    [
        ({}, "", True),
        ({}, OURS, True),
        ({}, THEIRS, False),
        ({"user": {"id": "U1", "team_id": THEIRS}}, "", False),
        ({"team": {"id": THEIRS}}, "", False),
        ({"team": {"id": THEIRS}, "user": {"id": "U1", "team_id": THEIRS}}, "", False),
        ({"team": {"id": THEIRS}, "user": {"id": "U1", "team_id": THEIRS}}, OURS, False),
        ({"team": None}, "", True),
        ({"team": None, "user": {"id": "U1"}}, OURS, False),
        ({"enterprise": {"id": GRID}, "user": {"id": "U1", "team_id": GRID}}, "", True),
        ({"enterprise": {"id": GRID}, "user": {"id": "U1", "team_id": "E0THEIRS01"}}, "", False),
        (
            {"enterprise": {"id": GRID}, "team": {"id": GRID}, "user": {"id": "U1", "team_id": GRID}},
            "",
            False,
        ),
    ],
)
def test_only_people_of_our_workspace_are_believed(changes: Json, workspace: str, *, good: bool) -> None:
    """A guest of a shared channel is signed by Slack as well; an organisation's name alone says nothing."""
    shown = replace(BASE, signed=signed(form(**changes)))
    assert (SlackProof(SECRET, workspace).why_not(shown, NOW) == "") is good


def test_an_app_of_a_whole_organisation_needs_the_workspaces_name() -> None:
    """The form names the organisation alone as the place of the app."""
    payload = form(enterprise={"id": GRID})
    payload["view"]["app_installed_team_id"] = GRID
    shown = replace(BASE, signed=signed(payload))
    assert "agent.workspace" in SlackProof(SECRET).why_not(shown, NOW)
    assert SlackProof(SECRET, OURS).why_not(shown, NOW) == ""


def test_another_plan_under_the_same_digest_proves_nothing() -> None:
    """The bot shows one plan and tells the agent another: the digest is made of the orders themselves."""
    other = replace(BASE, orders=((1, ComposeOrder("down")),), signed=signed(form()))
    assert "plan" in SlackProof(SECRET).why_not(other, NOW)


def test_what_slack_did_not_sign_or_not_now_proves_nothing() -> None:
    """No form, another secret, an old one, a changed one, a stamp that is no number."""
    proof = SlackProof(SECRET)
    good = signed(form())
    assert "does not come with the form" in proof.why_not(BASE, NOW)
    assert "not Slack's" in why(form(), secret="another")
    assert "five minutes" in why(form(), at=NOW - timedelta(minutes=6))
    assert "five minutes" in why(form(), at=NOW + timedelta(minutes=6))
    for changed in (
        replace(good, body=good.body + "&x=1"),
        replace(good, signature="v0=" + "0" * 64),
        replace(good, signature="é"),
        replace(good, timestamp="٣"),
        replace(good, timestamp="1e9"),
        replace(good, timestamp=""),
    ):
        assert proof.why_not(replace(BASE, signed=changed), NOW)


@pytest.mark.parametrize("mode", ["http", "socket_mode"])
async def test_the_service_hands_the_form_on_as_slack_signed_it(mode: Literal["http", "socket_mode"]) -> None:
    """Through bolt's own request, byte for byte; over Socket Mode there is nothing to hand on."""
    good = signed(form())
    headers: dict[str, str | Sequence[str]] = {
        "X-Slack-Request-Timestamp": good.timestamp,
        "X-Slack-Signature": good.signature,
    }
    if mode == "http":
        request = AsyncBoltRequest(body=good.body, headers=headers, mode=mode)
        handed = signed_in(request)
        assert handed == good
        assert SlackProof(SECRET).why_not(replace(BASE, signed=handed), NOW) == ""
    else:
        assert signed_in(AsyncBoltRequest(body=form(), mode=mode)) is None

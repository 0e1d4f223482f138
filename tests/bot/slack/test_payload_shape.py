"""What Slack signed is looked over before anything reads it: odd bodies are refused by name, and cost nothing."""

import contextlib
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.payload_shape import MOST_DEPTH, Odd, look_over

FORM = "application/x-www-form-urlencoded"
CLICK: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U1", "username": "ana", "team_id": "T1"},
    "team": {"id": "T1", "domain": "desk"},
    "enterprise": None,
    "channel": {"id": "C1", "name": "desk"},
    "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"},
    "message": {"ts": "1.2", "text": "x", "blocks": []},
    "actions": [
        {"action_id": "incident.more", "block_id": "b", "type": "overflow", "selected_option": {"value": "v"}}
    ],
    "trigger_id": "t",
    "response_url": "https://hooks.slack.com/actions/x",
}


def as_payload(payload: object) -> str:
    """Return the form that carries a payload."""
    return urlencode({"payload": json.dumps(payload)})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (as_payload(CLICK), FORM),
        ("command=%2Ftriage&text=&user_id=U1&team_id=T1", FORM),
        ("ssl_check=1&token=x", FORM),
        (json.dumps({"type": "url_verification", "challenge": "c"}), "application/json"),
        (
            json.dumps(
                {
                    "type": "event_callback",
                    "event": {"type": "user_change", "user": {"id": "U1", "profile": {}}},
                }
            ),
            "application/json; charset=utf-8",
        ),
    ],
)
def test_what_slack_sends_is_taken(body: str, kind: str) -> None:
    """Clicks, commands, events, and Slack's own questions about the address."""
    look_over(body, kind)


def deep(levels: int) -> str:
    """Return a form whose payload is nested so deep."""
    return urlencode({"payload": '{"type":"x","a":' + "[" * levels + "]" * levels + "}"})


ODD = {
    "nothing": ("", FORM),
    "no field of ours": ("a=b", FORM),
    "an empty payload": ("payload=", FORM),
    "cut off": (as_payload(CLICK)[:-30], FORM),
    "a list": (as_payload([]), FORM),
    "a number": (as_payload(7), FORM),
    "null": (as_payload(None), FORM),
    "no type": (as_payload({}), FORM),
    "a payload twice": (as_payload(CLICK) + "&" + as_payload(CLICK), FORM),
    "a key twice": ("payload=" + '{"type":"a","type":"b"}', FORM),
    "endless fields": ("&".join(f"f{number}=" for number in range(5000)), FORM),
    "deep": (deep(MOST_DEPTH + 1), FORM),
    "deeper than the parser": (deep(100_000), FORM),
    "not UTF-8 within": ("payload=%ff%fe", FORM),
    "a user that is a list": (as_payload({**CLICK, "user": ["U1"]}), FORM),
    "actions that are an object": (as_payload({**CLICK, "actions": {"0": {}}}), FORM),
    "an action that is text": (as_payload({**CLICK, "actions": ["x"]}), FORM),
    "values that are a list": (
        as_payload({"type": "view_submission", "view": {"state": {"values": []}}}),
        FORM,
    ),
    "an event that is text": (json.dumps({"type": "event_callback", "event": "x"}), "application/json"),
    "a click on nothing": (as_payload({**CLICK, "actions": []}), FORM),
    "a click without a name": (as_payload({**CLICK, "actions": [{"type": "button"}]}), FORM),
    "a form without its view": (as_payload({"type": "view_submission", "view": None}), FORM),
    "an event without one": (json.dumps({"type": "event_callback"}), "application/json"),
    "json that is a list": ("[]", "application/json"),
    "a number too long": ('{"type":"x","event":{"type":' + "9" * 6000 + "}}", "application/json"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_body_is_refused_with_a_reason_that_quotes_nothing(name: str) -> None:
    """Soon, too: a body may have a megabyte."""
    body, kind = ODD[name]
    began = time.process_time()
    with pytest.raises(Odd) as refused:
        look_over(body, kind)
    assert time.process_time() - began < 1
    assert len(str(refused.value)) < 90


NAMES = st.sampled_from([*CLICK, "event", "view"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(
    st.text(max_size=200) | json_values.map(json.dumps) | json_values.map(as_payload),
    st.sampled_from([FORM, "application/json", "", "text/plain"]),
)
def test_whatever_is_signed_is_taken_or_refused_and_nothing_else(body: str, kind: str) -> None:
    """No other error comes out of it."""
    with contextlib.suppress(Odd):
        look_over(body, kind)

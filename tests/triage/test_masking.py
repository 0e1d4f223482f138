"""Secrets are masked, whatever surrounds them; what is none is left alone."""

import string
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from triage.masking import MASK, masked
from triage.masking.shapes import is_mixed

TOKEN = st.text(
    alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=16, max_size=60
)
NAMES = st.sampled_from(
    [
        "api_key",
        "apiKey",
        "API-KEY",
        "password",
        "passphrase",
        "secret",
        "client_secret",
        "access_token",
        "BITGET_API_SECRET",
    ]
)
SHAPES = st.sampled_from(
    [
        "{n}={t}",
        "{n}: {t}",
        '{{"{n}": "{t}"}}',
        "{{'{n}': '{t}', 'x': 1}}",
        "--{n}={t} --more",
        "?a=b&{n}={t}&c=d",
        '{n} => "{t}"',
    ]
)


@given(NAMES, TOKEN, SHAPES, st.text(max_size=20), st.text(max_size=20))
def test_the_value_of_a_key_that_names_a_secret_is_gone(
    name: str, token: str, shape: str, before: str, after: str
) -> None:
    """Its name stays, so that one sees which it was."""
    assume(token not in before and token not in after)
    text = f"{before} {shape.format(n=name, t=token)} {after}"
    shown = masked(text)
    assert token not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("redis://ana:hunter2@redis:6379/0", "hunter2"),
        ("https://user:p%40ss@api.example/x", "p%40ss"),
        ("Authorization: Bearer abc.def-ghi_jkl", "abc.def-ghi_jkl"),
        ("authorization=Basic YWxhZGRpbjpvcGVu", "YWxhZGRpbjpvcGVu"),
        ("token xoxb-1234567890-abcdefghij rejected", "1234567890-abcdefghij"),
        ("xapp-1-A0123-456-deadbeef is revoked", "A0123-456-deadbeef"),
        ("https://hooks.slack.com/services/T0/B0/abcdefg", "abcdefg"),
        ("key AKIAIOSFODNN7EXAMPLE used", "IOSFODNN7EXAMPLE"),
        ("ghp_0123456789abcdefghij", "0123456789abcdefghij"),
        ("jwt eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl", "eyJzdWIiOiIx"),
        ("bot 123456789:AAabcdefghijklmnopqrstuvwxyz01234", "AAabcdefghijklmnopqrstuvwxyz01234"),
        ("headers {'ACCESS-SIGN': 'q1w2e3', 'ACCESS-PASSPHRASE': 'open sesame'}", "open sesame"),
        ("nonce=0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----", "MHcCAQEE"),
        ("-----BEGIN PRIVATE KEY-----\nMHcCAQEE", "MHcCAQEE"),
        # Another kind takes the name for its value.
        ("AUTH LOGIN BITGET_API_SECRET: 0000000000000000", "0000000000000000"),
        ("Bearer client_secret=q1w2e3r4t5y6", "q1w2e3r4t5y6"),
        ("X-Api-Key: api_key: q1w2e3r4t5y6", "q1w2e3r4t5y6"),
        ("user/pass: client_secret => 'tr0ub4dor-plume'", "tr0ub4dor-plume"),
    ],
)
def test_secrets_of_known_kinds_are_masked(text: str, gone: str) -> None:
    """Whether or not a key names them."""
    assert gone not in masked(text)
    assert MASK in masked(text)
    assert masked(masked(text)) == masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "Rate limit approached: token bucket is empty",
        "order 0123456789 of BTC-USDT at 67706.50",
        "design: fine, assign: x, keyboard: y",
        "password: None",
        "at 16:33:00,312 state=running",
        "http://api.bitget.com/api/v2/spot?symbol=BTCUSDT",
        "Basic usage of the connector",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    """A masked log line nobody can read helps nobody."""
    assert masked(text) == text


@given(st.text(max_size=200))
def test_masking_twice_changes_nothing(text: str) -> None:
    """What is stored masked can be masked again when it is shown."""
    assert masked(masked(text)) == masked(text)


@given(st.text("aA1", max_size=40) | st.text(string.ascii_letters + string.digits + "+/_.~-=", max_size=60))
def test_a_run_is_mixed_where_a_look_at_each_sign_says_so(value: str) -> None:
    """How often case and kind change is counted as text; counted sign by sign it is the same."""
    cases = [char.isupper() for char in value if char.isalpha()]
    kinds = [(char.isdigit(), char.isupper()) for char in value if char.isalnum()]
    swaps = sum(one != other for one, other in pairwise(cases))
    turns = sum(one != other for one, other in pairwise(kinds))
    often = swaps * 7 >= len(value) and turns * 5 >= len(value) * 2
    assert is_mixed(value) == (often and bool(cases) and any(digit for digit, _ in kinds))

"""What a log line means: by its last exception line, then by the exchange's code, then by the wrapper."""

from datetime import timedelta

import pytest

from tests.fakes.sources import NOW, FakeSources
from tests.triage.diagnosis.checks.context import context
from triage.diagnosis.checks import error_logs
from triage.logs.class_table import CLASSES, CODES
from triage.logs.classes import classify

POST = "OSError: Error executing request POST https://api.bitget.com/api/v2/spot/trade/place-order."
HOST = "Cannot connect to host api.bitget.com:443 ssl:default"
SUBMIT = "Failed to submit BUY order to bitget. Check API key and network connection."
LINES = [
    (SUBMIT, "", "order_failed"),
    (SUBMIT, f'{POST} HTTP status is 400. Error: {{"code":"40006","msg":"x"}}', "credentials_refused"),
    (SUBMIT, "OSError: Error: 40762 - Error submitting order…", "insufficient_funds"),
    (SUBMIT, f"{POST} HTTP status is 502. Error: N/A", "exchange_down"),
    (SUBMIT, f'{POST} HTTP status is 400. Error: {{"code":"49999","msg":"x"}}', "exchange_refuses"),
    (SUBMIT, f'{POST} HTTP status is 400. Error: {{"code":"40008","msg":"x"}}', "clock_skew"),
    ("Failed to subscribe to private channels: x (30015)", "", "credentials_refused"),
    ("Failed to cancel order x-40006-40018-y", "", "cancel_failed"),
    ("Failed to cancel order 7 (order not found)", "", "cancel_gone"),
    ("Unexpected error while listening to user stream.", "TimeoutError", "exchange_unreachable"),
    ("Request to /orders timed out after 10 s", "", "exchange_unreachable"),
    ("Timed out waiting for the exchange's reply", "", "exchange_unreachable"),
    ("Unexpected error", f"ClientConnectorError: {HOST} [Name or service not known]", "dns_failure"),
    ("Unexpected error", f"ClientOSError: {HOST} [Too many open files]", "fd_leak"),
    ("Unexpected error", "aiohttp.WSServerHandshakeError: 403, message='x'", "egress_blocked"),
    ("Unexpected error", f"{HOST} [SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate", "tls_failure"),
    ("bus", "redis.exceptions.ConnectionError: Error 111 connecting to r:6379", "redis_unreachable"),
    ("bus", "redis.exceptions.ResponseError: NOGROUP No such key", "redis_lost"),
    ("Failed to start strategy X: 1 validation error for PMMSimpleConfig", "", "invalid_config"),
    ("Unhandled error in background task: x", "TypeError: x", "background_task_dead"),
    ("Unhandled error in background task: x", "OSError: [Errno 28] No space left on device", "disk_full"),
    ("Kill switch threshold reached. Stopping the bot...", "", "pnl_kill_switch"),
    ("API rate limit on /x has almost reached", "", "own_throttle"),
    ("dictionary changed", "RuntimeError: dictionary changed size during iteration", "code_error"),
    ("x", "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)", "code_error"),
    ("x", "PermissionError: [Errno 13] Permission denied: 'logs/minute.csv'", "code_error"),
    ("x", "decimal.DivisionByZero: [<class 'decimal.DivisionByZero'>]", "code_error"),
    ("x", "RuntimeError: Required environment variable EXT_URL is missing", "env_key_missing"),
    ("x", "RuntimeError: can't start new thread", "memory"),
    ("x", "OSError: [Errno 30] Read-only file system: 'logs/minute.csv'", "disk_unwritable"),
    ("x", "(sqlite3.OperationalError) disk I/O error", "disk_unwritable"),
    ("x", "ValueError: Invalid value for leverage in conf/controllers/a.yml", "invalid_config"),
    ("x", "IndentationError: unexpected indent (epp.py, line 9)", "import_error"),
    ("x", f"ClientConnectorError: {HOST} [Try again]", "dns_failure"),
    ("x", f"ClientConnectorError: {HOST} [Network unreachable]", "network_down"),
    ("x", "redis.exceptions.NoPermissionError: this user has no permissions", "redis_refuses"),
    ("x", "redis.exceptions.MasterDownError: MASTERDOWN Link with MASTER is down", "redis_refuses"),
]


SAID = {
    "insufficient_funds": (
        "No account balance",
        "Order quantity is greater than the available balance",
        "Low balance",
    ),
    "exchange_down": (
        "Contract paused",
        "order cannot be placed during settlement",
        "Matching engine is being upgraded. Please try in about 1 minute.",
        "Trading of this pair is paused",
        "endpoint request failed. Please try again",
        "Trading is disabled for this symbol",
        "Trading has not started yet",
    ),
    "order_rejected": (
        "Buy order price cannot be higher than 68012USDT.",
        "the order price deviates from the price of the previous minute by more than 3%",
        "the decimal places of the trading size exceeded the limit",
        "max order quantity",
        "trading volume must be at least 5",
    ),
    "credentials_refused": (
        "invalid authorization",
        "login failure",
        "Signature not valid: Verification failure",
    ),
    "exchange_rate_limit": ("exceeded rate limit", "requested too frequent"),
    "egress_blocked": ("this function is not supported in your country or region",),
    "clock_skew": ("timestamp request expired",),
}
"""Answers of exchanges whose codes no table knows."""


@pytest.mark.parametrize(("name", "said"), [(name, said) for name, all_of in SAID.items() for said in all_of])
def test_an_answer_is_read_by_its_words_whatever_its_code_looks_like(name: str, said: str) -> None:
    """A number nobody wrote down, a word for a code, an answer with a status and one without."""
    for last in (
        f'{POST} HTTP status is 400. Error: {{"code":"35999","msg":"{said}"}}',
        f"OSError: Error: 35999 - Error submitting order: {said}",
        f"OSError: Error: order-refused - Error submitting order: {said}",
    ):
        reading = classify(SUBMIT, last)
        assert reading is not None
        assert (reading.name, reading.generic) == (name, False)


@pytest.mark.parametrize(
    "said",
    ["Please upgrade your account level", "The sub-account was paused by its owner", "Pair is in auction"],
)
def test_a_word_of_an_outage_about_something_else_is_no_outage(said: str) -> None:
    """The exchange itself works: that it fails would be false."""
    reading = classify(SUBMIT, f'{POST} HTTP status is 400. Error: {{"code":"35999","msg":"{said}"}}')
    assert reading is not None
    assert reading.name != "exchange_down"


@pytest.mark.parametrize(("message", "exception", "name"), LINES)
def test_a_line_is_read_for_what_it_says(message: str, exception: str, name: str) -> None:
    """A wrapper blames the key whatever happened: it is believed last."""
    reading = classify(message, exception)
    assert reading is not None
    assert reading.name == name


def test_what_nobody_knows_is_not_read() -> None:
    """A sentence without any of the table's words, and a success with its code."""
    assert classify("The moon is out.") is None
    assert classify("Order X91 timed out in the queue") is None
    assert classify("Timed out waiting for the lock") is None
    assert classify('answer {"code":"00000","msg":"success"}') is None


def test_every_code_has_a_row_of_the_table() -> None:
    """And every row says what to do."""
    assert set(CODES.values()) <= set(CLASSES)
    assert all(row.meaning and row.do for row in CLASSES.values())


async def test_the_check_reads_every_level_before_numbers_are_masked() -> None:
    """A network failure is told at level NETWORK; the generic line beside it is a warning that names the key."""
    sources = FakeSources()
    at = (NOW - timedelta(minutes=3)).strftime("%Y-%m-%d %H:%M:%S,000")
    for level, text in (("NETWORK", "Error submitting order."), ("WARNING", SUBMIT), ("INFO", "fine")):
        sources.logs.add(f"{at} - 7 - hummingbot.connector - {level} - {text}", ago=timedelta(minutes=3))
        if level == "NETWORK":
            sources.logs.add(
                f'{POST} HTTP status is 400. Error: {{"code":"40018","msg":"x"}}',
                ago=timedelta(minutes=3) - timedelta(microseconds=1),
            )
    found = (await error_logs.run(context(sources))).data["bots"]["bot1"]["classes"]
    assert [(each["name"], each["code"], each["fresh"]) for each in found] == [
        ("credentials_refused", "40018", True),
        ("order_failed", "", True),
    ]

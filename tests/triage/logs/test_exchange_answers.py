# ruff: noqa: E501 - lines as they are logged
"""What several exchanges answer, in their own words, and what Python's libraries say on the way to them."""

import pytest

from triage.logs.classes import classify

HTTP = "OSError: Error executing request POST https://api.bitget.com/api/v2/spot/trade/place-order. HTTP status is"


def http(status: int, code: str, text: str) -> str:
    """Return an answer with an HTTP error as the connector logs it."""
    return (
        f'{HTTP} {status}. Error: {{"code":"{code}","msg":"{text}","requestTime":1772734500000,"data":null}}'
    )


def body(code: str, text: str) -> str:
    """Return an answer whose code says no, with HTTP status 200."""
    return f"OSError: Error: {code} - Error submitting order: {text}"


LINES: list[tuple[str, str]] = [
    ("order_rejected", http(400, "45035", "Price step mismatch")),
    ("order_rejected", http(400, "-4003", "Quantity less than or equal to zero.")),
    ("order_refused", body("110017", "Reduce-only rule not satisfied")),
    ("order_refused", http(400, "-2010", "Order would immediately match and take.")),
    (
        "order_refused",
        http(400, "-5022", "could not be executed as maker, the Post Only order will be rejected."),
    ),
    ("order_rejected", http(400, "43011", "The parameter does not meet the specification delegateCount")),
    ("insufficient_funds", http(400, "40711", "The available amount of margin coin is not sufficient")),
    ("exchange_down", http(400, "-1121", "Invalid symbol.")),
    ("exchange_down", body("51001", "Instrument ID does not exist.")),
    ("position_mode", body("51000", "Parameter posSide error")),
    ("account_mode", body("51010", "Operation is not supported under the current account mode.")),
    ("credentials_refused", http(401, "50111", "Invalid OK-ACCESS-KEY")),
    ("credentials_refused", http(401, "50113", "Invalid Sign")),
    ("credentials_refused", http(401, "50105", "OK-ACCESS-PASSPHRASE incorrect")),
    ("credentials_refused", body("50110", "Your IP 1.2.3.4 is not included in your API key's IP whitelist")),
    ("credentials_refused", http(401, "-2015", "Invalid API-key, IP, or permissions for action.")),
    ("credentials_refused", http(400, "-2014", "API-key format invalid.")),
    ("credentials_refused", http(400, "-1022", "Signature for this request is not valid.")),
    ("credentials_refused", body("400003", "KC-API-KEY not exists")),
    ("credentials_refused", body("400005", "Invalid KC-API-SIGN")),
    ("credentials_refused", body("400004", "KC-API-PASSPHRASE error")),
    ("credentials_refused", body("400006", "The requested ip address is not in the api whitelist")),
    ("credentials_refused", body("400007", "Access denied--> Require more permission.")),
    ("credentials_refused", body("10003", "API key is invalid.")),
    ("credentials_refused", body("10004", "error sign! origin_string[1772]")),
    ("credentials_refused", body("10010", "Unmatched IP, please check your API key's bound IP addresses.")),
    ("credentials_refused", body("33004", "Your api key has expired.")),
    ("credentials_refused", "OSError: Error: ['EAPI:Invalid key']"),
    ("credentials_refused", "OSError: Error: ['EAPI:Invalid signature']"),
    ("credentials_refused", "OSError: Error: ['EGeneral:Permission denied']"),
    (
        "credentials_refused",
        'OSError: Error executing request GET https://x. HTTP status is 403. Error: {"label":"INVALID_KEY","message":"Invalid key provided"}',
    ),
    (
        "credentials_refused",
        'OSError: Error executing request GET https://x. HTTP status is 401. Error: {"label":"INVALID_SIGNATURE","message":"Signature mismatch"}',
    ),
    (
        "credentials_refused",
        "OSError: Error executing request GET https://x. HTTP status is 401. Error: Unauthorized",
    ),
    ("credentials_refused", "ValueError: Invalid signature. The api secret has been revoked"),
    ("clock_skew", http(401, "50102", "Timestamp request expired")),
    ("clock_skew", http(401, "50112", "Invalid OK-ACCESS-TIMESTAMP")),
    ("clock_skew", http(400, "-1021", "Timestamp for this request was 1000ms ahead of the server's time.")),
    ("clock_skew", http(400, "-1021", "Timestamp for this request is outside of the recvWindow.")),
    ("clock_skew", body("400002", "KC-API-TIMESTAMP Invalid")),
    ("clock_skew", body("10002", "invalid request, please check your server timestamp or recv_window param")),
    ("clock_skew", "OSError: Error: ['EAPI:Invalid nonce']"),
    ("clock_skew", http(400, "40005", "Invalid ACCESS_TIMESTAMP")),
    (
        "clock_skew",
        'OSError: Error executing request GET https://x. HTTP status is 403. Error: {"label":"REQUEST_EXPIRED","message":"gap between request Timestamp and server time exceeds 60"}',
    ),
    ("insufficient_funds", body("51008", "Order failed. Insufficient USDT balance in account")),
    ("insufficient_funds", body("200004", "Balance insufficient!")),
    ("insufficient_funds", http(400, "-2010", "Account has insufficient balance for requested action.")),
    ("insufficient_funds", body("-2019", "Margin is insufficient.")),
    ("insufficient_funds", body("170131", "Balance insufficient.")),
    ("insufficient_funds", body("110007", "ab not enough for new order")),
    ("insufficient_funds", "OSError: Error: ['EOrder:Insufficient funds']"),
    (
        "insufficient_funds",
        'OSError: Error executing request POST https://x. HTTP status is 400. Error: {"label":"BALANCE_NOT_ENOUGH","message":"Not enough balance"}',
    ),
    ("insufficient_funds", http(400, "43012", "Insufficient balance")),
    ("order_rejected", http(400, "-1013", "Filter failure: NOTIONAL")),
    ("order_rejected", http(400, "-1013", "Filter failure: LOT_SIZE")),
    ("order_rejected", http(400, "-1111", "Precision is over the maximum defined for this asset.")),
    ("order_rejected", body("51020", "Your order should meet or exceed the minimum order amount.")),
    ("order_rejected", body("51121", "Order quantity must be a multiple of the lot size.")),
    ("order_rejected", body("170140", "Order value exceeded lower limit.")),
    ("order_rejected", body("170137", "Order volume decimal too long.")),
    ("order_rejected", body("400100", "Order size below the minimum requirement")),
    ("order_rejected", body("400100", "Order size increment invalid.")),
    ("order_rejected", "OSError: Error: ['EOrder:Order minimum not met']"),
    (
        "order_rejected",
        "OSError: Error: ['EOrder:Invalid price:XBTUSDT price can only be specified up to 1 decimals.']",
    ),
    ("order_rejected", http(400, "45111", "less than the minimum order quantity")),
    (
        "order_rejected",
        "Order amount 0.00001 is lower than minimum order size 0.0001 for the pair BTC-USDT. The order will not be created.",
    ),
    ("exchange_rate_limit", http(429, "50011", "Requests too frequent.")),
    (
        "exchange_rate_limit",
        body(
            "50011",
            "Rate limit reached. Please refer to API documentation and throttle requests accordingly.",
        ),
    ),
    (
        "exchange_rate_limit",
        http(418, "-1003", "Way too much request weight used; IP banned until 1772734500000."),
    ),
    (
        "exchange_rate_limit",
        http(
            429, "-1003", "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."
        ),
    ),
    (
        "exchange_rate_limit",
        http(400, "-1015", "Too many new orders; current limit is 100 orders per 10 SECOND."),
    ),
    ("exchange_rate_limit", body("10006", "Too many visits. Exceeded the API Rate Limit.")),
    ("exchange_rate_limit", body("429000", "Too Many Requests")),
    ("exchange_rate_limit", "OSError: Error: ['EAPI:Rate limit exceeded']"),
    ("exchange_rate_limit", "OSError: Error: ['EOrder:Rate limit exceeded']"),
    ("exchange_down", body("50001", "Service temporarily unavailable. Try again later")),
    ("exchange_down", body("10016", "Server error.")),
    ("exchange_down", body("50013", "Systems are busy. Please try again later.")),
    ("exchange_down", body("50026", "System error. Try again later")),
    ("exchange_down", "OSError: Error: ['EService:Unavailable']"),
    ("exchange_down", "OSError: Error: ['EService:Busy']"),
    ("exchange_down", "OSError: Error: ['EService:Market in cancel_only mode']"),
    (
        "exchange_down",
        http(400, "-1001", "Internal error; unable to process your request. Please try again."),
    ),
    ("exchange_down", http(400, "-1016", "This service is no longer available.")),
    ("exchange_down", http(503, "N/A", "Service Unavailable")),
    ("exchange_down", "OSError: Error executing request GET https://x. HTTP status is 522. Error: N/A"),
    ("exchange_down", http(400, "40015", "System is abnormal, please try again later")),
    ("exchange_down", http(400, "-1013", "Market is closed.")),
    ("exchange_down", body("51021", "Instrument is suspended, trading halted")),
    ("exchange_down", body("200000", "trading pair is under maintenance")),
    (
        "egress_blocked",
        "aiohttp.client_exceptions.WSServerHandshakeError: 403, message='Invalid response status'",
    ),
    (
        "egress_blocked",
        'OSError: Error executing request GET https://x. HTTP status is 451. Error: {"code":0,"msg":"Service unavailable from a restricted location according to our terms."}',
    ),
    (
        "egress_blocked",
        "OSError: Error executing request GET https://api.bitget.com/api/v2/public/time. HTTP status is 403. Error: N/A",
    ),
    (
        "account_mode",
        http(
            400,
            "40085",
            "You are in Unified Account mode, and the Classic Account API is not supported at this time",
        ),
    ),
    ("account_mode", "OSError: Error: You are in Unified Account mode"),
    (
        "position_mode",
        http(
            400, "40774", "The order type for unilateral position must also be the unilateral position type."
        ),
    ),
    ("position_mode", http(400, "-4061", "Order's position side does not match user's setting.")),
    ("position_mode", body("10001", "position idx not match position mode")),
    ("env_key_missing", "RuntimeError: Required environment variable BITGET_API_SECRET is missing"),
    ("env_key_missing", "KeyError: 'EXT_SIGNAL_RISK_ENABLED'"),
    ("env_key_missing", "ValueError: environment variable REDIS_HOST must be set"),
    ("env_key_missing", 'The "REDIS_PASSWORD" variable is not set. Defaulting to a blank string.'),
    ("env_key_missing", "RuntimeError: BITGET_PASSPHRASE is not set"),
    ("code_error", "KeyError: 'mid_price'"),
    ("code_error", "KeyError: 'BTC-USDT'"),
    ("code_error", "AttributeError: 'NoneType' object has no attribute 'mid_price'"),
    ("code_error", "decimal.InvalidOperation: [<class 'decimal.DivisionUndefined'>]"),
    (
        "tls_failure",
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)",
    ),
    (
        "tls_failure",
        "aiohttp.client_exceptions.ClientConnectorSSLError: Cannot connect to host api.bitget.com:443 ssl:default [[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)]",
    ),
    (
        "dns_failure",
        "aiohttp.client_exceptions.ClientConnectorDNSError: Cannot connect to host api.bitget.com:443 ssl:default [Temporary failure in name resolution]",
    ),
    (
        "dns_failure",
        "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host api.bitget.com:443 ssl:default [No address associated with hostname]",
    ),
    (
        "dns_failure",
        "aiohttp.client_exceptions.ClientConnectorDNSError: Cannot connect to host api.bitget.com:443 ssl:default [Could not contact DNS servers]",
    ),
    (
        "dns_failure",
        "aiohttp.client_exceptions.ClientConnectorDNSError: Cannot connect to host api.bitget.com:443 ssl:default [Timeout while contacting DNS servers]",
    ),
    (
        "dns_failure",
        "aiohttp.client_exceptions.ClientConnectorDNSError: Cannot connect to host api.bitget.com:443 ssl:default [Domain name not found]",
    ),
    (
        "dns_failure",
        "aiohttp.client_exceptions.ClientConnectorDNSError: Cannot connect to host api.bitget.com:443 ssl:default [DNS server returned general failure]",
    ),
    ("network_down", "OSError: [Errno 101] Network is unreachable"),
    (
        "network_down",
        "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host api.bitget.com:443 ssl:default [No route to host]",
    ),
    (
        "exchange_unreachable",
        "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host api.bitget.com:443 ssl:default [Connect call failed ('104.18.13.21', 443)]",
    ),
    ("exchange_unreachable", "TimeoutError"),
    (
        "exchange_unreachable",
        "aiohttp.client_exceptions.ServerTimeoutError: Connection timeout to host https://api.bitget.com",
    ),
    ("exchange_unreachable", "ConnectionResetError: [Errno 104] Connection reset by peer"),
    (
        "exchange_unreachable",
        "aiohttp.client_exceptions.ClientPayloadError: Response payload is not completed",
    ),
    ("stream_closed", "ConnectionError: Message receive timed out."),
    ("fd_leak", "OSError: [Errno 24] Too many open files: '/home/hummingbot/logs/x'"),
    ("disk_full", "OSError: [Errno 28] No space left on device"),
    ("disk_full", "sqlite3.OperationalError: database or disk is full"),
    ("database_locked", "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked"),
    ("invalid_config", "pydantic_core._pydantic_core.ValidationError: 1 validation error for EppV24Config"),
    ("invalid_config", "yaml.scanner.ScannerError: mapping values are not allowed here"),
    ("invalid_config", "yaml.parser.ParserError: while parsing a block mapping"),
    ("import_error", "ModuleNotFoundError: No module named 'pandas_ta'"),
    ("import_error", "ImportError: cannot import name 'MarketMakingControllerBase' from 'controllers'"),
    ("memory", "MemoryError"),
    (
        "redis_unreachable",
        "redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.",
    ),
    ("redis_unreachable", "redis.exceptions.TimeoutError: Timeout reading from socket"),
    ("redis_refuses", "redis.exceptions.ReadOnlyError: You can't write against a read only replica."),
    (
        "redis_refuses",
        "redis.exceptions.ResponseError: MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    ),
    (
        "redis_refuses",
        "redis.exceptions.OutOfMemoryError: command not allowed when used memory > 'maxmemory'.",
    ),
    (
        "redis_refuses",
        "redis.exceptions.AuthenticationError: invalid username-password pair or user is disabled.",
    ),
    (
        "redis_lost",
        "redis.exceptions.ResponseError: NOGROUP No such key 'hb.signal.v1' or consumer group 'hb_group_v1' in XREADGROUP with GROUP option",
    ),
]


@pytest.mark.parametrize(("name", "text"), LINES)
def test_an_answer_is_read_for_what_it_says(name: str, text: str) -> None:
    """As the last line of a traceback below a wrapper that blames something else, and alone."""
    for reading in (classify("Unexpected error.", text), classify(text)):
        assert reading is not None
        assert reading.name == name


@pytest.mark.parametrize(
    "text",
    [
        "State soft_pause: edge_gate_blocked",
        "Signal rejected: net_edge_below_minimum",
        "NetworkStatus.CONNECTED. Starting networking...",
        "Fee source: EXCHANGE_API is set",
        "trading rule minimum notional 5 loaded",
        "Loaded config: {'code': 7, 'min_value': 3}",
        "order 400061 cancelled",
        "Telegram said: chat 44 gone, giving up on message",
    ],
)
def test_loose_words_count_only_inside_an_answer(text: str) -> None:
    """A usual line with such words in it is read as nothing."""
    assert classify(text) is None


def test_the_words_around_an_answer_are_not_the_answer() -> None:
    """What was asked for ("server time") is named by the wrapper; the exchange said that we ask too much."""
    line = f"Could not refresh server time. Check network connection. {http(418, '-1003', 'Too much request weight used')}"
    reading = classify(line)
    assert reading is not None
    assert (reading.name, reading.code) == ("exchange_rate_limit", "-1003")


def test_the_code_of_whatever_exchange_is_kept() -> None:
    """It is what one looks up."""
    reading = classify("Failed to submit", http(401, "50111", "Invalid OK-ACCESS-KEY"))
    assert reading is not None
    assert reading.code == "50111"


SHAPES: list[tuple[str, str, str]] = [
    # what a field is called and which path was asked are no words of the answer
    (
        "exchange_down",
        "500",
        f'{HTTP} 500. Error: {{"timestamp":"2026-07-30T05:27:17.1Z","status":500,"error":"Internal Server Error","path":"/api/v2/x"}}',
    ),
    # a sentence before its code, and fields of other names
    (
        "order_rejected",
        "400100",
        "OSError: {'msg': 'Order size below the minimum requirement.', 'code': '400100'}",
    ),
    (
        "order_rejected",
        "170140",
        "OSError: {'retCode': 170140, 'retMsg': 'Order value exceeded lower limit.', 'result': {}, 'time': 17}",
    ),
    (
        "insufficient_funds",
        "51008",
        "OSError: {'code': '1', 'data': [{'sCode': '51008', 'sMsg': 'Insufficient USDT balance in account.'}], 'msg': 'failed'}",
    ),
    (
        "order_refused",
        "POC_FILL_IMMEDIATELY",
        f'{HTTP} 400. Error: {{"label":"POC_FILL_IMMEDIATELY","message":"POC order will fill immediately"}}',
    ),
    ("exchange_rate_limit", "EGeneral:Temporary lockout", "OSError: {'error': ['EGeneral:Temporary lockout']}"),
    # a word that means something else beside another one
    ("credentials_refused", "50030", http(400, "50030", "Insufficient permissions for this operation")),
    ("credentials_refused", "35998", http(400, "35998", "Your API key has been suspended")),
    ("credentials_refused", "35994", http(400, "35994", "API key permissions: value must be READ or TRADE")),
    ("exchange_refuses", "35999", http(400, "35999", "Insufficient liquidity in the book")),
    ("exchange_rate_limit", "35995", http(400, "35995", "The amount of requests is higher than allowed")),
    ("account_restricted", "30029", http(400, "30029", "account suspended")),
    ("account_restricted", "40035", http(400, "40035", "you are required to complete KYC first")),
    # one code, several meanings: its words tell
    ("parameter_refused", "40808", http(400, "40808", "Parameter verification exception margin mode == FIXED")),
    ("parameter_refused", "40808", http(400, "40808", "Parameter verification exception clientOid")),
    ("parameter_refused", "-1102", body("-1102", "Mandatory parameter 'stopPx' was not sent, was empty/null, or malformed.")),
    ("parameter_refused", "10001", body("10001", "params error: category is required")),
    ("order_rejected", "40808", http(400, "40808", "Parameter verification exception size checkBDScale error value=1")),
    ("order_refused", "43005", http(400, "43005", "Exceed the maximum number of orders")),
    ("order_refused", "40786", http(400, "40786", "Duplicate clientOid")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code", "text"), SHAPES)
def test_an_answer_of_another_shape_is_read_with_its_code(name: str, code: str, text: str) -> None:
    """Only what the exchange says counts, wherever in its answer it stands."""
    reading = classify("Failed to submit", text)
    assert reading is not None
    assert (reading.name, reading.code) == (name, code)


@pytest.mark.parametrize(
    ("message", "exception", "logger"),
    [
        ("Couldn't fetch newest prices from https://api.coingecko.com. HTTP status is 429. Error: x", "", ""),
        ("Unexpected error.", "OSError: HTTP status is 401. Error: Unauthorized", "hummingbot.notifier.telegram"),
        ("Failed to reach the MQTT broker", "ConnectionRefusedError: Connect call failed ('10.0.0.9', 1883)", ""),
        ("x", "psycopg2.OperationalError: connection to server, port 5432 failed: Connection refused", ""),
    ],
)  # fmt: skip
def test_who_is_not_the_exchange_says_nothing_of_the_exchange(
    message: str, exception: str, logger: str
) -> None:
    """A price source that limits us, a notifier, a broker, a database."""
    reading = classify(message, exception, logger)
    assert reading is not None
    assert reading.name == "elsewhere"


@pytest.mark.parametrize(
    "message",
    [
        "Connection to Redis restored",
        "reconnected after connection lost",
        "Position mode switched to ONEWAY.",
    ],
)
def test_what_works_again_is_no_trouble(message: str) -> None:
    """It names what was; that it could not be done is trouble all the same."""
    reading = classify(message)
    assert reading is None or reading.name == "benign"
    failed = classify(f"Error: connection to Redis could not be re-established: {message}")
    assert failed is not None
    assert failed.name == "redis_unreachable"


def test_the_watches_of_the_host_are_no_full_disk() -> None:
    """The kernel gives one number for both."""
    reading = classify("x", "OSError: [Errno 28] inotify watch limit reached")
    assert reading is not None
    assert reading.name == "watch_limit"

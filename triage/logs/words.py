# ruff: noqa: E501 - a table's rows
"""The words that tell what a log line means: an exception's, an exchange's answer's, a line's, a wrapper's.

In this order of trust (see ``classes``). The answers are worded as several exchanges word them: a desk that moves
to another one reads its refusals all the same. Loose words ("invalid key") count only inside an answer.
"""

from __future__ import annotations

import re


def _rules(*pairs: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), name) for pattern, name in pairs)


FIRST = _rules(
    (r"inotify", "watch_limit"),
    (r"too many open files|\[Errno 24\]", "fd_leak"),
    (r"read-only file ?system|\[Errno 30\]|input/output error|\[Errno 5\]|disk i/o error|stale (?:nfs )?file handle|structure needs cleaning", "disk_unwritable"),
    (r"no space left on device|\[Errno 28\]|disk quota exceeded|database or disk is full", "disk_full"),
    (r"NOGROUP|no such key .{0,60}consumer group", "redis_lost"),
    ((r"\bREADONLY You can.t write|MISCONF Redis|OOM command not allowed|Redis is loading|BusyLoadingError|ReadOnlyError|max number of clients"
     r"|redis\S{0,40}(?:OutOfMemory|Authentication|NoPermission|ClusterDown|MasterDown)Error|\bWRONGPASS\b|\bNOAUTH\b|\bNOPERM\b|\bNOREPLICAS\b|\bMASTERDOWN\b|\bCLUSTERDOWN\b"),
     "redis_refuses"),
    ((r"redis\S{0,40}(?:ConnectionError|TimeoutError)|connecting to \S{0,60}:6379|redis.{0,60}(?:refused|unreachable|timed? out|lost|does not answer|name or service)"
     r"|(?:connect|connection).{0,40}redis"), "redis_unreachable"),
    (r"certificate.?verify.?failed|self.signed certificate|certificate has expired|certificate is not yet valid|unable to get local issuer|IP address mismatch|hostname mismatch|SSLCertVerificationError|\[SSL: \w+\]|ClientConnectorSSLError",
     "tls_failure"),
    ((r"name or service not known|temporary failure in name resolution|getaddrinfo failed|nodename nor servname|no address associated with hostname"
     r"|ClientConnectorDNSError|NameResolutionError|failed to resolve|ssl:\S+ \[try again\]|contact(?:ing)? DNS servers?|DNS server returned|domain name not found"),
     "dns_failure"),
    (r"network (?:is )?(?:unreachable|down)\b|no route to host|\[Errno 101\]|\[Errno 113\]", "network_down"),
    (r"\bMemoryError\b|cannot allocate memory|unable to allocate \d|can.t start new thread|\[Errno 12\]|out of memory", "memory"),
    (r"database is locked|database table is locked", "database_locked"),
    (r"unhandled error in background task|task exception was never retrieved", "background_task_dead"),
)  # fmt: skip
"""What an exception's own words say beyond doubt."""

_THEIRS = r"(?:api[-_ ]?key|access[-_ ]?key|(?<![a-z])key\b|(?<![a-z])sign(?:ature)?\b|passphrase|secret)"
_UNFIT = r"(?:invalid|incorrect|wrong|error|mismatch|expired|not exists?|not valid|does not exist|unknown|revoked|disabled|deleted|suspended|frozen|fail(?:ed|ure)?\b|cannot be empty|permission)"
_SIZES = r"(?:price|size|amount|quantity|qty|volume|value|notional|leverage|contracts?)"

ANSWERS = _rules(
    (r"restricted (?:location|region|country)|(?:un|not )(?:available|supported|allowed|permitted) (?:in|from|for) your|your (?:region|country|location|jurisdiction).{0,30}(?:restrict|not |block|prohibit|ban)|unavailable in your", "egress_blocked"),
    # the clock before the key: some exchanges refuse an old timestamp with 401 or 403
    (r"timestamp|recv.?window|\bnonce\b|request.?expired|server time", "clock_skew"),
    (
        r"too many (?:requests|visits|new orders|orders\b(?! open))|too frequent|rate.?limit|request weight|throttl|ip banned|banned until|requests? .{0,20}(?:exceed|higher|over|more)|slow down|temporary lockout|too fast",
        "exchange_rate_limit",
    ),
    (rf"{_THEIRS}.{{0,30}}{_UNFIT}|{_UNFIT}.{{0,30}}{_THEIRS}|insufficient (?:\w+ )?(?:permission|privilege|right|scope)s?\b", "credentials_refused"),
    (
        r"(?:account|user)(?:'s)?(?: status)? (?:is |has been |was )?(?:being )?(?:temporarily )?(?:suspended|frozen|locked|banned|restricted|deactivated|cancelled|disabled|blocked|abnormal)|\bKYC\b|identity verification|risk.?control|real.?name|(?:forbidden|prohibited|not (?:allowed|permitted)|restricted) (?:for|to|on) (?:your|this|the) (?:sub.?)?account|contact customer (?:service|support)",
        "account_restricted",
    ),
    (r"unified account|classic account|UTA\b|current account mode", "account_mode"),
    (r"pos(?:ition)?.?(?:mode|side|idx)\b|unilateral position|hedge.?mode|one.?way", "position_mode"),
    (
        (
            r"insufficient(?! (?:\w+ )?(?:liquidity|depth|time|data|access|volume in))|(?:exceed|greater|more|larger|higher)\w* (?:than )?(?:the |your )?available|not.?enough|not sufficient|not have enough|exceeds? (?:the )?(?:(?:account|available|free)(?:'s)? )?(?:balance|funds|margin)|balance (?:is )?(?:too low|short|zero|negative|empty)"
            r"|lack of (?:funds|balance)|(?:no|negative|low|zero) (?:account |available |loan |free )?(?:balance|funds)\b|(?:less|lower) than (?:the )?(?:available|free)|buying power|margin (?:ratio |level )?(?:is |would be )?(?:too low|lower than|below)|cannot afford|over.?draft"
        ),
        "insufficient_funds",
    ),
    (
        (
            r"maintenance|unavailable|system is abnormal|abnormal,? please|try again later|systems? (?:are |is )?busy|service:?\s?busy|EService:|(?:server|system|internal) (?:error|busy)"
            r"|no longer available|(?:symbol|instrument(?: id)?|trading pair|currency pair)s? (?:is |does )?(?:invalid|unknown|not (?:exist|found|support))|(?:invalid|unknown) (?:symbol|instrument|trading pair)|overloaded|market is closed|cancel.?only|suspend|trading halted|halted|not open for trading|delist|offline|bad gateway|gateway.{0,12}(?:time|error|unavail)"
            r"|(?:system|server|service|platform|exchange|engine|network)s?\b.{0,25}upgrad|upgrading|upgrade in progress|(?:being|is|are) upgraded|under(?:going)? (?:an )?upgrade"
            r"|(?:trading|market|symbol|pair|contract|instrument|matching|service|deposit|order)s?\b.{0,25}\bpaused|settling|(?:in|during|under) (?:settlement|delivery)|settlement in progress|(?:trading|market|symbol|contract|pair|session) (?:is |are |has been |was )?(?:temporarily )?(?:closed|disabled|prohibited|stopped|locked|not (?:yet )?(?:allowed|started|tradable|tradeable|supported|enabled|available|listed))"
            r"|untrad(?:e)?able|trading (?:has )?not (?:yet )?started|(?:contract|instrument|symbol|pair) status|out of service|(?:service|system|server|node|network|engine|endpoint) (?:is )?(?:temporarily )?(?:not available|busy|down|stopped|under)|request failed\.? please try|ring.?balancer|backend (?:time.?out|error)|pre.?open|circuit.?breaker|time.?out waiting for .{0,30}(?:backend|server)"
        ),
        "exchange_down",
    ),
    (
        (
            r"(?:allowable|max(?:imum)?) (?:open )?(?:position|holding)|(?:purchase|holding|position|buy|sell) limit|upper limit for holding|immediately match|fill immediately|post.?only|as (?:a )?maker|limit.?maker|(?<!choose )reduce.?only|duplicate|already (?:used|exists?)|MAX_NUM_\w*ORDERS|(?:open|unfilled|pending|active|number of) orders?\b.{0,30}(?:limit|count|quantity|exceed|too (?:high|many)|maximum)"
            r"|(?:exceed|max|limit)\w*.{0,30}(?:number of|open|unfilled|pending|active) orders|too many open"
        ),
        "order_refused",
    ),
    (
        (
            rf"filter failure|precision|BDScale|lot.?size|tick.?size|notional|(?:min|max)imum\b.{{0,40}}(?:order|trad(?:e|ing|ion|action)\b|transaction|{_SIZES}|requirement|not met|\d|allow)|(?:order|{_SIZES})s?\b.{{0,60}}(?:min|max)imum|too (?:small|large)|lower limit|upper limit|increment|decimals?\b"
            rf"|multiple of|below the min|less than the min|invalid {_SIZES}|{_SIZES}.{{0,3}}(?:step|invalid|is invalid)|less than or equal to zero|filter limit|mark price|max (?:can )?open|not meet the specification|price (?:scale|limit|range|band)"
            rf"|{_SIZES}\b.{{0,40}}(?:higher|lower|greater|larger|smaller|less|more|above|below|deviat|exceed|outside|out of|not within|not in|too (?:high|low|big)|at least|at most|cannot be|must be|should be|incorrect|illegal|wrong)"
            rf"|(?:incorrect|illegal|wrong|bad) (?:order )?{_SIZES}|exceed\w* (?:the )?(?:max|order|position|limit|current tier)|meet or exceed|max(?:imum|\.)? (?:order|position|quantity|amount|size)|decimal places|trailing digits"
        ),
        "order_rejected",
    ),
    (r"unauthori[sz]ed|authentication fail|permission|access denied|(?:login|log.?in|auth\w*|api validation|key validation) (?:is )?fail|(?:invalid|wrong|missing|expired) (?:authori[sz]ation|login|token|credentials?)|(?:user|account) (?:does not|doesn't|not) exist", "credentials_refused"),
    (r"ip (?:address )?.{0,40}(?:not (?:in|allowed|included)|white.?list)|unmatched ip|bound ip|white.?list", "credentials_refused"),
    (
        (
            r"\bparam(?:eter)?s?\b.{0,40}?\b(?:verif\w+|illegal|invalid|errors?|missing|malformed|mandatory|required|empty|incorrect|wrong|exception|not sent)"
            r"|\b(?:illegal|invalid|missing|mandatory|malformed|wrong|unknown|unexpected|incorrect) (?:[\w']+ ){0,2}param(?:eter)?s?\b"
        ),
        "parameter_refused",
    ),
)  # fmt: skip
"""What an exchange's answer says; read only inside an answer (``answered``)."""

_ANSWER = re.compile(
    r"HTTP status is \d{3}|\bError: (?:-?\d{3,6} ?-|[A-Za-z][\w.-]{2,60} - Error )|\bE(?:API|Order|General|Service|Trade|Funding|Query):"
    r"|\{[^{}]{0,300}?[\"'](?:ret|s|err(?:or)?[-_]?)?code[\"']\s*:|[\"'](?:ret|s|err(?:or)?[-_]?)?code[\"']?\s*:|[\"']label[\"']\s*:\s*[\"'][A-Z][A-Z_]{3,40}[\"']",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\b(?:https?|wss?)://\S+|(?<![\w:])(?:/[\w.{}-]+){2,}|[\"'][A-Za-z][\w-]{0,40}[\"']\s*:(?=\s*[\"'\[{\d-])"
)
"""What was asked (an address, a path) and what an answer's fields are called: neither is what it says."""


def answered(text: str) -> str:
    """Return what an exchange answered, without what was asked of it and the names of its fields; empty without any."""
    return _ASKED.sub(" ", answered_raw(text))


def answered_raw(text: str) -> str:
    """Return an exchange's answer as it came; empty where a text holds none."""
    found = _ANSWER.search(text)
    return text[found.start() :] if found is not None else ""


_SAYS = re.compile(
    r"[\"'](?:ret_?|s|err(?:or)?[-_]?)?m(?:sg|essage)[\"']\s*:\s*(?:\"(?P<a>[^\"]{3,300})\"|'(?P<b>[^']{3,300})')",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """Return the sentence that an exchange answered, without the request around it; the text as it is where there is none."""
    found = list(_SAYS.finditer(answered_raw(text)))
    return str(found[0]["a"] or found[0]["b"]) if found else text


_FAILS = r"\b(?:not|no|un\w+|fail\w*|errors?|cannot|can.t|could|until|before|never|waiting|retry\w*|again)\b"
_IS_WELL = re.compile(
    r"\b(?:re-?connected|re-?established|restored|recovered|back online|is back|succeeded|successfully|now connected|connected to"
    r"|connection (?:to .{0,40} ?)?(?:is )?(?:ok|up|established)|(?:mode )?switched to)\b",
    re.IGNORECASE,
)
_IS_NOT = re.compile(_FAILS, re.IGNORECASE)


def tells_of_recovery(text: str) -> bool:
    """Say whether a line tells that something works again, and of nothing that does not."""
    return _IS_WELL.search(text) is not None and _IS_NOT.search(text) is None


_OUTSIDERS = re.compile(
    r"telegram|\bslack\b|discord|pagerduty|\bwebhook|notifier|coin_?gecko|coin_?cap\b|coinmarketcap|rate_oracle|rate oracle|rate source|newest prices"
    r"|\bmqtt\b|[:,] ?1883\b|psycopg|postgres|port 5432|:5432\b|influxdb|sentry",
    re.IGNORECASE,
)


def about_others(*texts: str) -> bool:
    """Say whether a record is about a request to somebody who is not the exchange: a price source, a notifier, a database."""
    return any(_OUTSIDERS.search(text) is not None for text in texts)


_ON_THE_WAY = (
    r"\b(?:connect\w*|sockets?|web ?sockets?|wss?|streams?|requests?|respon\w+|repl(?:y|ies)|answers?|fetch\w*|download\w*|handshake|p[io]ng|read\w*"
    r"|receiv\w*|server|host|https?|url|api|rest|exchange|endpoint|network|gateway|proxy|poll\w*|subscri\w*|heartbeat|upstream|dial|feed|session|GET|POST)\b"
)
_INSIDE = r"\b(?:queues?|lock|semaphore|thread|worker|shutdown|shutting down|approval|confirmation by)\b"
"""What times out on the way to somebody else, and what does so in the bot itself."""

WORDS = _rules(
    ((r"invalid access.?key|apikey does not exist|api.?key (?:is )?(?:invalid|expired|incorrect)|invalid api.?key|sign(?:ature)? (?:signature )?error"
     r"|(?:websocket|stream|socket|channel|connection)\b.{0,40}(?:authentication|login) (?:has )?fail|invalid signature|passphrase (?:is )?(?:error|incorrect|wrong)|incorrect permissions?|invalid ip\b|ip.{0,20}not in.{0,20}whitelist"), "credentials_refused"),
    (r"request timestamp expired|timestamp for this request|recvwindow|invalid timestamp|error getting server time", "clock_skew"),
    (r"too many requests|rate limit exceeded|request too frequent", "exchange_rate_limit"),
    (r"insufficient (?:balance|margin|funds)|balance (?:is )?(?:insufficient|not enough)|not enough (?:budget|balance|margin)",
     "insufficient_funds"),
    (r"order notional.{0,80}lower than minimum|order amount.{0,80}lower than minimum|checkBDScale|less than the minimum (?:order|amount)|price (?:scale|precision)",
     "order_rejected"),
    (r"in unified account mode|classic account api is not supported", "account_mode"),
    (r"failed to set position mode|position mode|unilateral position", "position_mode"),
    (r"system (?:is )?under maintenance|system maintenance|service unavailable|bad gateway|gateway time-?out|internal server error|unexpected mimetype",
     "exchange_down"),
    (r"yaml\.(?:scanner|parser|constructor|composer)\.\w+Error|\b(?:Scanner|Parser)Error: |validation errors? for \w+|extra inputs are not permitted|extra_forbidden|failed to load config file|field required",
     "invalid_config"),
    ((r"variable is not set|environment variable.{0,60}(?:missing|not set|required|must be set|undefined|empty)|invalid password|missing required env"
     r"|(?-i:\b[A-Z][A-Z0-9]*_[A-Z0-9_]{2,}\b)['\"`]? (?:(?:is |was )?(?:not set|unset|missing|required|empty|undefined|not defined)|(?:must|has to) be set)"
     r"|KeyError: ['\"](?-i:[A-Z0-9]*_?(?:API|KEY|SECRET|TOKEN|PASS\w*|URL|HOST|PORT|ENABLED|PATH|DSN|ENV|CONFIG|MODE|IMAGE|REDIS|EXT)(?:_[A-Z0-9_]+)?)['\"]"), "env_key_missing"),
    (r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+ not found\. Declare it as envvar", "env_key_missing"),
    (r"(?:Value|Key|Type)Error: .{0,120}\bconf/\S+\.ya?ml", "invalid_config"),
    (r"error adding controller|does not contain any subclass", "invalid_config"),
    (r"ImportError|ModuleNotFoundError|cannot import name|No module named|SyntaxError|IndentationError|TabError|bad magic number", "import_error"),
    (r"kill switch threshold reached|reached max drawdown|global drawdown reached", "pnl_kill_switch"),
    (r"will be considered lost", "lost_order"),
    (r"failed to cancel order .{0,80}\(order not found\)", "cancel_gone"),
    ((r"unexpected keyword argument|has no attribute|missing \d+ required positional|\b(?:TypeError|AttributeError|NameError|KeyError|IndexError|ValueError"
     r"|ZeroDivisionError|UnboundLocalError|NotImplementedError|AssertionError|RecursionError|InvalidOperation"
     r"|RuntimeError|JSONDecodeError|Unicode\w{2,8}Error|DivisionByZero|DivisionUndefined|Stop(?:Async)?Iteration|OverflowError|ArithmeticError"
     r"|FloatingPointError|LinAlgError|EmptyDataError|LookupError|InvalidStateError|FileNotFoundError|PermissionError|NotADirectoryError"
     r"|IsADirectoryError|BufferError|EOFError|SystemError)\b"), "code_error"),
    (r"message receive timed out|websocket connection was closed|close code = 1006", "stream_closed"),
    ((r"cannot connect to host|connect call failed|connection (?:was )?(?:reset|refused|closed|lost|aborted)|server disconnected|ClientConnector|ClientOSError"
     rf"|ClientPayloadError|\b(?:asyncio\.)?TimeoutError\b|^(?!.*{_INSIDE})(?:(?=.*(?:timed? ?out|disconnected)).*{_ON_THE_WAY}|\W*timed? ?out\W*$)"),
     "exchange_unreachable"),
)  # fmt: skip
"""What the words say where there is no code."""

WRAPPERS = _rules(
    (r"error authenticating the private websocket|login failed", "credentials_refused"),
    (r"api rate limit on .{0,120}has almost reached", "own_throttle"),
    (r"not enough \w+ balance to fill|balance available for|not existing in current data set", "paper"),
    (r"fail\w* to cancel|(?:could not|cannot|unable to) cancel|cancel\w* .{0,40}(?:fail|error|reject)", "cancel_failed"),
    (r"failed to submit|order .{0,80}has failed|open order failed|error submitting order|order .{0,40}rejected", "order_failed"),
    (r"calculating fee|trading (?:rules/)?fees|fee (?:query|rate|tier)", "fee_query_failed"),
    (r"is not ready\. please wait|connector not ready", "not_ready"),
    ((r"error executing request|order ?book stream|user stream|failed to subscribe|fetching account updates|update balances"
     r"|fetch new trading rules"), "exchange_unreachable"),
    (r"gateway container|gateway configs|order fill updates did not arrive|executing <Task", "benign"),
)  # fmt: skip
"""The generic sentences around a cause: believed last, and never for more than they say."""

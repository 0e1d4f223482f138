"""What an alert is about by the words of its name, where nobody wrote the name down. Pure.

Every team names its own: ``SoftPauseActive``, ``bot_paused`` and ``BotInSoftPause`` are one thing. The name is taken apart
into words, and the first row of the table whose words are in it says what it is about. A name that has none of them
is about nothing that is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from triage.model import Severity, SubjectKind

_S1, _S2, _S3 = Severity.SEV1, Severity.SEV2, Severity.SEV3
_NAMES_AS_ONE = re.compile(
    r"PnL|IOps|DNS|OOM|[Ww]eb[Ss]ocket|[Oo]rder[Bb]ook|[Dd]raw[Dd]own|[Bb]ack[Uu]p|[Tt]ime[Oo]ut"
)
_BETWEEN = re.compile(
    r"[\W_]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Z][a-z])"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """What an alert is about. ``checks``: the group of checks that looks at it, by its name in the table of playbooks.

    ``usual``: its severity where no label gives one. ``gravest``: what it is at most, where a label asks for a person
    at once.
    """

    family: str
    checks: str
    usual: Severity
    gravest: Severity
    advice: str
    pattern: re.Pattern[str]
    kinds: frozenset[SubjectKind]


_ANY = frozenset(SubjectKind)
_OF_BOT = frozenset({SubjectKind.BOT, SubjectKind.DESK})
_BOXES = frozenset({SubjectKind.BOT, SubjectKind.CONTAINER, SubjectKind.DESK})
_MACHINE = frozenset({SubjectKind.HOST, SubjectKind.DESK})
_GONE = (
    r"down|absent|offline|gone|missing|unavailable|unreachable|disconnected|exited|died|dead"
    r"|not (?:running|up|respond\w*)"
)


def _topic(
    family: str,
    pattern: str,
    checks: str,
    grave: tuple[Severity, Severity],
    advice: str,
    *,
    kinds: frozenset[SubjectKind] = _ANY,
) -> Topic:
    usual, gravest = grave
    return Topic(
        family=family,
        checks=checks,
        usual=usual,
        gravest=gravest,
        advice=advice,
        pattern=re.compile(rf"\b(?:{pattern})(?!\w)"),
        kinds=kinds,
    )


TOPICS: tuple[Topic, ...] = (
    _topic(
        "backup",
        r"backups?|restore",
        "host",
        (_S3, _S2),
        "No rollback is better than its newest backup: look whether the nightly job ran, and at the disk.",
    ),
    _topic(
        "certificate",
        r"ssl|tls|x509|cert|certs|certificates?",
        "probe",
        (_S3, _S2),
        "Look when the certificate ends and who renews it.",
    ),
    _topic(
        "oom",
        r"oom|oomkilled|(?:killed|kill|kills) (?:for|by) memory|out of memory (?:kill|killed|kills)",
        "container",
        (_S1, _S1),
        "It hit its memory limit: find the growth, or raise the limit, before it trades on.",
    ),
    # Redis and the databases
    _topic(
        "redis",
        rf"(?:redis|valkey)\b.*\b(?:{_GONE})(?: (?:for|since) .*| \d.*)?$",
        "bus",
        (_S1, _S1),
        "If Redis is down: degraded mode, with the local safeguards active.",
    ),
    _topic("redis_unwell", r"redis|valkey", "bus", (_S2, _S2), "Look at Redis: reachability, memory, role."),
    _topic(
        "down",
        rf"(?:postgres|postgresql|pg|mysql|database|db)\b.*\b(?:{_GONE})",
        "database",
        (_S2, _S2),
        "What the desk records waits for it: look at its container and the disk.",
        kinds=frozenset({SubjectKind.CONTAINER}),
    ),
    _topic(
        "database",
        r"postgres|postgresql|pg|pgsql|mysql|database",
        "database",
        (_S2, _S2),
        "Look at the database's container, its disk and its connections: what the desk records waits for it.",
        kinds=frozenset({SubjectKind.CONTAINER, SubjectKind.DESK}),
    ),
    # what watches
    _topic(
        "loop",
        r"crash ?loop\w*|crash looping|restart loop|(?:too many|frequent) restarts|restarting|restarts",
        "container",
        (_S2, _S1),
        "It dies again and again: find the cause before restarting it once more.",
        kinds=_BOXES,
    ),
    _topic(
        "blind",
        r"alertmanager|dead man\w*|watchdog|(?:rule|rules) evaluation|not connected to alertmanager"
        r"|prometheus\b.*\b(?:configuration|config|reload|notifications?|notification queue|sending alerts)",
        "watch",
        (_S2, _S2),
        "An alert may not reach us: check Prometheus, Alertmanager and the way between them.",
    ),
    _topic(
        "scrape",
        rf"scrapes?|scraping|all targets|(?:targets?|exporters?|host|instance|node|endpoint) (?:is )?(?:{_GONE})"
        r"|metrics? (?:absent|missing)|absent metrics?",
        "watch",
        (_S3, _S2),
        "Figures may be missing: look at the target and the network to it.",
    ),
    _topic(
        "logs",
        r"loki|promtail|fluent ?bit|log ?shipp\w*|logs? (?:missing|absent|stopped|not shipped|silent)|no logs",
        "watch",
        (_S3, _S2),
        "Look at the log shipper; until it ships again read the logs on the host.",
    ),
    _topic(
        "dead_letters",
        r"dead letters?|deadletters?|dlq",
        "bus",
        (_S2, _S2),
        "Read the reasons: a schema that changed, or intents that come too late.",
    ),
    _topic(
        "behind",
        r"(?:consumer|stream|group|queue) (?:group )?(?:lag|lagging|behind|backlog)|backlog|pending entries",
        "bus",
        (_S2, _S2),
        "Look at Redis and at the service that reads the stream.",
    ),
    # the machine
    _topic(
        "clock",
        r"clock|ntp|chrony|time (?:sync|drift|skew|offset)",
        "clock",
        (_S2, _S2),
        "Set the host's clock right (NTP): the exchange refuses requests of another time.",
    ),
    _topic(
        "network",
        r"network|packets?|interfaces?|nic|dns|connectivity|icmp|ping",
        "host",
        (_S3, _S2),
        "Check the interface, the route and the provider.",
        kinds=_MACHINE,
    ),
    _topic(
        "disk",
        r"(?:disk|filesystem|volume) (?:is )?read ?only|read only (?:disk|filesystem)",
        "host",
        (_S2, _S1),
        "Nothing can be written: look at the kernel's log and at the disk.",
    ),
    _topic(
        "disk_busy",
        r"(?:disk|disks|io|storage|filesystem)\b.*\b(?:io|iops|iowait|read|reads|write|writes|latency|busy|saturation"
        r"|saturated|slow|wait)|io ?wait|iops",
        "host",
        (_S3, _S2),
        "See what reads and writes so much.",
    ),
    _topic(
        "disk",
        r"disk|disks|filesystem|inodes?|pvc|persistent volume|storage|volume (?:usage|full|filling|space)"
        r"|(?:out of|low|no) space|space left",
        "host",
        (_S3, _S1),
        "Free space before it is full: then nothing can be written.",
    ),
    _topic(
        "container_cpu",
        r"cpu|throttl\w*",
        "container",
        (_S3, _S2),
        "See what it computes; compare with the other bots.",
        kinds=frozenset({SubjectKind.BOT, SubjectKind.CONTAINER}),
    ),
    _topic(
        "container_memory",
        r"memory|mem|rss|heap",
        "container",
        (_S3, _S2),
        "It will meet its limit: plan a restart in a quiet time.",
        kinds=frozenset({SubjectKind.BOT, SubjectKind.CONTAINER}),
    ),
    _topic(
        "cpu",
        r"cpu|high load|load (?:average|high)|steal|system saturation",
        "host",
        (_S3, _S2),
        "Find the container that takes it.",
        kinds=_MACHINE,
    ),
    _topic(
        "memory",
        r"memory|mem|swap|swapping",
        "host",
        (_S3, _S2),
        "Find the container that grows before the kernel picks one.",
        kinds=_MACHINE,
    ),
    # what the bots do
    _topic(
        "flaps",
        r"flap|flaps|flapping",
        "bot",
        (_S2, _S2),
        "Look what turns it to and fro: a threshold that it sits on.",
        kinds=_OF_BOT,
    ),
    _topic(
        "pause",
        r"soft ?pause|soft ?paused|paus(?:e|ed|es)|suspended",
        "bot",
        (_S2, _S2),
        "Look at the pause's reason: an edge gate or high volatility ends by itself, a band or a bus outage does not.",
        kinds=_OF_BOT,
    ),
    _topic(
        "stop",
        r"hard ?stop|hard ?stopped|halt|halted|circuit breaker|emergency stop"
        r"|kill ?switch (?:triggered|fired|tripped|active)",
        "bot",
        (_S1, _S1),
        "Leave it stopped until the cause is known; nothing to restart while a risk limit holds.",
        kinds=_OF_BOT,
    ),
    _topic(
        "no_fills",
        r"(?:no|zero|without|missing|lack of|few|fewer) (?:[a-z]+ )?(?:fills?|trades?|executions?)"
        r"|(?:fills?|trades?|executions?) (?:missing|stopped|absent|zero|stalled|late)|not trading|no trading",
        "bot",
        (_S2, _S2),
        "Compare spread and net edge with the market, then look for order errors in the log.",
        kinds=_OF_BOT,
    ),
    _topic(
        "funding",
        r"funding",
        "bot",
        (_S3, _S3),
        "Holding the position is dear: review its side and size.",
        kinds=_OF_BOT,
    ),
    _topic(
        "fees",
        r"fees?|maker fees?|taker fees?",
        "bot",
        (_S2, _S2),
        "Compare the fees that were paid with those that are believed before touching strategy thresholds.",
        kinds=_OF_BOT,
    ),
    _topic(
        "book",
        r"order ?books?|market depth|websockets?|ws|(?:market|price|data) feeds?|stale (?:prices?|quotes?|tickers?)"
        r"|(?:prices?|quotes?|tickers?) stale",
        "bot",
        (_S2, _S1),
        "It may quote on old prices: pause it until the stream is back.",
        kinds=_OF_BOT,
    ),
    _topic(
        "position",
        r"positions?|inventory|balances?|exposure|margin|liquidations?|leverage|derisk\w*",
        "bot",
        (_S1, _S1),
        "Compare the exchange's balances and position with the bot's; pause it while they differ.",
        kinds=_OF_BOT,
    ),
    _topic(
        "loss",
        r"loss|losses|drawdown|pnl|equity",
        "bot",
        (_S1, _S1),
        "Pause the bot if it still trades, and review the fills before it may resume.",
        kinds=_OF_BOT,
    ),
    _topic(
        "edge",
        r"edge",
        "bot",
        (_S2, _S2),
        "Check the fee source before touching strategy thresholds; pause if the edge stays negative.",
        kinds=_OF_BOT,
    ),
    _topic(
        "slow",
        r"ticks?|event loop|latency|slow|slowness",
        "bot",
        (_S2, _S2),
        "Look for a busy host or a slow connector.",
        kinds=_OF_BOT,
    ),
    _topic(
        "orders",
        r"orders?|cancels?|cancell?ations?|rejects?|rejected|rejections?|rate ?limit\w*|api (?:keys?|errors?|failures?)"
        r"|exchange|venue",
        "bot",
        (_S1, _S1),
        "Check the exchange's status page, our rate limits and the order errors in the log.",
        kinds=_OF_BOT,
    ),
    _topic(
        "errors",
        r"errors?|exceptions?|tracebacks?|panics?",
        "bot",
        (_S2, _S2),
        "Read the new templates first: they name what broke.",
        kinds=_OF_BOT,
    ),
    _topic(
        "unhealthy",
        r"unhealthy|health ?checks?|not (?:healthy|ready)",
        "container",
        (_S2, _S2),
        "Its health check fails: read its log before restarting it.",
        kinds=_BOXES,
    ),
    _topic(
        "frozen",
        r"frozen|freezes?|stuck|hung|hangs?|heart ?beats?|not (?:reporting|updating)|stale|silent|no (?:data|updates?)"
        r"|unresponsive",
        "bot",
        (_S1, _S1),
        "What is on show may be old: look at the exchange for open orders, then restart it.",
        kinds=frozenset({SubjectKind.BOT}),
    ),
    _topic(
        "down",
        rf"bot\b.*\b(?:{_GONE}|killed|terminated)",
        "container",
        (_S1, _S1),
        "Read its last log lines and exit code, then bring it up again.",
        kinds=_BOXES,
    ),
    _topic(
        "down",
        rf"{_GONE}|killed|terminated|waiting|crash(?:ed|es)?",
        "container",
        (_S2, _S2),
        "Read its last log lines and exit code, then bring it up again.",
        kinds=_BOXES,
    ),
    _topic(
        "probe",
        r"probes?|blackbox|http|https|uptime",
        "probe",
        (_S2, _S2),
        "Asked from outside, it does not answer: look at its address and route.",
    ),
)
"""In the order in which they are looked for: what tells more before what tells less."""


@lru_cache(maxsize=4096)
def words_of(name: str) -> str:
    """Return a name as words in small letters: ``stale order book`` for ``StaleOrderBook``."""
    joined = _NAMES_AS_ONE.sub(lambda found: f" {found[0].capitalize()}", name[:200])
    return " ".join(part.lower() for part in _BETWEEN.split(joined) if part)


@lru_cache(maxsize=4096)
def topic_of(name: str, kind: SubjectKind | None = None) -> Topic | None:
    """Return what an alert of a name is about, on a subject of a kind (None: of any); None where its words tell nothing."""
    words = words_of(name)
    return next(
        (each for each in TOPICS if (kind is None or kind in each.kinds) and each.pattern.search(words)), None
    )

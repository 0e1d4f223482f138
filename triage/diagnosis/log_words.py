"""What words in error templates point to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triage.diagnosis.facts import Facts

EXCHANGE = re.compile(
    r"rate.?limit|too many requests|\b429\b|\b50[0234]\b|order.?book|websocket|connection (?:reset|closed|refused)"
    r"|stream|disconnect|timed? ?out|timeout|cannot connect|clientconnector|exchange|maintenance|api error",
    re.IGNORECASE,
)
NETWORK = re.compile(
    r"name resolution|name or service not known|getaddrinfo|no route to host|network is (?:unreachable|down)",
    re.IGNORECASE,
)
"""No way out of this host: not one server that fails, but all."""
CODE = re.compile(
    r"ImportError|ModuleNotFoundError|AttributeError|NameError|SyntaxError|TypeError|unexpected keyword"
    r"|cannot import name|has no attribute|missing \S+ required positional",
    re.IGNORECASE,
)
CANCEL = re.compile(
    r"(?:fail|error|unable|could not|cannot).{0,40}cancel|cancel.{0,60}(?:fail|error|reject|timed? ?out)",
    re.IGNORECASE,
)
DISK = re.compile(r"no space left|disk quota|errno 28|read-only file system", re.IGNORECASE)
REDIS = re.compile(r"redis", re.IGNORECASE)
FEES = re.compile(r"\bfees?\b", re.IGNORECASE)
MEMORY = re.compile(r"MemoryError|out of memory|cannot allocate memory", re.IGNORECASE)

FRESH = frozenset({"new", "surging"})
"""The kinds of a template that say that something changed."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Errors of one bot whose template has the words: how many, how many of them new or surging, the loudest."""

    count: int = 0
    fresh: int = 0
    loudest: str = ""


def hits(facts: Facts, bot: str, words: re.Pattern[str]) -> Hits:
    """Count the bot's errors with these words."""
    found = [each for each in facts.templates(bot) if words.search(str(each["text"]))]
    if not found:
        return Hits()
    loudest = max(found, key=lambda each: (each["kind"] in FRESH, each["count"]))
    return Hits(
        count=sum(each["count"] for each in found),
        fresh=sum(each["count"] for each in found if each["kind"] in FRESH),
        loudest=str(loudest["text"])[:120],
    )

"""Words of a level that mean something else: a setting of a log, a level of the market, a file's name. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from triage.logs.level_words import ANY_WORD
from triage.logs.plain_senses import without_plain

_MARKET = re.compile(
    r"(?<![a-z])(?:(?:order_?)?books?|bids?|asks?|prices?|qty|quantity|amounts?|sides?|sizes?|depth|ladder|grid"
    r"|pairs?|symbols?"
    r"|orders?|positions?|spread|mid|tiers?|fib\w{0,8}|rsi|macd|[es]ma|signals?(?! ?\d)|indicators?"
    r"|cross(?:ed|es)?|funding|candles?|volume|buy|sell|long|short|support|resistance|leverage|margin|queued?"
    r"|tasks?|jobs?)(?![a-z])",
    re.IGNORECASE,
)
"""Words beside which ``level: 3``, ``priority=3`` and ``[ALERT]`` are of the market, or of a queue."""
_BESIDE = r"[\"']?\s{0,3}(?:(?:is|was|now|set|changed|to|at|from \w{1,12} to)\s+|[:=]\s*|[-=]>\s*){1,4}[\"']?"
_SETTING = re.compile(
    rf"(?<!<)\b(?:(?:log(?:ging|ger)?[ _.-]?level|verbosity|\w{{1,30}}[_-]level){_BESIDE}"
    rf"|[a-z]{{1,30}} level[\"']?\s?(?:is|:)\s{{0,3}}[\"']?)(?:{ANY_WORD})\b[\"']?",
    re.IGNORECASE,
)
_SAYS = (
    r"(?:[\w.-]{1,40}=(?:\"[^\"\n]{0,200}\"|[^\s\"]{0,200}) +){0,12}"
    r"(?:(?:text|msg|message|event|err|error|reason)=|(?=[^\s=]{1,200}(?:\s|$))(?!\())"
)
"""Something said, and not only further settings (``file=errors.log``)."""
_OF_LINE = re.compile(
    r"(?:(?:time|timestamp|ts|date)=\S{1,60} +|[\d\[][\dTZ:.,+/\[\] -]{0,60})?"
    rf"(?:(?:log[_.-]?level=[\"']?\w{{1,12}}[\"']?\]?|(?<=\[)log[ _.-]?level: ?\w{{1,12}}\]) +{_SAYS}"
    r"|sev(?:erity)?[ _.-]?level ?[=:] ?[\"']?\w{1,12}[\"']?\]? +\S)",
    re.IGNORECASE,
)
"""At the head of a line, or behind its time, with something said behind it, it is the line's own level."""
_MESSAGE = re.compile(r"\b(?:msg|message|event)=", re.IGNORECASE)
_FILES = r"(?:log|txt|py|json|jsonl|csv|ya?ml|html?|js|ts|go|rs|java|db|sqlite)"
_SO_FAR = r" (?:found|seen|so far|yet|reported|detected|at all|today)"
_HARMLESS = re.compile(
    rf"(?<!\S)/[\w./-]+(?:\?\S*)?|(?<![\w.-])[\w.-]{{0,60}}(?:error|exception|fail)\w{{0,20}}\.{_FILES}\b(?:\.\d{{1,3}}|\.gz)?"
    r"|\b(?:tracking|standard|mean|squared|absolute|rounding|relative|abs|percentage|prediction|forecast"
    r"|model)(?: (?:squared|absolute|percentage))? errors?\b"
    r"|\berror (?:handl\w{2,3}|budget|bars?|margin|tolerance|messages? (?:enabled|disabled))\b|\b(?:never"
    r"|not yet) failed\b"
    r"|\bzero (?:errors?|failures?|exceptions?)\b|\berrors? none\b|\brecovered from (?:an? |the )?(?:error|failure)\b"
    r"|\b(?:last_?)?(?:errors?|err|exceptions?|fail(?:ed|ures?))[\"']?\s?[:=]\s?[\"']?(?:none|<?nil>?|null|false|no"
    r"|ok|n/a)"
    rf"(?:{_SO_FAR})?[\"']?(?=\s*(?:$|[,;|(!)\]}}&]|- |\.(?:\s|$)|[\w.]{{1,40}}=))",
    re.IGNORECASE,
)
"""``error=none`` tells of none where the value ends there; behind ``error=no such file`` the sentence goes on."""
_NONE = (
    r"[\"']?(?:0(?:[.,]0+)?\s?%?|none|no|never|false|off|-{1,3}|n/?a|null|<?nil>?|ok|\[\]|\{\}"
    r"|keine?r?|ninguno|aucune?|nessuno|нет|无)[\"']?"
)
_ROW_OF_NONE = re.compile(
    rf"(?!\S*(?-i:[a-z](?:Error|Exception|Fault|Interrupt)\b))[^\n:=|]{{1,60}}(?:[:=|]"
    rf"| {{2}})\s{{0,40}}{_NONE}[\s,;.]*",
    re.IGNORECASE,
)
"""A row of a report, or of settings, whose value is nothing: ``denied intents: 0``, ``Errors    0``."""
_BAD_THINGS = (
    r"(?:errors?|fail(?:s|ed|ing|ures?)?|exceptions?|reject(?:s|ed|ions?)?|refused|denied|killed|lost|missing|invalid"
    r"|crash(?:es|ed)?|time-?outs?|disconnect(?:s|ed)?|abort(?:s|ed)?|halted|violat(?:ed|ions?)|died|corrupt(?:ed)?"
    r"|deadlocks?|unexpected)"
)
_NOT_SO = re.compile(
    rf"\b{_BAD_THINGS}(?: [a-z]{{2,20}})?[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?0(?:[.,]0+)?\s?%?(?![\w.:,])"
    rf"|\b(?:no|never|nothing|not|zero)(?: (?:was|were|is|are|has been|any|yet))? {_BAD_THINGS}\b"
    rf"|\b(?:no|zero) [a-z]{{3,12}} (?:was |were )?{_BAD_THINGS}\b"
    rf"|\b(?:\w{{1,30}}_)?(?:on_|(?:max|min)[ _-]){_BAD_THINGS}\b|\bon {_BAD_THINGS}(?=\s?[:=])"
    r"|\b(?:abort|panic|crash|failure|exception|error)s?[ _-]"
    r"(?:threshold|button|report(?:er|ing)|handl\w{2,3}|polic(?:y|ies)|recovery)\b",
    re.IGNORECASE,
)
"""Counts of none, negations, and what is to be done if it should come to it (``cancel_on_error``, ``max failures``)."""
_HEADING = re.compile(r"\[[a-z][a-z_.-]{1,40}s\]|# (?:HELP|TYPE) [\w:]{1,120} .*")
"""A section of settings: ``[errors]``; what a metric is called."""
_NOTHING = re.compile(r"[\"']?(?:none|<?nil>?|null|false|no|n/a|ok|0|-)[\"']?\W*", re.IGNORECASE)
_ALERT = re.compile(
    r".{0,120}?(?:(?<![\w.=-])ALERT(?![\w.=-])|[\[(<|] ?[Aa]lert ?[\])>|]|(?<![\w.-])[Aa]lert ?[:!])"
)
_FAILS = re.compile(
    r"(?<![\w-])(?:fail|refus|reject|halt|crash|kill|abort|corrupt|stuck|fr[eo]ez|froz|hang|hung|disconnect"
    r"|exceed|breach|violat|liquidat|delist|suspend|exhaust|mismatch|insufficient|expire|invalid"
    r"|un(?:able|reachable|available|responsive|hedged|paid))\w*"
    r"|(?<![\w-])(?:den(?:y|ies|ied)|los(?:t|es?|ing|s|ses)|errors?|cannot|not?|stopp?ed|stops|died|dies|dead"
    r"|gone|missing|broken|stale|time[ds]? ?out|outage|offline|blocked|banned|maintenance|drawdown|margin call"
    r"|emergency)(?![\w-])|n't\b"
    r"|\b(?:is|are|went|goes|exchange|gateway|feed|server|service|bot|host|network|api) down\b",
    re.IGNORECASE,
)
"""Words by which an alert tells that something goes wrong, and not that a price got somewhere."""
_WITH_MESSAGE = ("msg", "message", "short_message")
_LEAST = 10
"""From here on, a number is a library's own and not syslog's."""


def is_of_market(text: str) -> bool:
    """Tell whether a text speaks of the market or of a queue: a level in it may be of an order book."""
    return _MARKET.search(text) is not None


def without_settings(text: str) -> str:
    """Return the text without what tells how a log or a threshold is set (``log level: error``, ``support_level=…``)."""
    return text if _MESSAGE.search(text) or _OF_LINE.match(text) else _SETTING.sub(" ", text)


def without_harmless(text: str) -> str:
    """Return the text without words of an error that tell of none: settings, counts of none, files, a tracking error."""
    if _ROW_OF_NONE.fullmatch(text) or _HEADING.fullmatch(text):
        return ""
    return without_plain(_NOT_SO.sub(" ", _HARMLESS.sub(" ", without_settings(text))))


def says_nothing(message: str) -> bool:
    """Tell whether the text after a level's word denies it: ``error: none``."""
    return _NOTHING.fullmatch(message) is not None


def is_market_alert(word: str, message: str) -> bool:
    """Tell whether the word *alert* is a sentence's, or a trading signal's, and not syslog's level."""
    return word.lower() == "alert" and (word == "Alert" or is_of_market(message))


def alerts_of_failure(text: str) -> bool:
    """Tell whether a line calls itself an alert and tells of something that goes wrong, whatever else it may mean."""
    found = _ALERT.match(text)
    return found is not None and _FAILS.search(text, found.end()) is not None


def number_is_level(flat: Mapping[str, object], number: int, *, journald: bool) -> bool:
    """Tell whether the number in a field *level* of some JSON is a log's and not an order book's.

    ``journald``: the line is journald's, whose numbers are syslog's. A line of GELF says so itself.
    """
    if journald or "short_message" in flat:
        return True
    market = any(is_of_market(name) for name in flat)
    if number >= _LEAST:
        return not market or any(isinstance(flat.get(name), str) for name in _WITH_MESSAGE)
    sentences = [value for value in flat.values() if isinstance(value, str) and " " in value.strip()]
    severe = "severity" in flat or "sev" in flat
    return not market and bool(sentences) and (severe or not any(map(is_of_market, sentences)))

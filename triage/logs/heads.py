"""The head of a line whose shape no table has: a time in any usual form, then a level where levels stand. Pure.

A level is a word in brackets or between bars, a word with a colon or a tab behind it, a word in capitals, ``app.ERROR:``,
``level: error``, or a letter where a letter stands for one. A word within a sentence is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from triage.logs.failure_words import speaks_of_error
from triage.logs.level_words import ANY_WORD, LETTERS, level_of, level_of_number
from triage.logs.other_senses import is_market_alert, is_of_market, says_nothing
from triage.outside_numbers import is_whole

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_DATE = (
    r"(?:\d{4}[-/.]\d\d[-/.]\d\d|(?:19|20)\d{6}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d)|\d\d-\d\d"
    rf"|(?:{_DAY},? )?\d{{1,2}}[ /-]{_MONTH}[ /-]\d{{2,4}}|(?:{_DAY},? )?{_MONTH} {{1,2}}\d{{1,2}}(?:, \d{{4}})?)"
)
_CLOCK = r"\d{1,2}:\d\d(?::\d\d(?:[.,:]\d{1,9})?)?(?: ?[AP]M)?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)| \d{4})?"
_TIME = (
    rf"(?:(?:{_DATE}(?:[ T\t:,;-]{{1,2}}){_CLOCK}|(?:19|20)\d{{6}}T\d{{6}}(?:[.,]\d{{1,9}})?"
    rf"|\d\d:\d\d(?::\d\d(?:[.,]\d{{1,9}})?|[AP]M)){_ZONE}"
    r"|\d{10,19}(?:\.\d{1,9})?|\d\.\d{1,17}e\+\d\d| {0,8}\d{1,7}\.\d{3,6}(?=\])|\+\d{1,7}(?:\.\d{1,9})?s(?= ))"
)
_TIMED = re.compile(
    r"[ ]{0,8}(?:\[[\w./:@-]{1,80}\] (?:\d{1,7} +- )?|[A-Za-z][\w.-]{0,60}: )?"
    r"(?:\d{1,7}:[A-Z] )?[\[(<\"']?(?:(?:time|ts|timestamp|t)[=:] ?\"?)?"
    rf"(?P<time>{_TIME})(?!\w|:(?! ))"
)
_REDIS_BAD = re.compile(r"can(?:'t|not)\b|MISCONF|OOM\b", re.IGNORECASE)
_PAST = re.compile(r"[ \t]*(?:[\])>|,;:\"'-]+[ \t]*)?")
_REDIS = re.compile(
    r"(?:\d{1,7}:[A-Z]|\[\d{1,7}\]) .{5,40}?\d\d:\d\d:\d\d\S* (?P<sign>[.\-*#]) (?P<message>.*)"
)
_ADDRESS = (
    r"(?:(?:\[[^\]\n]{1,60}\]|\([^)\n]{1,60}\)|\{[^}\n]{1,60}\}|\d{1,10}"
    r"|[\w.-]{1,60}\[\d{1,10}\]:?|[\w-]{1,40}(?= [\w./-]{1,40}(?:\[\d|:))"
    r"|[\w./-]{1,40}(?::\d{1,6})?:(?=[ \t]))[ \t]+){0,4}"
)
"""What may stand between time and level: a process, a thread, a host, a program."""
_ENDS = r"(?=[\])>|:;,\t]|[ ]{2}|[ ]-|$)"
_WORD = re.compile(
    rf"{_ADDRESS}[\[(<|*= ]{{0,4}}(?P<level>{ANY_WORD}){_ENDS}[\])>|:;,* \t-]*(?P<message>.*)",
    re.IGNORECASE,
)
_CAPITALS = re.compile(
    rf"{_ADDRESS}[*= ]{{0,4}}(?P<level>(?=[^a-z]{{3}})(?:{ANY_WORD.upper()}))(?=[ \t])[* \t-]*(?P<message>.*)"
)
_BRACKETED = re.compile(
    rf".{{0,120}}?(?:\[(?:[\w-]{{1,20}}:)?|[(<|] ?)(?P<level>{ANY_WORD})[ ]*[\])>|][ \t:|-]*(?P<message>.*)",
    re.IGNORECASE,
)
_DOTTED = re.compile(rf"[\w-]{{1,40}}\.(?P<level>{ANY_WORD.upper()}): (?P<message>.*)")
_KEYED = re.compile(
    r".{0,200}?\b(?:(?:(?:log|sev(?:erity)?)[ _.-]?)?level|lvl|sev(?:erity)?)[\"']?[ ]*[:=]"
    rf"[ ]*[\"']?(?P<level>{ANY_WORD})\b[\"',;\] ]*(?P<message>.*)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?:\w{1,20}=\S{1,60} ){0,3}[\[(]?(?:(?:log)?level|lvl|sev(?:erity)?|prio?|priority"
    r"|s)[ ]?[=:][ ]?[\"']?(?P<level>\d{1,2})"
    r"[\"']?(?=[ ,;\])\t]|$)[\"',;\]) ]*(?P<message>.*)",
    re.IGNORECASE,
)
"""A number stands for a level only where levels stand: a ``priority=3`` later in a line is an order's, or a task's."""
_SEVERITY = re.compile(r"\bsev(?:erity)?[ ]?[=:]", re.IGNORECASE)
"""A book has levels, a queue priorities; neither has severities."""
_LETTER = re.compile(
    r"\[?(?P<level>[VTDINWECF])(?:, \[|/[\w.-]{1,40}(?:\(| *:)| (?=\d{4}-\d\d-\d\d )"
    r"| (?=(?:\d{6} )?\d\d:\d\d))(?P<message>.*)"
)
_LETTER_ALONE = re.compile(
    rf"{_ADDRESS}(?:\[(?P<level>[VTDIWECF])\][ \t:]*|(?P<bare>[DIWE])(?:[ \t]+|[ \t]*\|[ \t]*))(?P<message>\S.*)"
)
_LETTER_COLUMN = re.compile(r"[^\t\n]{0,80}(?:\t|\| ?)(?P<level>[DIWEF])(?=\t| ?\|)[\t |]*(?P<message>.*)")
_LETTER_CALLED = re.compile(r"(?P<level>[TDIWEF])! (?P<message>.*)")
_SHORT = re.compile(
    r"(?P<level>TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI|TRACE|DEBUG|ERROR|CRIT) ?\[(?:\d{4,9}|[\d|:.T-]{8,30})\]"
    r"[ \t]*(?P<message>.*)"
)
_PRIORITY = re.compile(r"<(?P<level>[0-7])>(?P<message>.*)")
"""What a service manager reads of a program's output: syslog's number alone."""
_LETTER_LATER = re.compile(r"(?:\d+ +){0,2}(?P<level>[VTDIWEF])[ /][\w.-]{1,40} *: (?P<message>.*)")
_SET_IN = re.compile(
    r" {10,40}(?P<level>DEBUG {4}|INFO {5}|WARNING {2}|ERROR {4}|CRITICAL )(?P<message>\S.*)"
)
"""A handler that prints columns leaves the time out where it is that of the line before."""
_CATEGORY = re.compile(r"(?P<level>trce|dbug|info|warn|fail|crit): (?P<message>\S{1,200}\[\d+\])$")
_BRACKET_FIRST = re.compile(
    rf"(?:\d{{1,10}} |\[[^\]\n]{{1,60}}\] |[\w.-]{{1,40}}: ){{0,3}}\[(?P<level>{ANY_WORD}) *(?:/[\w-]{{1,60}})?\]"
    r"[: \t]*(?P<message>.*)",
    re.IGNORECASE,
)
_CAPS = rf"(?-i:(?=[^a-z]{{3}})(?:{ANY_WORD.upper()}))"
_TAGGED = re.compile(
    rf"(?:(?:\[[^\]\n]{{1,60}}\]:? ){{1,3}}(?P<level>{_CAPS}(?=[ \t:])|(?:{ANY_WORD})(?=: ))[-: \t]*"
    rf"|[\w.-]{{1,60}} (?P<hosted>{_CAPS}) (?=\[))(?P<message>.+)",
    re.IGNORECASE,
)
"""Behind what is set in brackets, or a host before them: ``[orders] error: lost``, ``desk ERROR [orders] lost``."""
_OF_LIBRARIES = re.compile(
    r"\([^)\n]{1,80}\): (?:[\w-]{1,40}-)?(?P<level>CRITICAL|WARNING|ERROR|INFO|DEBUG) \*\*: (?P<message>.*)"
    r"|\[(?:\d{1,10}:){1,2}\d{4}/\d{6}\.\d{1,9}:(?P<called>\w{3,12}):[^\]\n]{1,120}\] (?P<said>.*)"
    r"|%(?P<number>[0-7])\|\d{10}\.\d{3}\|(?P<told>.*)"
)
"""GLib, Chromium and librdkafka, each with a shape of its own."""
_LOWER = re.compile(r"(?P<level>error|warning|critical|fatal|err|crit): (?P<message>.+)")
_UPPER = re.compile(rf"(?P<level>(?=[^a-z]{{3}})(?:{ANY_WORD.upper()})):[ \t]+(?P<message>.+)")
_AT_START = re.compile(
    r"[*= ]{0,4}(?P<level>ERROR|CRITICAL|FATAL|WARNING|WARN|ERR|WRN|FTL|CRIT|INF|DBG|INFO|DEBUG)(?: [*=]{1,3}"
    r"|(?=[ \t]))"
    r"[ \t]*(?P<message>.+)"
)
_FOREIGN = re.compile(
    r"(?:level|lvl|severity|sev)[=:][\"']?\w|[^\W\d_]{3,10}\.? \d{1,2}, \d{4} \d{1,2}:\d\d|"
    r"\d{1,2}\.? ?[^\W\d_]{3,10}\.? \d{4},? \d{1,2}:\d\d",
    re.IGNORECASE,
)
"""A level of unknown meaning, or a date with a month in another language: ``level=2``, ``mars 02, 2026 10:11:12``."""
_OBJECT = re.compile(
    r"\{.{0,400}?\"[\w.@-]{0,20}(?:msg|message|event|text|body|err|error|exception|level|severity|log)\" ?:"
    r"|<(?:\d|(?:log|record|entry|event)\b)|\[\"",
    re.IGNORECASE,
)
"""An object that says something; one of figures alone (a book, a balance) is what the record before it shows."""


_LEVEL_GROUPS = ("level", "bare", "hosted", "called", "number")
_MESSAGE_GROUPS = ("message", "said", "told")


@dataclass(frozen=True, slots=True)
class LineHead:
    """What a line's head says: the level and what follows it."""

    level: str
    message: str


def head_of(text: str) -> LineHead | None:
    """Return the level that the head of a line names; None where it names none."""
    redis = _REDIS.match(text)
    if redis is not None:
        return LineHead(_of_redis(redis["sign"], redis["message"]), redis["message"].strip())
    timed = _TIMED.match(text)
    if timed is None:
        return _first(
            text,
            (
                *(
                    _PRIORITY,
                    _SET_IN,
                    _SHORT,
                    _LETTER,
                    _LETTER_CALLED,
                    _CATEGORY,
                    _DOTTED,
                    _BRACKET_FIRST,
                    _LOWER,
                    _UPPER,
                ),
                *(_OF_LIBRARIES, _TAGGED, _LETTER_COLUMN, _AT_START, _NUMBERED, _KEYED),
            ),
        )
    rest = text[timed.end() :]
    rest = rest[past.end() if (past := _PAST.match(rest)) is not None else 0 :]
    return _first(
        rest,
        (
            *(_DOTTED, _WORD, _CAPITALS, _BRACKETED, _LETTER_CALLED, _LETTER_LATER, _LETTER_ALONE),
            *(_LETTER_COLUMN, _NUMBERED, _KEYED),
        ),
    )


def begins_record(text: str) -> bool:
    """Tell whether a line begins as a record does, though its level is not known: a time, the key of a level, an object."""
    return has_head(text) or _OBJECT.match(text) is not None


def has_head(text: str) -> bool:
    """Tell whether a line begins with a time and says something behind it, or with the key of a level."""
    timed = _TIMED.match(text)
    return (timed is not None and bool(text[timed.end() :].strip("]) "))) or _FOREIGN.match(text) is not None


def _first(text: str, patterns: tuple[re.Pattern[str], ...]) -> LineHead | None:
    for pattern in patterns:
        found = pattern.match(text)
        if found is None:
            continue
        word, message = _word_and_message(found)
        if is_market_alert(word, message) or (pattern is _NUMBERED and _is_of_book(text, word)):
            continue
        return LineHead("INFO" if says_nothing(message) else _level(word), message)
    return None


def _word_and_message(found: re.Match[str]) -> tuple[str, str]:
    """Return what an expression found of a level and a message, under whatever names."""
    named = found.groupdict()
    word = next(named[name] for name in _LEVEL_GROUPS if named.get(name))
    return word.strip(), next((named[name] for name in _MESSAGE_GROUPS if named.get(name)), "").strip()


def _is_of_book(text: str, word: str) -> bool:
    """Tell whether a number below a library's own levels stands where a book or a queue is spoken of."""
    return len(word) == 1 and _SEVERITY.search(text) is None and is_of_market(text)


def _level(word: str) -> str:
    if is_whole(word):
        return level_of_number(int(word))
    return LETTERS[word] if len(word) == 1 else level_of(word)


def _of_redis(sign: str, message: str) -> str:
    """Redis has one sign for what is graver than a notice; its words tell an error."""
    if sign != "#":
        return "INFO" if sign == "*" else "DEBUG"
    return "ERROR" if speaks_of_error(message) or _REDIS_BAD.match(message) else "WARNING"

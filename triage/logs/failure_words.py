"""What a line without a level may tell of a failure: a program's last words, a word, an exception, a place in code. Pure.

No table holds what every language prints when a program falls. So a line is not asked for its shape but for what all
of them have in common: a word that means a failure, the name of an exception, the line of source code that it came
from, or how a process ended. Rows that count none, settings and negations are taken out before.
"""

from __future__ import annotations

import re

from triage.logs.failures_abroad import fails_abroad
from triage.logs.level_words import ANY_WORD, level_of
from triage.logs.other_senses import alerts_of_failure, without_harmless
from triage.logs.plain_objects import object_of, sentences, tells_failure

_CRASH = re.compile(
    r"panic: |fatal error: |Exception in thread |Uncaught |Unhandled (?:exception|rejection)"
    r"|thread '[^']{0,60}' (?:\(\d{1,20}\) )?panicked"
    r"|(?:\S{1,200}: line \d{1,6}: {1,8}\d{1,8} )?(?:Killed|Aborted)(?:$| {2})"
    r"|Segmentation fault|terminate called |Fatal Python error|.{0,40}core dumped|Illegal instruction|Bus error"
    r"|\*\*\* (?:stack smashing|buffer overflow) detected|double free or corruption|(?:malloc|free|realloc)\(\): ",
    re.IGNORECASE,
)
_LEVELS = "|".join(
    word
    for word in ANY_WORD.split("|")
    if level_of(word) in {"ERROR", "CRITICAL", "FATAL"} and word not in {"alert", "fail"}
)
_ZERO = r"(?![\"']?[ ]?[:=][ ]?[\"']?0(?![\d.]))"
_WORDS = re.compile(
    rf"(?<!\bno )(?<![^\d:]0 )(?<!^0 )(?<!without )(?<![\w-])(?:{_LEVELS}|errors|fail(?:ed|ing|s)|failures?|exceptions?"
    r"|traceback|refused|rejected|denied|unable to|can(?:not|'t)|could(?: not|n't)|timed out|not (?:found|set)"
    r"|unreachable"
    r"|giving up|gave up|abort(?:ed|ing|s)|corrupt(?:ed|ion)?|core dumped|crash(?:ed|es|ing)?|halted|killed|died|abend"
    r"|dead ?lock(?:ed)?|segfault(?:ed)?|segmentation|assertion|unhandled|uncaught|unrecoverable|unexpected(?:ly)?"
    r"|unbound"
    r"|undefined|non-exhaustive|blocked indefinitely|invalid|illegal|missing|insufficient|exhausted|violat(?:ed|ion)"
    r"|emergency|(?:bad|wrong) (?:argument|type|number|state)\w*|(?:over|under)flow(?:ed)?|by zero|attempt to"
    r"|went wrong"
    r"|terminating|abnormal(?:ly)?|disconnected|out of (?:memory|range|bounds)|no (?:such|module|space left)|reset by peer"
    r"|broken (?:pipe|connection)|(?:is|are|was|has) gone|lost (?:connection|contact)|(?<=[a-z] )lost(?! ?[:=]? ?\d)"
    rf"|time-?outs?(?![\"']| ?[:=]| \d))(?![\w-]){_ZERO}"
    r"|(?-i:\bE(?:CONN(?:RESET|REFUSED|ABORTED)|TIMEDOUT|PIPE|NOTFOUND|ACCES|(?:HOST|NET)UNREACH|ADDRINUSE|MFILE"
    r"|NOSPC|ROFS)\b)|\bhung? up\b"
    r"|\bis DOWN\b|(?:^|\s)!!+ |❌|🔴|🛑|🔥|🚨|💥|💣|\[BUG\]",
    re.IGNORECASE,
)
_ENDED = re.compile(
    r"\bexit(?:ed|ing|s)?:? (?:with )?(?:code|status|value|signal)[ :=]{0,2}\[?-?[1-9]\d{0,2}\b"
    r"|\bexited (?:with )?[1-9]\d{0,2}$|\bSIG(?:ABRT|SEGV|KILL|BUS|ILL|FPE|TRAP|SYS|PIPE|XCPU|QUIT)\b|\bsignal: ?\w"
    r"|^(?:Terminated|Hangup|Quit|Alarm clock|Trace/breakpoint trap|Execution halted|Stack overflow)\.?$"
)
"""How a process ended, by its number, by its signal, or in the words of a shell."""
_RAISED = re.compile(
    r"(?<![\w/-])[A-Z]\w{0,80}(?:Error|Exception|Fault|Violation|Defect|Interrupt|Overflow)(?![\w(])"
    r"|^(?:[a-z_]\w{0,80}\.){1,8}[A-Z]\w{1,80}(?:: |$)|^(?:Stop(?:Async)?Iteration|SystemExit|GeneratorExit)(?::|$)"
    r"|^(?:[a-z_]\w{0,80}\.){0,8}(?:[A-Z]\w{1,80}(?:Exceeded|Protection|Unavailable|NotAvailable|Timeout|NotFound"
    r"|Denied|Refused|Suspended"
    r"|Rejected|Aborted)|(?:Invalid|Insufficient|Duplicate|Missing|Unexpected|Bad)[A-Z]\w{2,80}): "
    r"|^\*\* \(|^Caused by: |^raised [A-Z_]{3,40} :|^=(?:CRASH|SUPERVISOR) REPORT="
    r"|^[\w./-]{1,60}: (?:[A-Z]\w{0,40}\.){1,6}\S{1,40}(?:: |$)"
)
"""The name of an exception, or what a language sets before one; before a Haskell function's stands its program's."""
_STACK = re.compile(r"(?:call ?stack|stack ?(?:back)?trace(?:back)?|backtrace)\b", re.IGNORECASE)
_PLACE = re.compile(
    r"(?<=\w)\.(?:py|lua|hs|rb|p[lm]|php|[cm]?js|tsx?|go|rs|zig|nim|c|cc|cpp|cxx|h|hpp|java|kt|scala|clj|exs?|erl|ml"
    r"|swift|d|dart|f\d\d|ad[bs]|r|jl|tcl|cr|cs|fs|vb|sh|pas|lisp|el)"
    r"(?::\d{1,6}(?![\d>])|\(\d{1,6}\)|:? line \d{1,6}|: \d{1,6}: )",
    re.IGNORECASE,
)
_ONLY_WARNS = re.compile(r"\w{0,80}Warning: ")
_CALLER = re.compile(r"[\d/.-]{8,10}[ T][\d:.,]{8,15}Z? [\w./-]{1,80}\.\w{1,4}:\d{1,6}: ")
"""Go's logger names the line that logs, behind a time: no failure is told by it."""
_JSON_BAD = re.compile(
    r"\"(?:err|error|exception|stack_?trace|traceback)\" ?: ?(?!null|\"\"|\[\]|\{\}|false|0\b)"
    r"|\b(?:err|error)=(?!0\b|none\b|<?nil\b|null\b|false\b)\S"
    r"|\bstatus(?:_?code)?[\"']? ?[=:] ?[\"']?5\d\d\b|\bHTTP/\d(?:\.\d)?\"? 5\d\d\b",
    re.IGNORECASE,
)


_SAID = (_WORDS, _JSON_BAD, _ENDED, _RAISED)
_BULLET = re.compile(r"(?:[-*•>+]|\d{1,3}[.)]) +")
_BEGINS_BAD = re.compile(
    r"(?:[\w ./-]{1,40}[:=-] +)?(?:ERROR|CRITICAL|FATAL|FAIL(?:ED|URE)?|REJECTED|REFUSED|(?i:error|failed|failure"
    r"|fatal)(?=: )|❌|🔴|🛑|🚨"
    r"|(?:[a-z_]\w{0,80}\.){0,8}[A-Z]\w{0,80}(?:Error|Exception)(?=:))(?![\w=])(?![\"']?\s{0,40}[:=]?\s{0,40}\d)"
)
_FIELD_BAD = re.compile(
    r"\"(?:err|error|exception|stack_?trace|traceback|reason)\" ?: ?\"(?=[^\"]{0,400}?(?i:error|fail|refus|reject"
    r"|timed out|denied|lost|invalid|not found))"
)


def is_crash(text: str) -> bool:
    """Tell whether a line is the first of what a runtime prints when a program falls."""
    return _CRASH.match(text) is not None


def speaks_of_error(text: str) -> bool:
    """Tell whether a line of an unknown shape may tell of an error, or of a process that ended; a drawn box does not."""
    if "\u2500" <= text[:1] <= "\u259f":
        return False
    found = object_of(text)
    if found is not None:
        return tells_failure(found) or any(speaks_of_error(each) for each in sentences(found))
    suspect = any(pattern.search(text) for pattern in _SAID) or fails_abroad(text) or "alert" in text.lower()
    if suspect:  # what the words mean is asked only where there are any: most lines have none
        bare = without_harmless(text)
        if any(pattern.search(bare) for pattern in _SAID) or fails_abroad(bare) or alerts_of_failure(bare):
            return True
    return _STACK.match(text) is not None or _comes_from_code(text)


def fails_in_table(text: str) -> bool:
    """Tell whether an indented line itself says that something failed: it begins with the word, or a field holds it.

    Indented lines are of a table, a list or a dump: a word of failure later in it is a column's, or a value's.
    """
    inner = _BULLET.sub("", text.strip(), count=1)
    bare = without_harmless(inner)
    return _BEGINS_BAD.match(bare) is not None or _FIELD_BAD.match(inner) is not None


def _comes_from_code(text: str) -> bool:
    """Tell whether a line names a line of source code and says something; a place alone (``/app/index.js:3``) does not."""
    found = _PLACE.search(text)
    if found is None or _ONLY_WARNS.search(text) or _CALLER.match(text):
        return False
    return " " in text[: found.start()].strip() or bool(text[found.end() :].strip(" :"))

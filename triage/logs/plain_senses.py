"""Words of an error in a sentence that tells of none: a query, a name, a rejected signal, a retry that went well. Pure.

Beside ``other_senses``, which knows settings and counts of none. What is taken out is only what the sense covers: in
``query failed: SELECT …`` the failure stays.
"""

from __future__ import annotations

import re

_BAD = (
    r"(?:errors?|err|fail(?:s|ed|ing|ures?)?|exceptions?|reject(?:s|ed|ions?)?|refused|denied|killed|lost|missing"
    r"|invalid|crash(?:es|ed)?"
    r"|time-?outs?|timed out|disconnect(?:s|ed|ion)?|abort(?:s|ed)?|died|unreachable|broken)"
)
_QUERY = re.compile(
    r"\b(?:select (?:distinct |\*|\w{1,30}\(|[\w.\"`]{1,80}(?:,| from| as )).{0,2000}?\bfrom"
    r"|select [\w.\"`]{1,80} from|insert into|update \S{1,80} set|delete from|(?:create|alter|drop"
    r"|truncate) (?:table|index|view))\b"
    r"|^\s*(?-i:FROM|WHERE|AND|OR|ORDER BY|GROUP BY|HAVING|LIMIT|SET|VALUES|(?:LEFT |INNER )?JOIN"
    r"|RETURNING)\b (?=[\w\"'(`])",
    re.IGNORECASE,
)
"""A statement of SQL, or a line of one that was printed over several."""
_IN_QUERY = re.compile(
    r"'(?:[^'\\]|''|\\.){0,400}'|\"\w{1,80}\"|`\w{1,80}`|\([\w\s,.\"`*]{1,2000}\)"
    r"|\b(?:SELECT|FROM|INTO|TABLE|UPDATE|JOIN|SET|WHERE|AND|OR|BY|INDEX|VIEW|RETURNING)\s+[\w.\"`]{1,80}"
    r"|,\s*[\w.\"`]{1,80}(?=\s*(?:,|FROM\b|$))|\b[\w.]{1,80}(?=\s*(?:<>|!=|[=<>]|\bIS\b|\bIN\b|\bLIKE\b))",
    re.IGNORECASE,
)
"""Its values, its columns and its tables: none of them is said of this run."""
_KEPT_IN = (
    r"(?:queues?|topics?|exchanges?|channels?|streams?|subjects?|tables?|tags?|labels?|groups?|sections?"
    r"|metrics?|counters?)"
)
_NAMES = re.compile(
    rf"\b(?:{_KEPT_IN}|subscrib\w{{2,5}} to|consum\w{{2,4}} from"
    rf"|publish\w{{2,4}} to) ['\"`]?(?=[\w-]{{1,60}}[.:])[\w.:-]{{3,160}}(?<![.:])"
    rf"|\b{_KEPT_IN} (?:['\"`]{_BAD}['\"`])|(?<![\w.])(?:[\w-]{{1,60}}[.:]){{1,8}}(?:v\d{{1,3}}|dl[qx]|queue|topic"
    rf"|stream)(?![\w.:])"
    r"|\bhttps?://\S+",
    re.IGNORECASE,
)
"""What is called so, a queue above all (``topic orders.failed``), and addresses; ``order.failed`` is an event."""
_OF_MARKET = re.compile(
    r"\b(?:resistances?|supports?|break-?(?:out|down)s?|re-?tests?|hypothes[ie]s|outliers?|patterns?|setups?"
    r"|rall(?:y|ies))"
    r"(?: (?:at|of|near|level|[\d.,]{1,12}|was|were|is|are|has|have)){0,4} (?:rejected|refused|invalid(?:ated)?"
    r"|failed|lost|broken|violated)"
    r"(?: to (?:hold|break))?\b|\b(?:signals?|entr(?:y|ies)|candidates?) (?:was |were |is |are )?(?:rejected"
    r"|invalid(?:ated)?)\b",
    re.IGNORECASE,
)
"""What the market did, and what a strategy or a filter sorted out."""
_WENT_WELL = (
    r"\b(?:succe(?:eds?|eded|ssful(?:ly)?)|recover(?:s|ed)|re-?connected|re-?established|resumed|restored"
    r"|back (?:online|up)|is back"
    r"|connected|placed|delivered|sent|completed|ok)\b"
)
_WHICH = (
    r"(?:an?|the|its|our|\d{1,4}|first|previous|some|several|many|connection|network|brief|short|temporary"
    r"|initial|last)"
)
_AFTER = re.compile(
    rf"(?P<well>{_WENT_WELL}.{{0,60}}?)(?:\b(?:after|despite|following"
    rf"|from) (?:{_WHICH} ){{0,3}}?{_BAD}(?: (?:attempts?|tries|requests?))?\b"
    rf"|\((?:the )?(?:first|previous|earlier|last|\d{{1,3}}) (?:attempts?|tr(?:y|ies)"
    rf"|requests?) (?:\w{{1,12}} )?{_BAD}\))(?P<rest>.*)",
    re.IGNORECASE,
)
"""It works again: what went wrong before is over, unless more is said behind it."""
_MEASURED = re.compile(
    r"\berrors?(?: of)?\s?[:=]?\s?[-+±~≈]?\d{1,6}\.\d{1,12}(?:e-?\d{1,3})?\s?(?:%|bps?|pct)?(?![\w.:])",
    re.IGNORECASE,
)
"""A deviation, in figures: ``hedge error 0.3 bps``."""
_COUNTED_NONE = re.compile(
    rf"\b{_BAD}[:=]? 0(?:\s?/\s?\d{{1,9}})?(?=\s*(?:[,;|)]|\(|$))|\b(?:error|failure|reject(?:ion)?|time-?out"
    rf"|cancel_fail) rate[:=]? 0(?:\.0+)?\s?%?(?![\w.])",
    re.IGNORECASE,
)
_IF_EVER = re.compile(
    rf"\b(?:if|whenever|unless|in case)\b[^.;:,\n]{{0,60}}?\b{_BAD}\b|\bwhen\b[^.;:,\n]{{0,40}}?\b(?:fails"
    rf"|is (?:lost|rejected|refused|denied))\b"
    rf"|\b(?:none|not one|neither) of\b[^.;:,\n]{{0,40}}?\b{_BAD}\b|\bwithout (?:any |an |further )?{_BAD}\b"
    r"|\bfix(?:ed|es)?:? (?:(?:an?|the|rare|possible|some|several|old) ){0,2}(?:errors?|crash(?:es)?|bugs?"
    r"|failures?|exceptions?)\b"
    r"(?: (?:when|where|if|in|on)\b.*)?"
    r"|\bhandlers? (?:for|of) [\w.]{1,60}(?:Error|Exception)\b"
    r"|\b(?:error|exception|failure|crash)s?[ _-](?:hooks?|tracking|loggers?|logging|maps?|mapping|boundar(?:y|ies)"
    r"|channels?|topics?|queues?"
    r"|webhooks?|callbacks?|counters?|catalogs?)\b(?! (?:is |was |has )?(?:down|full|dead|stuck|gone))",
    re.IGNORECASE,
)
"""Conditions, negations, release notes, and what is there for the case of an error."""
_SENSES = (_OF_MARKET, _MEASURED, _COUNTED_NONE, _IF_EVER)


def without_plain(text: str) -> str:
    """Return the text without words of an error that its sentence means otherwise."""
    if _QUERY.search(text) is not None:
        text = _IN_QUERY.sub(" ", text)
    text = _NAMES.sub("it", text)  # a word in its place: "stream … lost" is still about something
    for sense in _SENSES:
        text = sense.sub(" ", text)
    return _AFTER.sub(lambda found: f"{found['well']} {found['rest']}", text)

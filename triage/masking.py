"""Secrets out of foreign text, before it is stored, shown or compared.

A mask keeps what helps to see *which* secret it was (the key's name, a scheme, a prefix) and nothing
of its value. Masking twice changes nothing.
"""

from __future__ import annotations

import re

MASK = "***"

_VALUE = r"(?:\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|[^\s\"',;&}\])>]+)"
_KEY_NAMES = (
    r"(?:pass(?:wd|word|phrase)?|pwd|secret|token|api[-_ ]?key|apikey|access[-_ ]?key|secret[-_ ]?key|"
    r"private[-_ ]?key|client[-_ ]?secret|auth(?:entication)?[-_ ]?token|session[-_ ]?id|"
    r"signature|(?<![A-Za-z])sign|credential|mnemonic|seed[-_ ]?phrase|ACCESS-(?:KEY|SIGN|PASSPHRASE))"
)

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        "-----PRIVATE KEY " + MASK,
    ),
    # user:password@host in any URL
    (
        re.compile(
            r"(?P<keep>\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@\"']{0,200}:)[^\s/@\"']{1,500}(?=@)", re.IGNORECASE
        ),
        r"\g<keep>" + MASK,
    ),
    # Authorization: Bearer …, Basic …
    (
        re.compile(
            r"(?P<keep>\b(?:bearer|basic|digest)\s{1,4})(?=[A-Za-z0-9+/_.=-]{8,})[A-Za-z0-9+/_.~=-]+",
            re.IGNORECASE,
        ),
        r"\g<keep>" + MASK,
    ),
    # hooks.slack.com/services/T…/B…/…
    (re.compile(r"(?P<keep>hooks\.slack\.com/(?:services|workflows)/)[A-Za-z0-9/_-]+"), r"\g<keep>" + MASK),
    # tokens that name themselves
    (re.compile(r"\b(?P<keep>xox[a-z]-|xapp-|xwfp-)[A-Za-z0-9-]{6,}"), r"\g<keep>" + MASK),
    (
        re.compile(
            r"\b(?P<keep>gh[pousr]_|github_pat_|glpat-|glsa_|sk-|sk_live_|pk_live_|rk_live_)[A-Za-z0-9_-]{10,}"
        ),
        r"\g<keep>" + MASK,
    ),
    (re.compile(r"\b(?P<keep>AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b"), r"\g<keep>" + MASK),
    (re.compile(r"\b(?P<keep>bg_)[0-9a-f]{24,}\b"), r"\g<keep>" + MASK),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?"), "jwt:" + MASK),
    (re.compile(r"\b(?P<keep>bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{30,}"), r"\g<keep>" + MASK),
    # key=value, "key": "value", --key value
    (
        re.compile(
            r"(?P<keep>(?<![A-Za-z0-9])[\"']?[A-Za-z0-9_.-]{0,40}?"
            + _KEY_NAMES
            + r"(?:[_-][A-Za-z0-9]{1,20})?[\"']?\s{0,3}(?:=>|[:=])\s{0,3})"
            r"(?!(?:\s|\"\"|''|None\b|null\b|true\b|false\b|\"?\*\*\*))" + _VALUE,
            re.IGNORECASE,
        ),
        r"\g<keep>" + MASK,
    ),
    # key=<long hex or base64>: whatever the key's name is
    (
        re.compile(
            r"(?P<keep>\b[A-Za-z][A-Za-z0-9_-]{0,40}[=:]\s?[\"']?)(?:[0-9a-fA-F]{32,}|[A-Za-z0-9+/]{43,}={0,2})(?![A-Za-z0-9])"
        ),
        r"\g<keep>" + MASK,
    ),
)


def masked(text: str) -> str:
    """Return the text with what looks like a secret replaced by ``***``."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text

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

_STEMS = ("pass", "pwd", "secret", "token", "key", "session", "sign", "credential", "mnemonic", "seed")

# Each rule begins with words of which one must be there (in lower case) for it to match at all: most texts hold no
# secret, and looking for a word costs a hundredth of trying the expression.
_RULES: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        "-----PRIVATE KEY " + MASK,
    ),
    # user:password@host in any URL
    (
        ("://",),
        re.compile(
            r"(?P<keep>\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@\"']{0,200}:)[^\s/@\"']{1,500}(?=@)", re.IGNORECASE
        ),
        r"\g<keep>" + MASK,
    ),
    # Authorization: Bearer …, Basic …
    (
        ("bearer", "basic", "digest"),
        re.compile(
            r"(?P<keep>\b(?:bearer|basic|digest)\s{1,4})(?=[A-Za-z0-9+/_.=-]{8,})[A-Za-z0-9+/_.~=-]+",
            re.IGNORECASE,
        ),
        r"\g<keep>" + MASK,
    ),
    # hooks.slack.com/services/T…/B…/…
    (
        ("hooks.slack.com/",),
        re.compile(r"(?P<keep>hooks\.slack\.com/(?:services|workflows)/)[A-Za-z0-9/_-]+"),
        r"\g<keep>" + MASK,
    ),
    # tokens that name themselves
    (
        ("xox", "xapp-", "xwfp-"),
        re.compile(r"\b(?P<keep>xox[a-z]-|xapp-|xwfp-)[A-Za-z0-9-]{6,}"),
        r"\g<keep>" + MASK,
    ),
    (
        (
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "glsa_",
            "sk-",
            "sk_live_",
            "pk_live_",
            "rk_live_",
        ),
        re.compile(
            r"\b(?P<keep>gh[pousr]_|github_pat_|glpat-|glsa_|sk-|sk_live_|pk_live_|rk_live_)[A-Za-z0-9_-]{10,}"
        ),
        r"\g<keep>" + MASK,
    ),
    (
        ("akia", "asia", "aroa", "aida"),
        re.compile(r"\b(?P<keep>AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b"),
        r"\g<keep>" + MASK,
    ),
    (("bg_",), re.compile(r"\b(?P<keep>bg_)[0-9a-f]{24,}\b"), r"\g<keep>" + MASK),
    (("eyj",), re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?"), "jwt:" + MASK),
    ((":aa",), re.compile(r"\b(?P<keep>bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{30,}"), r"\g<keep>" + MASK),
    # key=value, "key": "value", --key value
    (
        _STEMS,
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
        ("=", ":"),
        re.compile(
            r"(?P<keep>\b[A-Za-z][A-Za-z0-9_-]{0,40}[=:]\s?[\"']?)(?:[0-9a-fA-F]{32,}|[A-Za-z0-9+/]{43,}={0,2})(?![A-Za-z0-9])"
        ),
        r"\g<keep>" + MASK,
    ),
)


# What most texts pass at once: none of those words, and no long value behind a key (the last rule's matter).
_ALL_WORDS = {word for words, _, _ in _RULES[:-1] for word in words}
_WORDS = tuple(word for word in _ALL_WORDS if not any(other in word for other in _ALL_WORDS - {word}))
_LONG_VALUE = re.compile(r"[=:]\s?[\"']?[0-9A-Za-z+/]{32}")


def _named(lower: str) -> bool:
    for word in _WORDS:  # noqa: SIM110 - a generator would cost more than the looks themselves
        if word in lower:
            return True
    return False


def masked(text: str) -> str:
    """Return the text with what looks like a secret replaced by ``***``."""
    lower = text.lower()
    # Beyond ASCII an expression that ignores case knows more twins of a letter than lower() does.
    plain = text.isascii()
    if plain and not _named(lower) and _LONG_VALUE.search(text) is None:
        return text
    for needles, pattern, replacement in _RULES:
        if not plain or any(needle in lower for needle in needles):
            text = pattern.sub(replacement, text)
    return text

"""Secrets in the formats of files and tools: hashes of passwords, ACLs, lines of ``.pgpass``, keys as lists of bytes."""

from __future__ import annotations

import re

from triage.masking.model import SecretKind, SecretMatch, Span, Text, hide_match
from triage.masking.shapes import says_nothing

_CRYPT = re.compile(
    r"(?:\$(?:apr1|1|2[abxy]?|5|6|7|g?y|argon2(?:id|i|d)|scrypt|pbkdf2-\w{1,10})\$|\{s?sha(?:256|512)?\})"
    r"(?P<rest>[A-Za-z0-9./+=,$-]{12,})",
    re.IGNORECASE,
)
_ACL = re.compile(r"(?:setuser|(?<![a-z])user)[ \t]+\S{1,60}[ \t][^\n>]{0,120}>(?P<rest>[^\s\"']{1,200})")
_PGPASS = re.compile(
    r"^[ \t]*[\w.*-]{1,100}:(?:\d{2,5}|\*):(?:\*|[A-Za-z_][\w-]*):(?:\*|[A-Za-z_][\w-]*):"
    r"(?P<rest>(?![ \t])(?:[^:\\\r\n]|\\.){4,200})\r?$",
    re.MULTILINE,
)
_PIPED = re.compile(
    r"(?<![a-z])(?:echo|printf)(?:[ \t]+-[a-z]+)?[ \t]+(?P<quote>[\"']?)(?P<rest>[^\"'|\n]{1,200}?)(?P=quote)[ \t]*\|[ \t]*"
    r"(?:sudo(?:[ \t]+\S+)*?[ \t]+-s(?![a-z])|docker[ \t]+login|podman[ \t]+login|helm[ \t]+registry|chpasswd|passwd[ \t]|"
    r"cryptsetup|gpg)"
)
_CODE = re.compile(
    r"(?:2fa|mfa|t?otp|verification|authenticator|one-time|sms|login)[ _-](?:code|pin|passcode)[\"']?"
    r"(?:[ \t]?[:=]|[ \t]is|[ \t])[ \t]*[\"']?(?P<rest>\d{4,8})(?![\w.])"
)
_PIN = re.compile(r"(?<![a-z])pin[\"']?[ \t]?[:=][ \t]*[\"']?(?P<rest>\d{4,8})(?![\w.])")
_NETRC = re.compile(
    r"(?<![a-z])(?:machine\s+\S{1,200}(?:\s+(?:login|account)\s+\S{1,200}){0,2}|default(?:\s+(?:login|account)\s+\S{1,200}){1,2})"
    r"\s+password\s+(?P<rest>\S{1,200})"
)
"""``default`` alone is said of passwords in sentences: ``the default password is …``."""
_LOGIN = re.compile(
    r"\\?\"op\\?\"\s?:\s?\\?\"(?:auth|login)\\?\"\s?,\s?\\?\"args\\?\"\s?:\s?\[(?P<rest>[^\]{]{6,2000})"
)
_AUTH_PAIR = re.compile(
    r"(?:basicauth\(|(?<![a-z])auth[\"']?\s?[:=]\s?\()\s?(?:login\s?=\s?)?[\"'][^\"'\n]{1,60}[\"'],\s?[\"'](?P<rest>[^\"'\n]{1,200})[\"']"
)
_SIGNED_URL = re.compile(r"[?&;]sig=(?P<rest>[^&\s\"'<>]{10,})")
_SMTP = re.compile(
    r"334[ \t]+UGFzc3dvcmQ6[^\n]{0,40}\n(?:[^\n:]{0,40}[:>][ \t]*)?(?P<rest>[A-Za-z0-9+/]{2,400}={0,2})"
)
"""What is sent behind "Password:" in base64, as a mail server asks for it."""
_GROUPS = re.compile(
    r"(?:seed|entropy|priv(?:ate)?|secret|prime\d?|exponent\d?|coefficient)[a-z_ -]{0,20}(?:\([^()\n]{1,30}\))?"
    r"[ \t]*[:=]?\s{1,12}"
    r"(?P<rest>(?:0x)?[0-9a-f]{2,8}(?:(?:[: \t,]|:?\r?\n[ \t]{0,12})(?:0x)?[0-9a-f]{2,8}){7,600})(?![0-9a-z])"
)
_KEY_DIGITS = 32
_BYTES = re.compile(r"\[(?P<rest>\s?\d{1,3}(?:,\s?\d{1,3}){63})\s?\]")
_LEAST_DIFFERENT, _BYTE = 40, 256


def _piped(_: Text, match: re.Match[str]) -> SecretMatch:
    value = match["rest"].strip()
    if says_nothing(value) or value.startswith("$"):
        return SecretMatch(match.end())
    return SecretMatch(match.end(), (Span(match.start("rest"), match.end("rest")),))


def _bytes(_: Text, match: re.Match[str]) -> SecretMatch:
    """Look at a list of 64 numbers: a key as some chains' tools write it, where they are bytes and hardly two the same."""
    numbers = [int(each) for each in match["rest"].split(",")]
    if max(numbers) >= _BYTE or len(set(numbers)) < _LEAST_DIFFERENT:
        return SecretMatch(match.end())
    return SecretMatch(match.end(), (Span(match.start("rest"), match.end("rest")),))


def _groups(_: Text, match: re.Match[str]) -> SecretMatch:
    """Look at groups of hexadecimal digits behind the name of a key: 128 bits of them and more are one."""
    digits = re.sub(r"0x|[^0-9a-f]", "", match["rest"])
    good = len(digits) >= _KEY_DIGITS and not digits.isdigit() and not digits.isalpha()
    return SecretMatch(match.end(), (Span(*match.span("rest")),) if good else ())


_LINES_BELOW = r"(?:data|stringData):[ \t]*\r?\n(?P<{0}>(?:{1}[ \t][^\n]*(?:\n|\Z)){{1,200}})"
"""One space and the rest: a line that could be read in several ways would be read in all of them, each with each other."""
_KUBERNETES = re.compile(
    r"^[ \t-]{0,20}kind:[ \t]*[\"']?Secret[\"']?[ \t]*\r?\n(?:(?![ \t]*(?:data|stringData):|---)[^\n]*\n){0,40}[ \t]*"
    + _LINES_BELOW.format("below", "")
    + r"|^(?P<indent>[ \t]{0,20})(?:-[ \t]{1,4}){0,3}"
    + _LINES_BELOW.format("above", "(?P=indent)")
    + r"(?=(?:(?![ \t]*kind:|---)[^\n]*\n){0,5}[ \t]*kind:[ \t]*[\"']?Secret(?![A-Za-z]))"
    + r"|\"kind\"\s?:\s?\"Secret\"[^{}]{0,400}(?:\{[^{}]{0,2000}\}[^{}]{0,400}){0,2}?"
    + r"\"(?:data|stringData)\"\s?:\s?\{(?P<json>[^{}]{1,20000})\}"
    + r"|\"(?:data|stringData)\"\s?:\s?\{(?P<before>[^{}]{1,20000})\}\s?,\s?\"kind\"\s?:\s?\"Secret\"",
    re.MULTILINE,
)
_JSON_PAIR = re.compile(r"\"[\w.-]{1,253}\"\s?:\s?\"(?P<value>(?:[^\"\\]|\\.){1,20000}+)\"")
_PAIR = re.compile(
    r"^[ \t]+[\"']?[\w.-]{1,253}[\"']?:[ \t]*(?P<value>[^\s#][^\n]*(?:\n(?=[ \t]{4})[^\n]*)*)", re.MULTILINE
)


def _kubernetes(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide each value of a Kubernetes Secret, whatever its key is called."""
    group = next(name for name in ("below", "above", "json", "before") if match[name] is not None)
    pairs = _JSON_PAIR if group in {"json", "before"} else _PAIR
    spans = tuple(
        Span(*pair.span("value"))
        for pair in pairs.finditer(text.whole, *match.span(group))
        if not says_nothing(pair["value"])
    )
    return SecretMatch(match.end(), spans)


KINDS = (
    SecretKind("value of a Kubernetes Secret", ("secret",), _KUBERNETES, _kubernetes),
    SecretKind("answer to a mail server", ("334 ",), _SMTP, hide_match("rest")),
    SecretKind(
        "key in groups of digits",
        ("seed", "entropy", "priv", "secret", "prime", "exponent", "coefficient"),
        _GROUPS,
        _groups,
        folded=True,
    ),
    SecretKind(
        "hash of a password",
        (
            "$apr1$",
            "$1$",
            "$2",
            "$5$",
            "$6$",
            "$7$",
            "$y$",
            "$gy$",
            "$argon2",
            "$scrypt$",
            "$pbkdf2",
            "{sha",
            "{ssha",
        ),
        _CRYPT,
        hide_match("rest"),
    ),
    SecretKind("password of an ACL", ("setuser", " on >"), _ACL, hide_match("rest"), folded=True),
    SecretKind(
        "line of .pgpass",
        (":5432:", ":5433:", ":5434:", ":6432:", ":6543:", ":15432:", ":25060:", ":26257:", ":*:"),
        _PGPASS,
        hide_match("rest"),
    ),
    SecretKind("piped password", ("echo ", "printf "), _PIPED, _piped, folded=True),
    SecretKind(
        "one-time code",
        ("2fa", "mfa", "otp", "verification", "authenticator", "one-time", "sms", "login"),
        _CODE,
        hide_match("rest"),
        folded=True,
    ),
    SecretKind("user and password in a pair", ("auth",), _AUTH_PAIR, hide_match("rest"), folded=True),
    SecretKind("PIN", ("pin",), _PIN, hide_match("rest"), folded=True),
    SecretKind("line of .netrc", ("password",), _NETRC, hide_match("rest"), folded=True),
    SecretKind("login to an exchange's stream", ('"args',), _LOGIN, hide_match("rest"), folded=True),
    SecretKind("signature of an address", ("sig=",), _SIGNED_URL, hide_match("rest"), folded=True),
    SecretKind("key as a list of bytes", (), _BYTES, _bytes, seen="\\[[^0-9]?[0-9]{1,3},"),
)

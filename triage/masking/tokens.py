"""Secrets that give themselves away: by a prefix, or because only a machine makes such a run of characters."""

from __future__ import annotations

import re
from itertools import pairwise

from triage.masking.model import SecretKind, SecretMatch, Span, Text, hide_match
from triage.masking.shapes import is_mixed, is_public_address

_W = r"(?<![A-Za-z0-9])"


def _prefixed(name: str, prefixes: str, rest: str) -> SecretKind:
    """Return a kind of tokens that begin with one of some prefixes (separated by spaces); the prefix stays.

    ``rest``: a pattern that begins with six characters of ASCII or more.
    """
    begin = f"(?:{'|'.join(map(re.escape, prefixes.split()))})"
    pattern = re.compile(rf"{_W}{begin}(?P<rest>{rest})")
    return SecretKind(name, (), pattern, hide_match("rest"), seen=f"{begin}[!-~]{{6}}")


SERVICES = (
    _prefixed(
        "Slack token",
        "xoxa- xoxb- xoxc- xoxd- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp- xwfp-",
        r"[\w.%-]{6,}",
    ),
    _prefixed("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\w{10,}"),
    _prefixed("GitLab token", "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- GR1348941", r"[\w.-]{10,}"),
    _prefixed("Grafana token", "glsa_ glc_", r"[\w+/=-]{16,}"),
    _prefixed("AWS key id", "AKIA ASIA AROA AIDA ABIA ACCA", r"[A-Z0-9]{12,}(?![A-Za-z0-9])"),
    _prefixed("Google key", "AIza", r"[\w-]{30,}"),
    _prefixed("Google OAuth token", "ya29. GOCSPX- 1//0", r"[\w-]{16,}"),
    _prefixed(
        "Stripe key",
        "sk_live_ sk_test_ pk_live_ rk_live_ rk_test_ whsec_ shippo_live_ EZAK EZTK",
        r"[\w+/=]{10,}",
    ),
    _prefixed("key of a model service", "sk-ant- sk-proj- sk-or- sk- hf_ gsk_ r8_", r"[\w-]{16,}"),
    _prefixed("package registry token", "npm_ pypi-AgEI dckr_pat_ rubygems_", r"[\w-]{16,}"),
    _prefixed("SendGrid key", "SG.", r"[\w-]{16,}\.[\w-]{16,}"),
    _prefixed(
        "hosting token",
        "dop_v1_ doo_v1_ dor_v1_ dapi dp.st. dp.pt. fo1_ pscale_pw_ pscale_tkn_ sbp_ nfp_ pul- HRKU- tskey-",
        r"[\w.-]{24,}",
    ),
    _prefixed("shop token", "shpat_ shpca_ shppa_ shpss_ sq0atp- sq0csp- EAAA", r"[\w-]{20,}"),
    _prefixed("Vault token", "hvs. hvb. hvr.", r"[\w-]{16,}"),
    _prefixed(
        "work tracker token",
        "ATATT3 ATCTT3 ATBB lin_api_ secret_ ntn_ PMAK- NRAK- figd_ xkeysib- pat-na1- pat-eu1- sntrys_ sntryu_ ops_eyJ",
        r"[\w=-]{20,}",
    ),
    _prefixed("Alibaba key id", "LTAI", r"[A-Za-z0-9]{12,}(?![A-Za-z0-9])"),
    _prefixed("Stellar seed", "S", r"[A-Z2-7]{55}(?![A-Za-z0-9])"),
    _prefixed("age key", "AGE-SECRET-KEY-1 AGE-SECRET-KEY-PQ-1", r"[A-Z0-9]{20,}"),
    _prefixed("Twilio key", "SK", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    _prefixed("Mailgun key", "key-", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    _prefixed("ntfy token", "tk_", r"[a-z0-9]{29}(?![A-Za-z0-9])"),
    _prefixed("PagerDuty key", "R0", r"[A-Z0-9]{30}(?![A-Za-z0-9])"),
    _prefixed("Bitget key", "bg_", r"[0-9a-f]{24,}(?![A-Za-z0-9])"),
)

_TELEGRAM = re.compile(r"(?<![A-Za-z0-9])(?:bot)?\d{7,12}:(?P<rest>[\w-]{30,})")
_DISCORD = re.compile(r"(?<![\w.])(?P<rest>[MNO][\w-]{22,27}\.[\w-]{6}\.[\w-]{27,40})(?![\w.])")
_JWT = re.compile(r"(?<![\w.])eyJ(?P<rest>[\w-]{5,}={0,2}\.[\w-]{4,}={0,2}(?:\.[\w-]*){0,3})")
_SCHEME = re.compile(
    r"(?<![a-z])(?P<scheme>bearer|basic|digest|token|apikey|negotiate|geniekey|splunk|(?<=auth )(?:plain|login))"
    r"(?:[ \t]{1,4}|%20|\+)"
)
_CREDENTIAL = re.compile(r"[\w+/.~=-]{8,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}(?![\w.])")
_LEAST_OF_A_WORD = 16


def _scheme(text: Text, match: re.Match[str]) -> SecretMatch:
    """Look at what stands behind "Bearer" or "Basic": "Basic usage" and "token bucket" hold nothing."""
    pattern = _BASE64 if match["scheme"] == "basic" else _CREDENTIAL
    found = pattern.match(text.whole, match.end())
    if found is None or (match["scheme"] == "token" and _ADDRESS.fullmatch(found[0])):
        return SecretMatch(match.end())
    value = found[0].rstrip(".")
    mixed = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
    inside = any(one.islower() and other.isupper() for one, other in pairwise(value))
    if match["scheme"] in {"token", "digest"}:
        good = mixed and len(value) >= _LEAST_OF_A_WORD and "/" not in value
    else:
        good = mixed or inside or value.endswith("=") or len(value) >= _LEAST_OF_A_WORD
    return (
        SecretMatch(found.end(), (Span(found.start(), found.start() + len(value)),))
        if good
        else SecretMatch(match.end())
    )


_RUN = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{32,}+={0,2}")
_PIECE = re.compile(r"[A-Za-z0-9+]{32,}={0,2}")
_HEX = re.compile(r"(?:0x)?(?=[0-9]*[A-Fa-f])(?=[A-Fa-f]*[0-9])[0-9a-fA-F]+")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
"""The public address of a wallet or a contract: its capitals are a checksum."""

_KEY_BITS = frozenset({64, 128})
"""Hexadecimal digits of a private key or a seed."""

_PUBLIC = re.compile(
    r"(?:(?<![a-z])sha(?:-?(?:1|224|256|384|512))?(?:sum)?(?: \([^()\n]{1,60}\))?|md5(?:sum)?|digest"
    r"|containers?(?:[_-]?id)?|containerd|cid|volumes?|networks?|images?|layers?|manifest|blobs?|overlay2?|hash|checksum"
    r"|txn?s?|tx_?id|transaction|block|(?:state|merkle|receipts|storage) ?root|outpoint|utxo|deposit|withdrawal"
    r"|commit|(?<![A-Za-z])id|(?:trace|span|request|correlation)[_-]?id|etag|trace|span|fingerprint|libpod|shim|task"
    r"|(?:docker|podman|ctr|nerdctl)(?: (?:logs|inspect|exec|start|stop|restart|kill|rm|stats|top|cp))?"
    r"|revision|rev|head(?: \d+)?|follows|chain)"
    r"[\s\"':=@/(\[-]{0,5}(?:0x)?\Z|(?:containers|overlay2|blobs|layers)/\S{0,80}\Z",
    re.IGNORECASE,
)
"""What stands before hexadecimal digits that anybody may see."""

_INTEGRITY = ("sha256-", "sha384-", "sha512-")
"""The checksum of a package in base64, which anybody may see; so is the fingerprint of an SSH key (``SHA256:``)."""
_NAME = re.compile(r"[A-Za-z][\w-]{0,40}(?:=|:\s?)[\"']?\Z")
_BEFORE = 120
_OF_A_FILE = re.compile(r"(?: [ *]| {2,4})[\w./-]{1,200}\.\w{1,5}(?=\s|$)")
"""What ``sha256sum`` prints behind a checksum at the start of a line."""
_BASE58_ID = re.compile(r"[1-9A-HJ-NP-Za-km-z]{40,44}")
_NAMES_AN_ID = re.compile(
    r"(?:executor|order|oid|leader|validator|mint|program|public|pubkey)(?:[_ -]?(?:id|key|address))?"
    r"\\{0,3}[\"']?[ \t]?[:=]?[ \t]?\\{0,3}[\"']?\Z",
    re.IGNORECASE,
)
"""What stands before the 32 bytes in base58 that Hummingbot names an executor with, and Solana what anybody may see."""


def _run(text: Text, match: re.Match[str]) -> SecretMatch:
    """Look at one long run of letters and digits: whole, then in the pieces that "/" and "-" make of it."""
    run = match[0]
    before = text.whole[max(0, match.start() - 8) : match.start()]
    if _ADDRESS.fullmatch(run) or before.endswith(("SHA256:", "SHA512:")) or run.startswith(_INTEGRITY):
        return SecretMatch(match.end())
    if _BASE58_ID.fullmatch(run) and _NAMES_AN_ID.search(
        text.whole, max(0, match.start() - 40), match.start()
    ):
        return SecretMatch(match.end())
    if is_public_address(run):
        return SecretMatch(match.end())
    if _is_key(text.whole, match.start(), run) or ("/" not in run[:1] and is_mixed(run.rstrip("="))):
        return SecretMatch(match.end(), (Span(match.start(), match.end()),))
    spans = tuple(
        Span(piece.start(), piece.end())
        for piece in _PIECE.finditer(text.whole, match.start(), match.end())
        if _is_key(text.whole, piece.start(), piece[0]) or is_mixed(piece[0].rstrip("="))
    )
    return SecretMatch(match.end(), spans)


def _is_key(text: str, start: int, value: str) -> bool:
    """Tell whether hexadecimal digits are a key: 64 or 128 of them, or 32 and more behind a name; no digest or id."""
    if _HEX.fullmatch(value) is None:
        return False
    before = text[max(0, start - _BEFORE) : start]
    if _PUBLIC.search(before) is not None:
        return False
    if before[-1:] in {"", "\n"} and _OF_A_FILE.match(text, start + len(value)) is not None:
        return False
    return len(value.removeprefix("0x")) in _KEY_BITS or _NAME.search(before) is not None


_PEM_LINE = re.compile(r"^[ \t>|]*(?P<rest>[A-Za-z0-9+/]{40,76}={0,2})[ \t]*\r?$", re.MULTILINE)


def _pem_line(_: Text, match: re.Match[str]) -> SecretMatch:
    """Look at a line of base64 on its own: a piece of a key whose first line is somewhere else."""
    value = match["rest"]
    cases = any(char.islower() for char in value) and any(char.isupper() for char in value)
    if (
        not cases
        or not any(char in "0123456789+/=" for char in value)
        or value.startswith("/")
        or _ADDRESS.fullmatch(value)
    ):
        return SecretMatch(match.end())
    return SecretMatch(match.end(), (Span(match.start("rest"), match.end("rest")),))


KINDS = (
    *SERVICES,
    SecretKind("Telegram bot token", (), _TELEGRAM, hide_match("rest"), seen="[0-9]{7}:[!-~]{30}"),
    SecretKind("Discord bot token", (), _DISCORD, hide_match("rest"), seen=r"[MNO][!-~]{22,27}\.[!-~]{6}\."),
    SecretKind("JSON web token", ("eyj",), _JWT, hide_match("rest")),
    SecretKind(
        "credential of a scheme",
        (
            "bearer",
            "basic",
            "digest",
            "token",
            "apikey",
            "negotiate",
            "geniekey",
            "splunk",
            "auth plain",
            "auth login",
        ),
        _SCHEME,
        _scheme,
        folded=True,
    ),
    SecretKind("line of a PEM block", (), _PEM_LINE, _pem_line, seen="[A-Za-z0-9+/]{40}"),
    SecretKind("machine-made run", (), _RUN, _run, seen="[A-Za-z0-9+/_-]{32}"),
)

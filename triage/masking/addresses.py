"""Secrets in addresses: user information, and webhooks whose path is the secret."""

from __future__ import annotations

import re

from triage.masking.model import SecretKind, SecretMatch, Span, Text, hide_match
from triage.masking.shapes import says_nothing

MOST = 1_000
_SCHEME = re.compile(r"(?<![a-z0-9+.-])(?P<scheme>[a-z][a-z0-9+.-]{0,20})://")
_RUN = re.compile(rf"[^\s\"]{{0,{MOST}}}")
_HOST = re.compile(
    r"@(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\{[^{}\s]*\}|\$\{?\w+\}?)?"
    r"(?P<port>:\d{1,5})?(?=[/?#,;)\]}>'\"`\s|.]|$)"
)
_NEXT = re.compile(r"[,;|'\"\])}>][a-z][a-z0-9+.-]{0,20}://|['`][,;)\]}]", re.IGNORECASE)
_PORT = re.compile(r"\d{1,5}[/?#]")
_OPEN_TO_ALL = frozenset({"ssh", "git", "git+ssh", "sftp"})
"""Schemes whose user name alone is no secret."""

_LONG_USER = 20


def _url(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide the password of ``scheme://user:password@host``, whatever is in it; and a user that is a token."""
    start = match.end()
    found = _RUN.match(text.whole, start)
    run = found[0] if found is not None else ""
    over = _NEXT.search(run)
    run = run[: over.start()] if over is not None else run
    hosts = list(_HOST.finditer(run))
    if not hosts:
        return _with_spaces(text.whole, match, start)
    host = hosts[-1]
    user, colon, password = run[: host.start()].partition(":")
    if not colon:
        return _user_alone(match, user, start)
    if re.search(r"[/?#]", user) or _is_path(match["scheme"], password, host):
        return SecretMatch(start)
    end = start + host.start()
    whole = not password or password == "x-oauth-basic" or len(user) >= _LONG_USER  # noqa: S105 - says: no password
    begin = start if whole else start + len(user) + 1
    return SecretMatch(end) if says_nothing(text.whole[begin:end]) else SecretMatch(end, (Span(begin, end),))


_SPACED = re.compile(
    r"[^\s/?#@:\"']{0,60}:(?!\d{1,5}(?:[/?#,;.)\s]|$))(?P<rest>[^\s\"'@/][^\r\n\"@]{0,80}?)@[A-Za-z0-9_][\w.-]{0,120}(?P<after>:\d|/|[\"'])"
)


def _with_spaces(text: str, match: re.Match[str], start: int) -> SecretMatch:
    """Hide a password with spaces, where a port, a path or the closing quote says that a host follows."""
    found = _SPACED.match(text, start)
    before = text[match.start() - 1 : match.start()]
    if found is None or "://" in found["rest"] or (found["after"] in "\"'" and found["after"] != before):
        return SecretMatch(start)
    return SecretMatch(found.end("rest"), (Span(found.start("rest"), found.end("rest")),))


def _is_path(scheme: str, password: str, host: re.Match[str]) -> bool:
    """Tell whether what follows the colon is a port and a path: ``http://host:8080/@scope/package``."""
    web = scheme in {"http", "https", "ws", "wss"}
    return web and _PORT.match(password) is not None and host["port"] is None


def _user_alone(match: re.Match[str], user: str, start: int) -> SecretMatch:
    if not user or match["scheme"] in _OPEN_TO_ALL or re.search(r"[/?#]", user) or says_nothing(user):
        return SecretMatch(start)
    return SecretMatch(start + len(user), (Span(start, start + len(user)),))


_BARE = re.compile(
    r"(?<![\w/@:.-])[A-Za-z_][\w.-]{0,60}:(?:(?P<rest>[^\s\"@/:]{3,200})@(?=[A-Za-z0-9_.-]{1,120}(?::\d|/))"
    r"|(?P<of_go>[^\s\"(]{1,200}?)@(?=(?:tcp6?|unix)\())"
)


def _bare(_: Text, match: re.Match[str]) -> SecretMatch:
    """Hide the password of ``user:password@host:5432``; ``repository:tag@sha256:…`` has none."""
    after = match.string[match.end() : match.end() + 8]
    group = "rest" if match["rest"] is not None else "of_go"
    if after.startswith("sha") or says_nothing(match[group]):
        return SecretMatch(match.end())
    return SecretMatch(match.end(), (Span(*match.span(group)),))


_ENCODED = re.compile(
    r"%3a%2f%2f(?:(?!%2f|%40|%3a)[^\s\"'&]){0,100}%3a(?P<rest>(?:(?!%2f|%40)[^\s\"'&]){1,200})%40"
)


_STREAM = re.compile(
    r"wss?://[^\s\"'<>?#]{1,200}?/(?:ws/|stream/)?(?P<rest>(?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{40,})(?![a-z0-9])"
)
"""Binance's and others' listen keys open the account's stream of orders to whoever knows them."""


def _hook(name: str, needle: str, pattern: str) -> SecretKind:
    return SecretKind(name, (needle,), re.compile(pattern, re.IGNORECASE), hide_match("rest"))


_SECRET_ADDRESS = re.compile(
    r"https?://(?:nosnch\.in|cronitor\.link/p|hooks?\.[\w.-]{1,60}"
    r"|[\w.:-]{1,100}/(?:[\w.-]{1,40}/){0,4}(?:heartbeat|integrations/v1/\w{1,40}))/"
    r"(?P<rest>(?=[\w-]*\d)(?:[\w-]{16,}|(?<=nosnch\.in/)[\w-]{8,}))"
)
"""Of services that know by the address alone who asks."""


KINDS = (
    _hook(
        "Slack webhook",
        "hooks.slack",
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<rest>[\w/-]+)",
    ),
    _hook("Discord webhook", "/webhooks/", r"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/(?P<rest>[\w/-]+)"),
    _hook("Telegram address", "api.telegram.org/", r"api\.telegram\.org/(?:file/)?bot(?P<rest>[\w:%-]+)"),
    _hook(
        "Teams webhook",
        "webhook",
        r"(?:webhook\.office\.com|outlook\.office(?:365)?\.com/webhook)/(?P<rest>[^\s\"'<>]+)",
    ),
    _hook("heartbeat address", "hc-ping.com/", r"hc-ping\.com/(?P<rest>[\w/-]+)"),
    SecretKind(
        "address that is a secret",
        ("://hook", "nosnch.in/", "cronitor.link/", "/heartbeat/", "/integrations/v1/"),
        _SECRET_ADDRESS,
        hide_match("rest"),
    ),
    _hook("PagerDuty address", "pagerduty.com/", r"pagerduty\.com/integration/(?P<rest>[\w-]+)"),
    _hook("IFTTT address", "/with/key/", r"/with/key/(?P<rest>[\w-]{6,})"),
    _hook("Zapier webhook", "hooks.zapier", r"hooks\.zapier\.com/hooks/(?:catch/)?+(?P<rest>[\w/-]+)"),
    _hook(
        "webhook of another chat",
        "hook",
        r"/(?:web)?hooks?(?:/(?=[\w-]*\d)|/\w{1,20}\?key=)(?P<rest>[\w-]{20,})",
    ),
    SecretKind("user information of a URL", (), _SCHEME, _url, folded=True, seen="://[^@]+@"),
    SecretKind("listen key in an address", ("ws://", "wss://"), _STREAM, hide_match("rest"), folded=True),
    SecretKind(
        "user information of an encoded URL", ("%3a%2f%2f",), _ENCODED, hide_match("rest"), folded=True
    ),
    SecretKind("user information without a scheme", ("@",), _BARE, _bare),
)

"""Secrets that people keep and write down: logins in one word, answers to security questions, recovery codes."""

from __future__ import annotations

import re

from triage.masking import shapes, values
from triage.masking.model import MASK, SecretKind, SecretMatch, Span, Text

_LOGIN = re.compile(
    r"(?<![a-z0-9])(?:(?P<option>--?)?(?:[a-z]{2,20}[_-])?"
    r"(?P<name>auth|log-?[io]n|logged[ _]in[ _]as|credentials?|creds|userinfo|"
    r"(?:user(?:name)?|account)[ ]?/[ ]?(?:pass(?:word)?|pw|pwd)|zugangsdaten|anmeldung|"
    r"identifiants?|credenciales))\\?[\"']?"
    r"(?P<sign>[ \t]{0,3}[:=][ \t]{0,3}|[ \t]+)\\?[\"']?"
    r"(?P<user>[^\W\d_][\w.@+-]{0,60}?)(?P<between>:(?!//)|[ ]?/[ ]?)"
    r"(?P<rest>[^\s\"',;<>]{3,200})"
)
_NONE = re.compile(r".*\.[a-z]{1,4}|[\d.:]+|.*[/].*|(?:hbot-)?bot-?\d+", re.IGNORECASE)
_LEAST, _LEAST_OF_LETTERS = 4, 6


def _login(text: Text, match: re.Match[str]) -> SecretMatch:
    """Look at ``auth=ana:hollybush``; ``login: bitget/main`` and ``auth: 12:30`` hold none."""
    start = match.start("rest")
    value = text.whole[start : match.end("rest")].rstrip(".)]}`\\")
    setting = match["between"] == ":" and ("=" in match["sign"] or match["option"] is not None)
    if value.startswith(MASK):  # masked before: what is in front of it is no value, either
        return SecretMatch(match.end(), (Span(start, start + len(MASK)),))
    behind_space = not match["sign"].strip() and match["option"] is None
    if shapes.says_nothing(value) or _NONE.fullmatch(value) or match["user"] in shapes.SCHEMES:
        return SecretMatch(match.end("user"))
    if behind_space:
        told = "logged" in match["name"] or (match["between"] == ":" and match["name"] != "auth")
        good = told and shapes.looks_like_a_password(value)
    else:
        least = _LEAST_OF_LETTERS if value.isalpha() else _LEAST
        good = setting or (len(value) >= least and not value.isdigit())
        good = good and (setting or match["name"] != "auth" or not value.isalpha())
    span = Span(start, start + len(value))
    return SecretMatch(span.end, (span,)) if good else SecretMatch(match.end("user"))


_ASKED = (
    r"(?:mother|mutter|father)'?s?[ _]maiden[ _]name|maiden[ _]?name|"
    r"(?:first|favou?rite|childhood)[ _](?:pet|school|teacher|car|friend|nickname|"
    r"street|movie|book|hero|employer|job|phone)"
    r"(?:'s)?(?:[ _]name)?|(?:city|town|place)[ _]of[ _]birth|birth[ _]?place|"
    r"(?:town|city|street|hospital)[ ][^\n?.:]{0,30}(?:you|i)[ ](?:were|was|grew)[ ](?:born|up)(?:[ ](?:in|on))?|"
    r"(?:town|city|street|hospital)[ ](?:were|did)[ ]you[ ](?:born|grow[ ]up|live)(?:[ ](?:in|on))?"
)
_ANSWER = re.compile(
    r"(?<![a-z])(?:"
    r"(?:security|secret|recovery)[ _-]?(?:question[ _-]?)?(?:'s[ ])?answers?"
    r"|(?:security|secret)[ _-]?question\b[^\n]{0,160}?(?<![a-z])(?:answers?|antwort|a)(?=\\?[\"']?[ \t]?[:=])"
    r"|(?:my|your|mother)\b[^\n?]{3,120}\?\\?[\"']?[ \t,;]{0,3}\\?[\"']?(?:answers?|antwort|a)(?=\\?[\"']?[ \t]?[:=])"
    r"|answers?[ ]to[ ](?:the[ ]|my[ ]|your[ ]|his[ ]|her[ ])?(?:security|secret)[ ]questions?(?:[ ][\w?' ]{1,60}?)??"
    rf"|{_ASKED})\\?[\"']?[ \t]?(?:\?[ \t]?[:=]?(?:[ \t]?a[:=])?|[:=]|(?:is|was)(?=[ \t]))[ \t]{{0,8}}"
)


def _answer(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide what stands behind a question of that sort, to the end of the line or the next name."""
    found = values.quoted(text.whole, match.end(), over_lines=False) or values.bracketed(
        text.whole, match.end()
    )
    if found is None:
        found = values.bare(text.whole, match.end(), whole_line=True, header=False, enclosing="")
    value = text.whole[slice(*found)]
    if shapes.says_nothing(value) or shapes.begins_a_sentence(value):
        return SecretMatch(match.end())
    return SecretMatch(max(match.end(), found[1]), (Span(*found),))


_CODES = re.compile(
    r"(?<![a-z])(?:recovery|backup|scratch|rescue|emergency|restore|reset|activation|pairing|invite|"
    r"wiederherstellungs?)[ _-]?(?P<what>codes?|keys?|tokens?)\\?[\"']?"
    r"(?P<sign>[ \t]?[:=]|[ \t](?:is|are|was|were)(?=\s)|(?=[ \t]))(?P<gap>[^a-z0-9\n]{0,8}\n?)"
)
_CODE = re.compile(
    r"[^a-z0-9\n]{0,8}(?:\n[^a-z0-9\n]{0,8}(?:\d{1,2}[.)][ \t])?)?"
    r"(?P<code>\d{4,6}(?:[ ]\d{4,6})+(?!\w)|[a-z0-9]+(?:-[a-z0-9]+)*)"
)
_DATE = re.compile(r"(?:19|20)\d\d-?[01]\d-?[0-3]\d(?:t.*)?")
_LEAST_OF_A_CODE, _MOST_CODES = 6, 40


def _is_code(code: str, *, signed: bool) -> bool:
    groups = code.split("-")
    if len(code) < _LEAST_OF_A_CODE or _DATE.fullmatch(code):
        return False
    if any(char.isdigit() for char in code):
        return signed or not code.isdigit()
    return signed and len(groups) > 1 and len({len(group) for group in groups}) == 1


def _codes(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide each code of a row, on one line or one on each."""
    spans: list[Span] = []
    at, signed = match.end("sign"), bool(match["sign"])
    while len(spans) < _MOST_CODES:
        found = _CODE.match(text.lower, at)
        if found is None or text.lower[found.end() : found.end() + 1] in {"/", "_", ":"}:
            break
        # Two groups of digits and letters that a space parts are a code, too: "8f3k 29dm".
        code = found["code"]
        if not _is_code(code, signed=signed) and not (
            signed and len(code) == _LEAST and any(char.isdigit() for char in code) and not code.isdigit()
        ):
            break
        spans.append(Span(found.start("code"), found.end("code")))
        at = found.end()
    return SecretMatch(max(at, match.end("what")), tuple(spans))


_PAT = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z]\w{0,40}_)?(?P<name>PAT|pat)\\?[\"']?[ \t]?[:=][ \t]?\\?[\"']?"
    r"(?P<rest>[^\s\"',;&<>]{6,300})"
)


def _pat(_: Text, match: re.Match[str]) -> SecretMatch:
    """Hide a personal access token: of a name in lower case only where the value looks like one."""
    value = match["rest"].rstrip(".)]}\\")
    good = match["name"].isupper() and not value.isdigit() and "/" not in value
    if shapes.says_nothing(value) or not (good or shapes.looks_like_a_password(value)):
        return SecretMatch(match.end("name"))
    return SecretMatch(match.end(), (Span(match.start("rest"), match.start("rest") + len(value)),))


_SIGN = re.compile(
    r"(?:(?P<query>[?&])|(?<![a-z0-9_.-]))sign\\?[\"']?(?P<mark>=|:)[ \t]?\\?[\"']?(?P<rest>[a-z0-9+/%=_-]{4,200})"
)
_NUMBER_SIGNS = frozenset({"plus", "minus", "positive", "negative", "unsigned", "signed", "both"})


def _sign(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide the signature of a request, however short; the sign of a number is none."""
    value = text.whole[match.start("rest") : match.end("rest")]
    plain = value.lstrip("+-").lower()
    if plain in _NUMBER_SIGNS or plain.isdigit() or shapes.says_nothing(value):
        return SecretMatch(match.end("mark"))
    mixed = any(char.isdigit() for char in plain) and any(char.isalpha() for char in plain)
    if match["query"] is None and not mixed:
        return SecretMatch(match.end("mark"))
    return SecretMatch(match.end(), (Span(match.start("rest"), match.end("rest")),))


KINDS = (
    SecretKind(
        "user and password in one word",
        (
            "auth",
            "login",
            "logon",
            "log-in",
            "log-on",
            "logged",
            "cred",
            "user/",
            "user /",
            "username/",
            "username /",
            "account/",
            "userinfo",
            "zugangsdaten",
            "anmeldung",
            "identifiant",
        ),
        _LOGIN,
        _login,
        folded=True,
    ),
    SecretKind(
        "answer to a security question",
        (
            "answer",
            "antwort",
            "maiden",
            "first",
            "favo",
            "childhood",
            "birth",
            "born",
            "grow",
            "question",
        ),
        _ANSWER,
        _answer,
        folded=True,
        seen=r"(?:my|your|mother)[^\n?]{3,}\?|(?:were|did) you",
    ),
    SecretKind("recovery code", ("code", "key", "token"), _CODES, _codes, folded=True),
    SecretKind(
        "personal access token", ("pat=", "pat:", "pat =", "pat :", 'pat"', "pat'", "pat\\"), _PAT, _pat
    ),
    SecretKind(
        "signature of a request", ("sign=", "sign:", 'sign"', "sign'", "sign\\"), _SIGN, _sign, folded=True
    ),
)

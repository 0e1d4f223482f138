"""Secrets that a name in front gives away: settings, JSON, YAML, query strings, headers, options of commands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from triage.masking import shapes, values
from triage.masking.keys import STEMS, Claim, claim_of, words_of
from triage.masking.model import MASK, SecretKind, SecretMatch, Span, Text

_LONGEST_NAME = 80
_LONGEST_MADE = 200
_NAME_BEFORE = re.compile(r"[\w.-]*\Z")
_NAME_AFTER = re.compile(rf"[\w.-]{{0,{_LONGEST_NAME}}}")
_WORD_BEFORE = re.compile(r"([A-Za-z]{2,20})[ _]\Z")
_SEPARATOR = re.compile(
    r"\\{0,8}(?P<quote>[\"'`]?)(?:[\])]|\*{1,3}|_{1,2}|</[a-z]{1,8}>)?[ \t]{0,8}"
    r"(?:(?:is|was)(?=:)|\((?:hex|raw|pem|b(?:ase)?(?:32|58|64))\)[ \t]?)?"
    r"(?P<sign>>>>|=>|:=|={1,3}|!={1,2}(?=[ \t]{0,8}[bu]?[\"'])"
    r"|:(?!:|//)|->|\uff1a|\uff1d|\u2192|%3[AaDd](?:%2[027])?|\+?%22%3[Aa](?:%22|\+)?)"
    r"(?:\*{1,2}(?=[ \t])|\\\r?\n)?[ \t]{0,8}(?:\\\r?\n[ \t]*)?"
)
_BELOW = re.compile(r"\r?\n[ \t]+(?![ \t\-#]|[\w.-]+:)|\r?\n[ \t]*(?=[\"'])")
_LINE_BELOW = re.compile(r"\r?\n(?P<value>[^\s:=]{8,200})[ \t]*(?=[\r\n]|$)")
_CELL = re.compile(r"[*_`\"']{0,3}[ \t]*[|\u2502][ \t]+(?P<value>[^\s|\u2502]{4,200})")
_ROW = re.compile(r"(?:^|[\r\n])[ \t]*[|\u2502]?[ \t]*[*_`\"']{0,3}\Z")
_PAIR = re.compile(r"[\"'][ \t]?,[ \t\n]{0,3}(?=[bu]?[\"'])")
_IN_WORDS = re.compile(
    r"[\])>]?[ \t]*+(?<=[ \t])(?:(?:for|of)[ \t]+[\w.@-]{1,40}[ \t]*(?=is[ \t]|was[ \t]|[:=][ \t]))?"
    r"(?:(?P<link>is|was|=|:|to|[-\u2013\u2014])[ \t]+)?(?P<value>[^\s,;]+)"
)
_FROM_TO = re.compile(r"[ \t]+from[ \t]+(?P<old>[^\s,;]+)[ \t]+to[ \t]+(?P<value>[^\s,;]+)")
_CHANGES = re.compile(r"(?:set|chang|updat|rotat|renew)\w*[ \t]+(?:[\w']+[ \t]+){0,3}\Z", re.IGNORECASE)
_CALL = re.compile(
    r"\(\s{0,8}(?:(?:_?secret_)?(?:value|val|plain|raw|data)\s?=\s?|(?=[bBuUrR]?\\{0,3}[\"'](?![\w.-]*[\"']\s?:)))"
)
_PLURAL = re.compile(r"(?:word|secret|key|token|credential|phrase|cookie)s$", re.IGNORECASE)
_COUNT = re.compile(r"\d{1,3}(?:[ \t]+[a-z]+)*")
_SETS = re.compile(r"(?:set|with|use|using)(?:_|(?=[A-Z]))")
_FIRST_ARGUMENT = re.compile(r"[bBuUrR]?\\{0,3}[\"'][\w.-]{1,80}\\{0,3}[\"']\s?,\s?(?=[bBuUrR]?\\{0,3}[\"'])")
"""The name in ``set_secret("API_SECRET", "…")``."""
_ENV = re.compile(r"(?<![\w-])(?:ENV|ARG|setx|set[ \t]+-[a-zU]{1,3})[ \t]+\Z")
_BY_SPACE = re.compile(r"[ \t]+(?:\\\r?\n[ \t]*)?(?:<<<[ \t]*)?(?!-)")
_TOLD = re.compile(
    r"(?:to|and|or|is|was|are|if|when|instead|as|option|flag|argument|switch|parameter)(?=[\s.,;:)])"
)
"""Words that go on with a sentence about an option: "use --password to set one"."""
_BY_LIST = re.compile(r"[\"']?[ \t]*\r?\n[ \t]*-[ \t]+(?=[^\s-])")
_TAG = re.compile(r">(?=[^<\s`])")
_LINE_START = re.compile(r"(?:^|[\r\n])[ \t]*(?:(?:export|set|SET|ENV|-|>|<)[ \t]+|[#$][ \t]*)?[\"']?\Z")
_SETTING = re.compile(r"[ \t]+=[ \t]+")
"""In a file of settings the value of ``name = value`` ends where its line does."""
_WINDOWS_SET = re.compile(r"(?:^|[\r\n>&|(\"']|/[cCkK])[ \t]*set[ \t]+\Z|(?:^|[\s>])SET[ \t]+\Z")
"""Where ``set`` is a command: a sentence goes on behind ``we set api_secret=…``."""
_SCHEME = re.compile(
    r"(?:basic|bearer|token|digest|apikey|api-key|negotiate|aws4-hmac-sha256|bot|key|hmac)[ \t]+",
    re.IGNORECASE,
)
_OF_A_LINE = frozenset({"requirepass", "masterauth", "by", "identified"})


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a text: where it is, and what it claims."""

    start: int
    end: int
    name: str
    claim: Claim

    @property
    def is_option(self) -> bool:
        """Whether it is an option of a command line: its value stands behind a space."""
        return self.name.startswith("-")


def _name_at(text: str, match: re.Match[str]) -> Named:
    low = max(0, match.start() - _LONGEST_NAME)
    before = _NAME_BEFORE.search(text, low, match.start())
    start = before.start() if before is not None else match.start()
    after = _NAME_AFTER.match(text, match.end())
    end = after.end() if after is not None else match.end()
    name = text[start:end].rstrip(".-")
    word = _WORD_BEFORE.search(text, max(0, start - 24), start)
    claim = claim_of(name, word[1] if word is not None else "")
    if claim is Claim.LOOSE and name == "auth" and text[max(0, start - 1) : start] in {"?", "&"}:
        claim = Claim.TOKEN  # of an address: ``redis://host?auth=…``
    if name == "_auth":  # of npm
        claim = Claim.SURE
    return Named(start, start + len(name), name, claim)


def look(text: Text, match: re.Match[str]) -> SecretMatch:
    """Decide about one name that holds one of the stems."""
    named = _name_at(text.whole, match)
    resume = max(named.end, match.end())
    if named.claim is Claim.NONE:
        return SecretMatch(resume)
    for find in (behind_a_sign, _in_a_pair, _in_a_tag, _in_a_call, _in_a_row, _behind_an_option, _in_words):
        span = find(text.whole, named)
        if span is not None:
            # The value may be a name too: "X-Api-Key: password: …".
            return (
                SecretMatch(resume, (span,)) if span.start < span.end else SecretMatch(max(resume, span.end))
            )
    return SecretMatch(resume)


def behind_a_sign(text: str, named: Named) -> Span | None:
    """Return the secret behind ``:``, ``=`` or a sign like them; None where none is there."""
    sign = _SEPARATOR.match(text, named.end)
    if sign is None or (named.is_option and sign["sign"] not in {"=", ":"}):
        return None
    at = sign.end()
    below = _BELOW.match(text, at)
    if below is not None:
        at = below.end()
    elif (line := _LINE_BELOW.match(text, at)) is not None:
        return Span(*line.span("value")) if shapes.looks_like_a_password(line["value"]) else None
    at = values.default_at(text, at)
    if values.is_lookup(text, at):
        return Span(at, at)
    if named.claim is Claim.HEADER and (sign["sign"] == ":" or _SCHEME.match(text, at) is not None):
        return _header(text, named, at, quoted_name=bool(sign["quote"]))
    start_of_line = _LINE_START.search(text, max(0, named.start - 40), named.start) is not None
    whole_line = start_of_line and not sign["quote"] and (sign["sign"] == ":" or _SETTING.fullmatch(sign[0]))
    in_windows = _WINDOWS_SET.search(text, max(0, named.start - 8), named.start) is not None
    many = named.claim is Claim.PHRASE or ((whole_line or in_windows) and named.claim is Claim.SURE)
    return value_at(text, named, at, many=many, over_lines=start_of_line, quoted_name=bool(sign["quote"]))


def _header(text: str, named: Named, at: int, *, quoted_name: bool) -> Span | None:
    found = values.quoted(text, at, over_lines=False) or values.bracketed(text, at)
    if found is None:
        enclosing = "" if quoted_name else _enclosing(text, named.start)
        found = values.bare(text, at, whole_line=True, header=True, enclosing=enclosing)
    start, end = found
    scheme = _SCHEME.match(text, start, end)
    if scheme is not None and scheme.end() < end:
        start = scheme.end()
    return None if shapes.says_nothing(text[start:end]) else Span(start, end)


def value_at(
    text: str, named: Named, at: int, *, many: bool, over_lines: bool = False, quoted_name: bool = False
) -> Span | None:
    """Return the secret that begins there, whatever quotes or brackets are around it; None where it is none."""
    most = _LONGEST_MADE + 1 if named.claim is Claim.LOOSE else values.MOST
    found = values.quoted(text, at, over_lines=over_lines, most=most)
    many = many and found is None
    if found is None and named.claim is not Claim.LOOSE:
        found = values.block(text, at) or (values.items(text, at) if _SEVERAL.search(named.name) else None)
        if found is None and named.claim is not Claim.TOKEN:
            found = values.bracketed(text, at)
    if found is None:
        enclosing = "" if quoted_name else _enclosing(text, named.start)
        found = values.bare(text, at, whole_line=many, header=False, enclosing=enclosing, most=most)
    return Span(*found) if _holds(named, text[slice(*found)], many=many) else None


_SEVERAL = re.compile(r"(?:pass(?:word|phrase|wd)|key|token|credential|mnemonic)s$", re.IGNORECASE)
"""Names of lists of secrets; of ``secrets:`` a compose file lists the names."""


def _holds(named: Named, value: str, *, many: bool) -> bool:
    if shapes.says_nothing(value):
        return False
    if (many and shapes.begins_a_sentence(value)) or _tells_how_many(named, value):
        return False
    if named.claim is Claim.LOOSE:
        made = shapes.looks_made(value) or shapes.is_user_and_password(value)
        return len(value) <= _LONGEST_MADE and made
    if named.claim is Claim.TOKEN:
        scheme = named.name == "auth" and value.lower() in shapes.SCHEMES
        return not (scheme or shapes.is_asset(value) or shapes.is_count(value))
    if words_of(named.name)[-1:] in {("signature",), ("sign",)} and shapes.is_word(value):
        return False
    return not (shapes.is_count(value) and words_of(named.name) == ("pass",) and not named.is_option)


def _tells_how_many(named: Named, value: str) -> bool:
    """Tell whether the name of several is followed by how many there are: ``secrets: 3 mounted``."""
    return _PLURAL.search(named.name) is not None and _COUNT.fullmatch(value) is not None


def _enclosing(text: str, start: int) -> str:
    before = text[start - 1 : start]
    return before if before and before in "\"'`" else ""


def _in_a_pair(text: str, named: Named) -> Span | None:
    """Find the value of ``("password", "…")``, as headers are printed."""
    before = text[max(0, named.start - 3) : named.start].rstrip("bu\"'")
    pair = _PAIR.match(text, named.end)
    if pair is None or not (named.is_option or before.endswith(("(", "["))):
        return None
    found = values.quoted(text, pair.end(), over_lines=False)
    if found is None or (named.is_option and text[found[0]] == "-"):
        return None
    return Span(*found) if _holds(named, text[slice(*found)], many=False) else None


def _in_a_tag(text: str, named: Named) -> Span | None:
    tag = _TAG.match(text, named.end)
    if tag is None or text[max(0, named.start - 1) : named.start] != "<":
        return None
    end = text.find("<", tag.end(), tag.end() + values.MOST)
    end = len(text) if end < 0 else end
    return Span(tag.end(), end) if _holds(named, text[tag.end() : end], many=False) else None


def _in_a_call(text: str, named: Named) -> Span | None:
    """Find the value of ``Secret('…')`` and ``ApiKey(value=…)``: a class, not ``get_secret('name')``."""
    call = _CALL.match(text, named.end)
    called = named.name.rpartition(".")[2]
    if call is None or not (called[:1].isupper() or _SETS.match(called) is not None):
        return None
    name = _FIRST_ARGUMENT.match(text, call.end())
    return value_at(text, named, call.end() if name is None else name.end(), many=False)


def _in_a_row(text: str, named: Named) -> Span | None:
    """Find the value of a table's row, ``| password | x7 |``: no ordinary word, which a table's head has."""
    cell = _CELL.match(text, named.end)
    if cell is None or named.is_option or _ROW.search(text, max(0, named.start - 40), named.start) is None:
        return None
    value = cell["value"].strip("*_`\"'")
    if re.fullmatch(r"[A-Za-z_-]*", value) or MASK in cell["value"] or not _holds(named, value, many=False):
        return None
    start = text.index(value, cell.start("value"))
    return Span(start, start + len(value))


def _behind_an_option(text: str, named: Named) -> Span | None:
    space = _BY_SPACE.match(text, named.end)
    if named.is_option:
        space = space or _BY_LIST.match(text, named.end)
    if space is not None and _ENV.search(text, max(0, named.start - 40), named.start) is not None:
        return value_at(text, named, space.end(), many=True)
    if space is None or not (named.is_option or named.name.lower() in _OF_A_LINE):
        return None
    if named.is_option and _TOLD.match(text, space.end()) is not None:
        return None
    return value_at(text, named, space.end(), many=False)


_LEAST_BEHIND_A_SIGN = 4
_TICKED = re.compile(r"`[^`\n]{1,200}`")
_PASSWORDS = ("password", "passphrase", "passwd", "passcode", "pwd", "pw")


def _in_words(text: str, named: Named) -> Span | None:
    """Find the value in a sentence: ``password is hunter22``, ``API key 3f9a…``, ``PASSWORD 'x'``."""
    behind = _FROM_TO.match(text, named.end) or _IN_WORDS.match(text, named.end)
    if behind is None or named.claim is Claim.LOOSE:
        return None
    at = behind.start("value")
    word = named.name.lower()
    quoted = behind["value"].lstrip("\\")[:1] in set("\"'") or _TICKED.match(text, at) is not None
    if quoted and word in _PASSWORDS[:4]:
        return value_at(text, named, at, many=False)
    value = behind["value"].strip("\\\"'()[]{}.:")
    if not value or not _is_said(text, named, behind, value):
        return None
    start = behind.start("old") if "old" in behind.groupdict() else text.index(value, at)
    return Span(start, text.index(value, at) + len(value))


def _is_said(text: str, named: Named, behind: re.Match[str], value: str) -> bool:
    """Tell whether a word of a sentence is a secret: it looks like one, and the sentence says that it is."""
    link = behind.groupdict().get("link", "to")
    if link == "to" and _CHANGES.search(text, max(0, named.start - _LONGEST_NAME), named.start) is None:
        return False
    if value.startswith(("/", "~")):
        return shapes.looks_made(value)
    # A name of several parts is a variable's or a header's: ``setx API_SECRET …``.
    of_a_variable = named.claim is Claim.SURE and (
        re.search("[_-]", named.name) is not None or named.name.isupper()
    )
    in_quotes = behind["value"][:1] in {"'", '"'} and named.claim is Claim.SURE
    if link in {":", "="} and named.claim is Claim.SURE and shapes.is_letters_and_digits(value):
        return len(value) >= _LEAST_BEHIND_A_SIGN  # ``password for ana: x7plum``
    a_password = link is not None or of_a_variable or in_quotes or named.name.lower().endswith(_PASSWORDS)
    return shapes.looks_like_a_password(value) if a_password else shapes.looks_made(value)


NAMED = SecretKind("named value", STEMS, re.compile("|".join(STEMS)), look, folded=True)

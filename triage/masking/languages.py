"""Passwords whose name is in another language than English: ``contraseña: …``, ``mot de passe est …``, ``密码: …``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from triage.masking import shapes
from triage.masking.keys import Claim
from triage.masking.model import SecretKind, SecretMatch, Span, Text
from triage.masking.named import Named, behind_a_sign


@dataclass(frozen=True, slots=True)
class _Language:
    """How a language names a password: ``needles`` as in ``SecretKind``; ``names`` is a pattern in lower case."""

    needles: tuple[str, ...]
    names: str
    spaced: bool = True
    """Whether spaces part its words."""


_LANGUAGES = (
    _Language(
        ("contrase", "clave", "llave"),
        r"contrase(?:ñ|n\u0303?|nh)as?|(?:clave|llave)(?:[ _-](?:privada|secreta|api))?",
    ),
    _Language(("de passe", "de_passe", "de-passe", "depasse"), r"mots?[ _-]?de[ _-]?passe"),
    _Language(
        ("mdp", "clé", "cle ", "cle_", "cle-"),
        r"mdp|clé(?:[ _-](?:privée|secrète|api))?|cle[ _-](?:privee|secrete|api)",
    ),
    _Language(("passw", "kennw", "geheimnis"), r"passw(?:orte?|örter)|kennw(?:ort|örter)|geheimnis"),
    _Language(
        ("zugangs", "schl"), r"zugangs(?:wort|code)|(?:(?:privater|geheimer|api)[ -]?)?schl(?:ü|ue)ssel"
    ),
    _Language(
        ("senha", "palavra", "chave"), r"senhas?|palavra[ _-]?passe|chave(?:[ _-](?:privada|secreta|de api))?"
    ),
    _Language(("parol", "chiave"), r"parola chiave|parol[aă]|chiave(?:[ _-](?:privata|segreta|api))?"),
    _Language(("wachtwoord", "senord"), r"wachtwoord(?:en)?|l[öo]senord"),
    _Language(("adgangskode", "kodeord", "passord", "salasana"), r"adgangskode|kodeord|passord|salasana"),
    _Language(("hasł", "hasl", "heslo", "geslo", "lozinka"), r"has[łl][oa]|heslo|geslo|lozinka"),
    _Language(("ifre", "jelsz", "slaptažodis"), r"[şs]ifre|jelsz[óo]|slaptažodis"),
    _Language(("mật khẩu", "kata sandi"), r"mật khẩu|kata sandi"),
    _Language(("парол", "лозинка", "κωδικός"), r"парол[ьия]|лозинка|κωδικός"),
    _Language(("סיסמה", "كلمة"), r"סיסמה|كلمة (?:المرور|السر)"),
    _Language(("密", "口令", "パスワード", "暗証番号"), r"密[码碼钥]|口令|パスワード|暗証番号", spaced=False),
    _Language(("비밀번호", "암호", "รหัสผ่าน", "पासवर्ड"), r"비밀번호|암호|รหัสผ่าน|पासवर्ड", spaced=False),
)
_SPACED = "|".join(language.names for language in _LANGUAGES if language.spaced)
_UNSPACED = "|".join(language.names for language in _LANGUAGES if not language.spaced)
_NAME = re.compile(rf"(?<![^\W_])(?:{_SPACED})(?![^\W_])(?:[_-]\w{{1,40}})?|{_UNSPACED}")
_NEAR, _FAR = 60, 220
"""Characters before and behind a word that are looked at where it names any sort of key."""
_LOOSE = frozenset({"clave", "llave", "schlüssel", "schluessel", "clé", "chiave", "chave"})
"""Words for a key that opens a door or a table, too."""

_WORDS = r"[ \t]+(?:[\w.@'-]{1,40}[ \t]+)"
_LINK = re.compile(
    rf"(?:{_WORDS}{{0,2}}?[\w.@'-]{{1,40}}[ \t]?[:=][ \t]{{0,8}}"
    rf"|{_WORDS}{{0,3}}?(?:es|est|ist|lautet|war|é|era|e|to|jest|is|är|er|on|je|là|adalah|это|[-\u2013\u2014])[ \t]+"
    r"|[ \t]?[是为は은는][ \t]?|[ \t]+)[\"'«„“]?(?P<value>[^\s,;\"'»“”]{1,200})"
)


def _look(text: Text, match: re.Match[str]) -> SecretMatch:
    """Look behind the name: at a sign as behind an English name, at a sentence for a word with letters and digits."""
    name = text.whole[match.start() : match.end()]
    if name.lower() in _LOOSE:
        return _look_at_a_key(text, match)
    span = behind_a_sign(text.whole, Named(match.start(), match.end(), name, Claim.SURE))
    if span is None:
        said = _LINK.match(text.whole, match.end())
        value = said["value"].strip(".:!?()") if said is not None else ""
        if said is None or not shapes.looks_like_a_password(value):
            return SecretMatch(match.end())
        start = text.whole.index(value, said.start("value"))
        span = Span(start, start + len(value))
    return SecretMatch(max(match.end(), span.end), (span,) if span.start < span.end else ())


def _look_at_a_key(text: Text, match: re.Match[str]) -> SecretMatch:
    """Look behind a word for any sort of key, not far: most are none, and the next one may follow at once."""
    low = max(0, match.start() - _NEAR)
    near = text.whole[low : match.end() + _FAR]
    span = behind_a_sign(near, Named(match.start() - low, match.end() - low, match[0], Claim.SURE))
    if span is None or not shapes.looks_like_a_password(near[span.start : span.end]):
        return SecretMatch(match.end())
    return SecretMatch(match.end(), (Span(span.start + low, span.end + low),))


_PHRASE_NAMES = (
    "frase semilla",
    "frase de recupera",
    "frase mnem",
    "phrase de r",
    "phrase mn",
    "frase seed",
    "frase di recupero",
    "wiederherstellungsphrase",
    "wiederherstellungssatz",
    "herstelzin",
    "сид-фраз",
    "seed-фраз",
    "мнемо",
    "助记词",
    "助記詞",
    "リカバリーフレーズ",
    "シードフレーズ",
    "ニーモニック",
    "니모닉",
    "복구 문구",
    "시드 문구",
)
"""How languages name the words from which a wallet is made again; the word may go on."""
_PHRASE_NAME = re.compile(
    rf"(?:{'|'.join(_PHRASE_NAMES)})\w{{0,20}}(?:[ \t](?:фраза|seed))?[\"'»]?"
    r"(?:[ \t]?[:=]|[ \t]?[是は은는]|[ \t](?:es|est|ist|é|è|это)(?=[ \t]))"
    r"[ \t]{0,8}[\"'«\[]{0,2}(?P<rest>[^\W\d_][^\r\n]{0,400})"
)
_FEWEST_WORDS = 11
"""Words behind the first one."""


def _look_at_a_phrase(_: Text, match: re.Match[str]) -> SecretMatch:
    """Hide the rest of the line where it is twelve words and more; Chinese ones may stand without spaces."""
    rest = match["rest"].rstrip()
    words = len(re.findall(r"[\s,、\u3000]+", rest))
    joined = not rest.isascii() and not re.search(r"\s", rest) and len(rest) > _FEWEST_WORDS
    if words < _FEWEST_WORDS and not joined:
        return SecretMatch(match.start("rest"))
    return SecretMatch(match.end(), (Span(match.start("rest"), match.start("rest") + len(rest)),))


_NEEDLES = tuple(needle for language in _LANGUAGES for needle in language.needles)
KINDS = (
    SecretKind("password in another language", _NEEDLES, _NAME, _look, folded=True),
    SecretKind(
        "recovery phrase in another language", _PHRASE_NAMES, _PHRASE_NAME, _look_at_a_phrase, folded=True
    ),
)

"""What a value's own shape says: made by a machine, or an ordinary word."""

from __future__ import annotations

import base64
import hashlib
import re
import string

from triage.masking.model import words

_ORDINARY = words(
    "none null nil true false yes no on off empty unset undefined missing invalid wrong expired required rejected "
    "failed ok valid absent hidden redacted masked changed unchanged unknown n/a incorrect mismatch bucket read "
    "readonly read-only"
)
_ORDINARY_ELSEWHERE = words(
    "incorrecta incorrecto inválida inválido invalida falta vencida caducada requerida cambiada errónea no non não nie "
    "incorrect incorrecte invalide manquant expiré requis modifié faux est n'est incorreta incorreto ausente expirada "
    "falsch ungültig fehlt abgelaufen geändert erforderlich leer nicht ist errata sbagliata scaduta mancante "
    "nieprawidłowe błędne brak wygasło wymagane fout onjuist verlopen fel ugyldig forkert "
    "неверный неверен неправильный не отсутствует 错误 錯誤 无效 缺失 不正确"
)
"""What is said of a password in other languages: wrong, missing, expired."""

_TELLS = _ORDINARY | _ORDINARY_ELSEWHERE | {"is", "was", "not", "for", "has"}
_ANSWERS = words("yes on off ok true false")
"""What is a value alone, and begins no sentence about one."""
SCHEMES = words(
    "basic bearer digest token oauth http https redis postgres postgresql ws wss tcp unix sha256 md5"
)
"""Words before a colon that are no user."""

_PLACEHOLDER = re.compile(
    r"\*{3,}|\u2022{3,}|\.{3,}|\u2026|x{4,}|<[^<>\n]{0,40}>|<(?:redacted|masked|filtered|hidden|removed)|\[(?:redacted|masked|filtered|hidden)\]"
    r"|\$\{[A-Za-z_]\w*\}|\$[A-Z_][A-Z0-9_]*|\{\{[^{}\n]{0,80}\}\}|%\(\w+\)s|SecretStr\(.?\*+.?\)",
    re.IGNORECASE,
)
_ASSET = re.compile(r"[A-Z]{2,10}(?:[-/][A-Z]{2,10})?")
_WORD_OF_NUMBERS = re.compile(r"[-+]?\d{1,3}")
_MADE = re.compile(r"[A-Za-z0-9+/_.~-]{12,}={0,2}")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{32,}")
_BASE32 = re.compile(r"[A-Z2-7]{16,}={0,6}")
"""What an authenticator's seed is written in."""
_WALLET = re.compile(r"0x[0-9a-fA-F]{40}")
"""The public address of a wallet or a contract; a desk's tokens have one, too."""
_LEAST_MADE = 16
_LEAST_IN_WORDS = 8
_LONG = 20


def says_nothing(value: str) -> bool:
    """Tell whether a value is no secret: none is given, it is masked already, or a variable stands for it."""
    plain = value.strip().rstrip(".,;")
    return (
        not plain
        or plain.lower() in _ORDINARY | _ORDINARY_ELSEWHERE
        or _PLACEHOLDER.fullmatch(plain) is not None
    )


def begins_a_sentence(value: str) -> bool:
    """Tell whether the words behind a name only tell what is wrong with it: ``expired 5 minutes ago``."""
    first = value.split(maxsplit=1)[0] if value.split() else ""
    return " " in value.strip() and first.rstrip(".,;:!").lower() in _TELLS - _ANSWERS


def is_asset(value: str) -> bool:
    """Tell whether a value is an asset or a pair: what ``base_token=SOL`` names."""
    return _ASSET.fullmatch(value) is not None


def is_count(value: str) -> bool:
    """Tell whether a value is a small number: what ``pass=3 fail=0`` counts."""
    return _WORD_OF_NUMBERS.fullmatch(value) is not None


def is_word(value: str) -> bool:
    """Tell whether a value is one short word in lower case, which no signature is."""
    return len(value) < _LEAST_MADE and value.isalpha() and value.islower()


def is_user_and_password(value: str) -> bool:
    """Tell whether a value is ``user:password`` in base64, as Docker keeps its logins: ``"auth": "ZGVzazpmNw=="``."""
    try:
        plain = base64.b64decode(value, validate=True)
    except ValueError:
        return False
    user, colon, password = plain.partition(b":")
    return bool(user and colon and password) and plain.isascii() and plain.decode().isprintable()


def is_letters_and_digits(value: str) -> bool:
    """Tell whether a value has both."""
    return any(char.isdigit() for char in value) and any(char.isalpha() for char in value)


def looks_like_a_password(value: str) -> bool:
    """Tell whether a word behind the word "password" is one: letters and digits, and no name with parts."""
    mixed = any(map(str.islower, value)) and any(map(str.isupper, value))
    parts = r"[./:]" if mixed else r"[-_./:]"
    least = _LONG if re.search(parts, value) else _LEAST_IN_WORDS
    return len(value) >= least and is_letters_and_digits(value)


def looks_made(value: str) -> bool:
    """Tell whether a machine made a value: long hexadecimal digits, or cases and digits mixed."""
    if _WALLET.fullmatch(value):
        return False
    if _HEX.fullmatch(value) or _BASE32.fullmatch(value):
        return is_letters_and_digits(value)
    return len(value) >= _LEAST_MADE and _MADE.fullmatch(value) is not None and is_mixed(value)


_BASE58 = {char: at for at, char in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_PUBLIC_VERSIONS = frozenset({0x00, 0x05, 0x1E, 0x30, 0x32, 0x41})
"""First bytes of the addresses of Bitcoin, Dogecoin, Litecoin and Tron; a private key (WIF) begins with another."""
_ADDRESS_LENGTHS = range(26, 36)
_ADDRESS_BYTES = 25


def is_public_address(value: str) -> bool:
    """Tell whether a value is the address of a wallet in Base58Check: its checksum says so."""
    if len(value) not in _ADDRESS_LENGTHS or not all(char in _BASE58 for char in value):
        return False
    number = 0
    for char in value:
        number = number * 58 + _BASE58[char]
    if number.bit_length() > 8 * _ADDRESS_BYTES:
        return False
    whole = number.to_bytes(_ADDRESS_BYTES, "big")
    check = hashlib.sha256(hashlib.sha256(whole[:-4]).digest()).digest()[:4]
    return whole[0] in _PUBLIC_VERSIONS and check == whole[-4:]


_KINDS = str.maketrans(
    string.ascii_lowercase + string.ascii_uppercase + string.digits,
    "l" * 26 + "u" * 26 + "d" * 10,
    string.punctuation,
)
_TURNS = ("ul", "lu", "ud", "du", "ld", "dl")


def is_mixed(value: str) -> bool:
    """Tell whether lower case, upper case and digits alternate as in base64, not as in a CamelCase name or an order id.

    ``value`` is ASCII, and may be long (a picture in base64): what is counted is counted as text, not sign by sign.
    """
    kinds = value.translate(_KINDS)
    cases = kinds.replace("d", "")
    if not cases or "d" not in kinds:
        return False
    swaps = cases.count("ul") + cases.count("lu")
    turns = sum(map(kinds.count, _TURNS))
    return (
        swaps * 7 >= len(value) and turns * 5 >= len(value) * 2
    )  # 1 in 7 and 2 in 5: random ones have far more

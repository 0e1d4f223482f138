"""What the name of a value says: ``api_secret`` holds a secret, ``primary_key`` holds none."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache
from itertools import pairwise

from triage.masking.model import words


class Claim(Enum):
    """How sure a name makes us that its value is a secret."""

    NONE = auto()
    LOOSE = auto()
    """Only where the value looks made by a machine: ``key``, ``auth``, ``seed``."""
    TOKEN = auto()
    """``token``: on a trading desk an asset too."""
    SURE = auto()
    PHRASE = auto()
    """A secret of several words."""
    HEADER = auto()
    """A header whose whole value is a secret: Authorization, Cookie."""


STEMS = (
    "pass",
    "kennwort",
    "pw",
    "secret",
    "token",
    "key",
    "cookie",
    "cred",
    "mnemonic",
    "seed",
    "phrase",
    "session",
    "sessid",
    "connect.sid",
    "sign",
    "auth",
    "jwt",
    "otp",
    "bearer",
    "hmac",
    "psk",
    "verifier",
)
"""In lower case; one of them is in every name that claims anything."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SURE = words(
    "password passwords passwort passwoerter kennwort passwd pwd passcode "
    "secret secrets credential credentials apikey apikeys apisecret secretkey "
    "pw phpsessid jsessionid "
    "privatekey privkey accesskey authtoken accesstoken refreshtoken clientsecret sessionid sessionkey jwt "
    "psk signature requirepass masterauth pgpassword sshpass otp totp authkey creds signingkey encryptionkey"
)
_PHRASE = words("passphrase passphrases mnemonic mnemonics seedphrase")
_INSIDE = ("password", "passwd", "secret", "apikey", "privkey", "privatekey", "credential", "accesskey")
_NOT_PASS = words("bypass compass trespass surpass encompass overpass")
_KEYS = words(
    "api access secret private priv encryption signing sign ssh account shared master storage client auth consumer "
    "hmac aes rsa gpg pgp deploy session listen webhook integration app application service license licence wallet "
    "preshared"
)
_NO_SECRET_KEYS = words(
    "public primary foreign partition sort cache idempotency dedup redis group row map dict hot any host hash "
    "unique index lookup metric label registry translation"
)
_TELLS_ABOUT = words(
    "length len count bucket limit limits type name names file path dir policy ttl expiry expires in age enabled "
    "required valid status state error errors address symbol amount balance price decimals supply pair version "
    "seconds ms minutes days usage rotation manager format field fields ref refs endpoint env var variable"
)
"""Last words of a name that tells about a secret and does not hold it."""


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: ``apiKey2`` and ``API-KEY`` are ``api key``."""
    name = name.replace("\u017f", "s").replace("\u212a", "K")
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=4096)
def claim_of(name: str, before: str = "") -> Claim:
    """Return what a name claims; ``before`` is the word in front of it, for ``API key``."""
    parts = words_of(name)
    if not parts or parts[-1] in _TELLS_ABOUT or parts == ("htpasswd",):
        return Claim.NONE
    if len(parts) == 1 and before:
        parts = (before.lower(), *parts)
    if parts[-1] in {"authorization", "cookie", "cookies"}:
        return Claim.HEADER
    if _PHRASE.intersection(parts) or parts[-2:] in {
        ("seed", "phrase"),
        ("recovery", "phrase"),
        ("seed", "words"),
    }:
        return Claim.PHRASE
    if name[:2] in {"x-", "X-"} and parts[-1] == "key" and not _NO_SECRET_KEYS.intersection(parts):
        return Claim.SURE  # a header: X-Gotify-Key
    return _of_words(parts)


_SURE_PAIRS = frozenset(
    {
        ("session", "id"),
        ("connect", "sid"),
        ("pass", "phrase"),
        ("pass", "word"),
        ("access", "sign"),
        ("code", "verifier"),
        *((system, "auth") for system in ("redis", "rediscli", "basic", "proxy", "mqtt")),
    }
)
_LOOSE = words("key auth seed session bearer hmac sign")


def _of_words(parts: tuple[str, ...]) -> Claim:
    last = parts[-1]
    if any(_names_a_secret(part) for part in parts) or any(_is_sure(pair) for pair in pairwise(parts)):
        return Claim.SURE
    if last == "sign" and len(parts) > 1:
        return Claim.SURE
    if last.endswith("token") or parts[0] == "token":
        return Claim.TOKEN
    return Claim.LOOSE if last in _LOOSE and not _NO_SECRET_KEYS.intersection(parts) else Claim.NONE


def _is_sure(pair: tuple[str, str]) -> bool:
    return pair in _SURE_PAIRS or (pair[1] in {"key", "keys"} and pair[0] in _KEYS)


def _names_a_secret(word: str) -> bool:
    if word in _SURE or word == "pass" or any(part in word for part in _INSIDE):
        return not word.startswith("secretar")
    return word.endswith(("pass", "pwd")) and word not in _NOT_PASS

"""Secrets on command lines whose option has one letter: ``mysql -psecret``, ``curl -u user:password``."""

from __future__ import annotations

import re

from triage.masking import shapes
from triage.masking.model import SecretKind, SecretMatch, Span, Text, words
from triage.masking.values import quoted

_OPTION = re.compile(r"(?<![\w-])-(?P<letter>[paPukbwU])(?P<gap>[ \t]*)(?=[^\s-])")
_AUTH = re.compile(
    r"(?<![\w-])(?:AUTH|HELLO \d AUTH)[ \t]+(?:(?!\w+[=:])\S+[ \t]+)?(?P<value>[^\s\"',;]{4,})"
)
_USER = re.compile(r"(?<![\w-])--(?:proxy-)?user(?:=|[ \t]+)(?=[^\s-])")
_ARGUMENT = re.compile(r"\S+")
_LINE = 200
_COMMAND = re.compile(r"(?<![\w.-])(?P<name>[a-z][\w.-]{1,24})(?=[ \t])")
_WANTS = {
    "p": words("mysql mysqldump mysqladmin mariadb mariadb-dump sshpass 7z 7za rar unrar"),
    "P": frozenset({"zip", "unzip", "sqlcmd", "bcp"}),
    "a": frozenset({"redis-cli", "redis-benchmark"}),
    "u": frozenset({"curl", "wget", "http", "https"}),
    "k": frozenset({"openssl"}),
    "b": frozenset({"curl"}),
    "w": words("ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd ldapcompare"),
    "U": words("smbclient rpcclient smbget smbmap net"),
}
_ORDINARY_P = words(
    "docker compose docker-compose podman mkdir ssh scp cp nc ps kubectl pytest tar rsync lsof install netstat ss "
    "netcat psql pg_dump pip python python3 umount mount read set git make touch iptables nmap useradd sftp"
)
"""Commands whose -p is a port, a project or a folder."""

_NO_PASSWORD = re.compile(r"[\d:./-]+(?:/tcp|/udp)?|[./~].*|\w+/[\w/.-]+")


def _commands(text: str, at: int) -> set[str]:
    """Return the words of the line before an option that may be its command."""
    line = text[max(0, at - _LINE) : at].rpartition("\n")[2]
    return {found["name"] for found in _COMMAND.finditer(line)}


def _argument(text: str, at: int) -> tuple[int, int]:
    found = quoted(text, at, over_lines=False)
    if found is not None:
        return found
    word = _ARGUMENT.match(text, at)
    return at, word.end() if word is not None else at


def _option(text: Text, match: re.Match[str]) -> SecretMatch:
    """Look at one option; which command it belongs to decides."""
    letter, at = match["letter"], match.end()
    commands = _commands(text.whole, match.start())
    known = bool(commands & _WANTS[letter]) or (letter == "p" and "login" in commands)
    if not known and (letter != "p" or not match["gap"] or commands & _ORDINARY_P):
        return SecretMatch(at)
    start, end = _argument(text.whole, at)
    value = text.whole[start:end]
    if letter == "u":
        start, value = start + len(value.partition(":")[0]) + 1, value.partition(":")[2]
    if letter == "U":
        start, value = start + len(value.partition("%")[0]) + 1, value.partition("%")[2]
    if letter == "b" and "=" not in value:  # a file of cookies
        return SecretMatch(at)
    if shapes.says_nothing(value) or (not known and _NO_PASSWORD.fullmatch(value)):
        return SecretMatch(at)
    return SecretMatch(end, (Span(start, end),))


def _user(text: Text, match: re.Match[str]) -> SecretMatch:
    """Look at ``curl --user name:password``; of other commands it is a user and a group."""
    start, end = _argument(text.whole, match.end())
    user, _, password = text.whole[start:end].partition(":")
    if not _commands(text.whole, match.start()) & _WANTS["u"] or shapes.says_nothing(password):
        return SecretMatch(match.end())
    return SecretMatch(end, (Span(start + len(user) + 1, end),))


_HTPASSWD = re.compile(r"(?<![\w.])htpasswd(?=[ \t]+-)")
_WORD_OF_LINE = re.compile(r"[ \t]+(?P<word>\"[^\"\n]*\"|'[^'\n]*'|[^\s|;&>]+)")


def _htpasswd(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide the password of ``htpasswd -b file user password``; with ``-n`` there is no file."""
    flags, at = "", match.end()
    spans: list[Span] = []
    while (word := _WORD_OF_LINE.match(text.whole, at)) is not None:
        at, value = word.end(), word["word"]
        if value.startswith("-") and not value.startswith("--") and not spans:
            flags += value
            costs = _WORD_OF_LINE.match(text.whole, at) if value.endswith(("C", "r")) else None
            at = costs.end() if costs is not None else at
        else:
            spans.append(Span(*_argument(text.whole, word.start("word"))))
    wanted = 1 if "n" in flags else 2
    if "b" not in flags or len(spans) <= wanted or shapes.says_nothing(text.whole[spans[wanted].start : at]):
        return SecretMatch(match.end())
    return SecretMatch(at, (spans[wanted],))


def _auth(_: Text, match: re.Match[str]) -> SecretMatch:
    """Hide the password of Redis's AUTH; a sentence in capitals is none."""
    value = match["value"]
    if value.isupper() or shapes.says_nothing(value) or not any(char.isdigit() for char in value):
        return SecretMatch(match.end())
    return SecretMatch(match.end(), (Span(match.start("value"), match.end("value")),))


_SQL = re.compile(
    r"(?<![a-z])identified\s{1,4}(?:with\s{1,4}\S{1,40}\s{1,4})?(?:by|as)\s{1,4}(?:password\s{1,4})?[\"'](?P<rest>[^\"'\n]{1,200})"
)


def _sql(_: Text, match: re.Match[str]) -> SecretMatch:
    """Hide the password of ``CREATE USER … IDENTIFIED BY '…'``."""
    done = shapes.says_nothing(match["rest"])
    return SecretMatch(match.end(), () if done else (Span(match.start("rest"), match.end("rest")),))


KINDS = (
    SecretKind("password of SQL", ("identified",), _SQL, _sql, folded=True),
    SecretKind("option of one letter", (" -p", " -a", " -u", " -k", " -b", " -w"), _OPTION, _option),
    SecretKind("password of htpasswd", ("htpasswd",), _HTPASSWD, _htpasswd),
    SecretKind("user and password of curl", ("--user", "--proxy-user"), _USER, _user),
    SecretKind("AUTH of Redis", ("auth ",), _AUTH, _auth),
)

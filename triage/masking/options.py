"""Secrets on command lines whose option has one letter: ``mysql -psecret``, ``curl -u user:password``."""

from __future__ import annotations

import re

from triage.masking import shapes
from triage.masking.model import MASK, SecretKind, SecretMatch, Span, Text, words
from triage.masking.values import quoted

_OPTION = re.compile(
    r"(?<![\w-])-(?:[fgiIjkLNsSv#]{1,5}(?=[uU]))?(?P<letter>[paPukbwUAX])(?P<gap>[ \t]*|[\"'],[ \t]*(?=[\"']))(?=[^\s-])"
)
_AUTH = re.compile(
    r"(?<![\w-])(?:AUTH|HELLO \d AUTH)(?:[ \t]+(?:(?!\w+[=:])\S+[ \t]+)?(?P<value>[^\s\"',;]{4,})"
    r"|[\"'][ \t,]{1,2}(?:[\"'][^\"'\n]{1,80}[\"'][ \t,]{1,2})?[\"'](?P<quoted>[^\"'\n]{1,300})[\"'])"
)
_USER = re.compile(r"(?<![\w-])--(?:proxy-)?user(?:=|[ \t]+)(?=[^\s-])")
_ARGUMENT = re.compile(r"\S+")
_LINE = 200
_COMMAND = re.compile(r"(?<![\w.-])(?P<name>[a-z0-9][\w.-]{1,24})(?=[ \t\"',])")
_WANTS = {
    "p": words("mysql mysqldump mysqladmin mariadb mariadb-dump sshpass 7z 7za rar unrar"),
    "P": frozenset({"zip", "unzip", "sqlcmd", "bcp"}),
    "a": words("redis-cli redis-benchmark http https xh"),
    "u": frozenset({"curl", "wget", "http", "https"}),
    "k": frozenset({"openssl"}),
    "b": frozenset({"curl"}),
    "w": words("ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd ldapcompare"),
    "U": words("smbclient rpcclient smbget smbmap net curl"),
}
_SNMP = words("snmpget snmpgetnext snmpwalk snmpbulkwalk snmpbulkget snmpset snmptrap snmptable snmpusm")
_WANTS |= {"A": _SNMP, "X": _SNMP}
_REDIS = words("redis-cli redis-benchmark")
_ORDINARY_P = words(
    "docker compose docker-compose podman mkdir ssh scp cp nc ps kubectl pytest tar rsync lsof install netstat ss "
    "netcat http https xh psql pg_dump pip python python3 umount mount read set git make touch iptables nmap useradd sftp"
)
"""Commands whose -p is a port, a project or a folder."""

_NO_PASSWORD = re.compile(r"[\d:./-]+(?:/tcp|/udp)?|[./~].*|\w+/[\w/.-]+")


def _commands(text: str, at: int) -> set[str]:
    """Return the words of the line before an option that may be its command."""
    line = text[max(0, at - _LINE) : at].rpartition("\n")[2]
    return {found["name"] for found in _COMMAND.finditer(line)}


def _argument(text: str, at: int, enclosing: str = "") -> tuple[int, int]:
    """Return an argument; ``enclosing`` is the quote around an option and its value both, as in a list."""
    found = quoted(text, at, over_lines=False)
    if found is not None:
        return found
    if enclosing and (end := text.find(enclosing, at, at + _LINE)) >= 0:
        return at, end
    word = _ARGUMENT.match(text, at)
    return at, word.end() if word is not None else at


def _option(text: Text, match: re.Match[str]) -> SecretMatch:
    """Look at one option; which command it belongs to decides."""
    letter, at = match["letter"], match.end()
    commands = _commands(text.whole, match.start())
    known = bool(commands & _WANTS[letter]) or (letter == "p" and "login" in commands)
    if not known and (letter != "p" or not match["gap"] or commands & _ORDINARY_P):
        return SecretMatch(at)
    before = text.whole[max(0, match.start() - 1) : match.start()]
    start, end = _argument(text.whole, at, before if before and before in "\"'" and not match["gap"] else "")
    value = text.whole[start:end]
    mark = "" if letter not in "aUu" else "%" if letter == "U" and "curl" not in commands else ":"
    if mark and (letter != "a" or not commands & _REDIS):
        start, value = start + len(value.partition(mark)[0]) + 1, value.partition(mark)[2]
    if letter == "b" and "=" not in value:  # a file of cookies
        return SecretMatch(at)
    if shapes.says_nothing(value) or (not known and _NO_PASSWORD.fullmatch(value)):
        return SecretMatch(at)
    return SecretMatch(end, (Span(start, end),))


def _user(text: Text, match: re.Match[str]) -> SecretMatch:
    """Look at ``curl --user name:password``; of other commands it is a user and a group."""
    if not _commands(text.whole, match.start()) & _WANTS["u"]:
        return SecretMatch(match.end())
    start, end = _argument(text.whole, match.end())
    user, _, password = text.whole[start:end].partition(":")
    if shapes.says_nothing(password):
        return SecretMatch(match.end())
    return SecretMatch(end, (Span(start + len(user) + 1, end),))


_HTPASSWD = re.compile(r"(?<![\w.])htpasswd(?=[ \t]+-)")
_MOST_WORDS = 12
_WORD_OF_LINE = re.compile(r"[ \t]+(?P<word>\"[^\"\n]*\"|'[^'\n]*'|[^\s|;&>]+)")


def _htpasswd(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide the password of ``htpasswd -b file user password``; with ``-n`` there is no file."""
    flags, at = "", match.end()
    spans: list[Span] = []
    for _ in range(_MOST_WORDS):
        word = _WORD_OF_LINE.match(text.whole, at)
        if word is None:
            break
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
    if match["quoted"] is not None:  # as a client prints it: ('AUTH', 'ana', '…')
        hidden = shapes.says_nothing(match["quoted"])
        return SecretMatch(match.end(), () if hidden else (Span(*match.span("quoted")),))
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


_PLACED = re.compile(
    r"(?<![\w.-])(?:net(?:\.exe)?[ \t]+use[ \t]+(?:\S:[ \t]+)?\\\\\S{1,100}[ \t]+(?![/*])"
    r"|(?:jdbc:oracle:[a-z0-9]{1,10}:|sqlplus(?:[ \t]+-\w{1,8}){0,3}[ \t]+)[\w.$-]{1,60}/(?=[^\s/@]{1,200}@)"
    r"|auth-pass[ \t]+\S{1,60}[ \t]+"
    r"|rabbitmqctl[ \t][^\n]{0,60}?(?:add_user|change_password|authenticate_user)[ \t]+\S{1,60}[ \t]+"
    r"|(?:sudo[ \t]+-s|chpasswd|gpg|cryptsetup|passwd|login)[^\n|]{0,100}?<<<[ \t]*"
    r"|--?[a-z-]{0,20}(?:pass|token|secret|key)[\w-]{0,20}[= \t]<\((?:echo|printf)[ \t]+(?:-n[ \t]+|%s[ \t]+)?"
    r"|vault[ \t]+login[ \t]+(?![-\w]{0,40}=)(?!-)(?=\S{0,60}\d)|ccrypt[ \t][^\n]{0,60}?-k[ \t]*"
    r"|ssh-keygen[ \t][^\n]{0,120}?-[np][ \t]+|gh[ \t]+secret[ \t]+set[ \t][^\n]{0,80}?(?:--body|-b)[ \t=]+"
    r"|put-parameter[ \t][^\n]{0,160}?(?:pass|secret|key|token)[^\n]{0,80}?--value[ \t=]+"
    r"|nmcli[ \t][^\n]{0,120}?[ \t]password[ \t]+|wpa_passphrase[ \t]+\S{1,60}[ \t]+"
    r"|mc[ \t]+(?:alias|config[ \t]+host)[ \t]+(?:set|add)[ \t]+\S{1,60}[ \t]+\S{1,200}[ \t]+\S{3,60}[ \t]+"
    r"|convertto-securestring[ \t]+(?:-string[ \t]+)?(?=[\"'])"
    r"|set[ \t]+password[ \t]+for[ \t]+\S{1,100}?[ \t]*=[ \t]*(?=[\"']))"
    r"[\"']?(?P<rest>(?<=[\"'])[^\"'\n]{1,200}|[^\s\"']{1,200})"
)
"""Where the place in a command says that a word is a password."""


def _placed(_: Text, match: re.Match[str]) -> SecretMatch:
    done = shapes.says_nothing(match["rest"]) or match["rest"].startswith("$") or match["rest"].isdigit()
    return SecretMatch(match.end(), () if done else (Span(match.start("rest"), match.end("rest")),))


_NET_USER = re.compile(
    r"(?<![\w.-])net(?:\.exe)?[ \t]+user[ \t]+(?:\"[^\"\n]{1,60}\"|[^\s\"]{1,60})[ \t]+(?![/*])(?P<quote>[\"']?)"
    r"(?P<rest>(?<=[\"'])[^\"'\n]{1,200}|[^\s\"']{1,200})[\"']?(?P<after>[ \t]+/[a-z]|[ \t]*(?:[|&;>)`'\"\r\n]|\Z))?"
)
_FIGURE = re.compile(r"[-+~\u2248]?\d[\d.,:/]*[a-z%\u00d7]{0,4}[.,;:!?]?")


def _net_user(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide the password of ``net user ana … /add``; the words of "net user growth was 5" end no command."""
    start, end = match.span("rest")
    value, before = text.whole[start:end], text.whole[max(0, match.start() - 8) : match.start()].rstrip(" \t")
    prompt = before[-1:] in {">", "$", "`"}
    told = bool(match["quote"]) or (match["after"] or "").strip().startswith("/")
    if not told:
        alone = prompt or before[-1:] in {"", "\n", '"', "'", "|", "&", ";", "("}
        word = _FIGURE.fullmatch(value) is not None or (value.isalpha() and not prompt)
        told = match["after"] is not None and (shapes.looks_like_a_password(value) or (alone and not word))
    if not told or shapes.says_nothing(value) or value.startswith("$") or MASK in value:
        return SecretMatch(match.end("rest"))
    return SecretMatch(match.end("rest"), (Span(start, end),))


KINDS = (
    SecretKind("password of net user", ("net ", "net.exe"), _NET_USER, _net_user, folded=True),
    SecretKind(
        "password by its place in a command",
        (
            "net use",
            "net.exe use",
            "rabbitmqctl",
            "auth-pass",
            "<<<",
            "<(",
            "vault login",
            "ccrypt",
            "nmcli",
            "ssh-keygen",
            "gh secret",
            "put-parameter",
            "wpa_passphrase",
            "mc alias",
            "mc config",
            "securestring",
            "password for",
            "sqlplus",
            "jdbc:oracle",
        ),
        _PLACED,
        _placed,
        folded=True,
    ),
    SecretKind("password of SQL", ("identified",), _SQL, _sql, folded=True),
    SecretKind(
        "option of one letter",
        (*(f"{before}-{letter}" for before in " \"'" for letter in "paukbw"), "curl ", "snmp"),
        _OPTION,
        _option,
    ),
    SecretKind("password of htpasswd", ("htpasswd",), _HTPASSWD, _htpasswd),
    SecretKind("user and password of curl", ("--user", "--proxy-user"), _USER, _user),
    SecretKind("AUTH of Redis", ("auth ", 'auth"', "auth'"), _AUTH, _auth),
)

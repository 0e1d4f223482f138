"""Where and how mail goes, read from one URL.

``smtps://user:password@host:465?from=bot@desk&to=a@desk,b@desk``, or ``smtp://`` for STARTTLS, which is always asked for
but with ``tls=off`` (a relay on this machine). ``ca=FILE`` names certificates to trust.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from triage.errors import SettingError

_PORTS = {"smtp": 587, "smtps": 465}
_WRITE = "write smtps://user:password@host:465?from=bot@desk.example&to=ops@desk.example"


@dataclass(frozen=True, slots=True)
class MailAddress:
    """Where and how mail goes: read from the URL."""

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    user: str = ""
    password: str = ""
    tls: str = "starttls"
    """``starttls``, ``implicit`` or ``off``."""
    ca_file: str = ""


def read_mail_url(url: str) -> MailAddress:
    """Read the URL. Raises SettingError that says what is wrong and shows no password."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise SettingError(f"is no SMTP address; {_WRITE}") from error
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SettingError(f"is no SMTP address; {_WRITE}")
    recipients = tuple(one for one in query.get("to", "").split(",") if one)
    if "@" not in query.get("from", "") or not recipients or not all("@" in one for one in recipients):
        raise SettingError(f"names no from= or no to=; {_WRITE}")
    tls = "implicit" if parts.scheme == "smtps" else query.get("tls", "starttls")
    if tls not in {"implicit", "starttls", "off"}:
        raise SettingError("tls= is starttls or off")
    if not all(one.isprintable() and " " not in one for one in (query["from"], *recipients)):
        raise SettingError("has a blank or a line break in from= or to=")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise SettingError(f"has a user without a password, or the reverse; {_WRITE}")
    if tls == "off" and password:
        raise SettingError("a password would go in clear with tls=off: drop one of the two")
    address = MailAddress(
        host=parts.hostname,
        port=port,
        sender=query["from"],
        recipients=recipients,
        user=user,
        password=password,
        tls=tls,
        ca_file=query.get("ca", ""),
    )
    try:
        tls_context(address)
    except OSError as error:  # an SSLError is one too
        raise SettingError(f"ca={address.ca_file} holds no certificates that can be read") from error
    return address


def tls_context(address: MailAddress) -> ssl.SSLContext | None:
    """Return what is trusted; None where TLS is off. Raises OSError for a file that holds no certificates."""
    return ssl.create_default_context(cafile=address.ca_file or None) if address.tls != "off" else None

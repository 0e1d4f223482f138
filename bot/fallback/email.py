"""A notice as an e-mail, over SMTP with TLS.

The address is one URL: ``smtps://user:password@host:465?from=bot@desk&to=a@desk,b@desk``, or ``smtp://`` for
STARTTLS, which is asked for always but with ``tls=off`` (a relay on this machine). ``Message-ID`` is made of the
notice's id: the same in every try, so that a mailbox knows a repeat.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from triage.errors import FallbackFailure, SettingError
from triage.ports.fallback import Notice
from triage.untrusted_text import one_line

SECONDS = 15.0
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
        _trust(address)
    except OSError as error:  # an SSLError is one too
        raise SettingError(f"ca={address.ca_file} holds no certificates that can be read") from error
    return address


def _trust(address: MailAddress) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=address.ca_file or None) if address.tls != "off" else None


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Mails to the recipients of an address."""

    address: MailAddress
    name: str = "e-mail"

    async def send(self, notice: Notice) -> None:
        """Send a mail; it counts as sent when the server took it for every recipient. Raises FallbackFailure."""
        try:
            async with self._client() as client:
                refused, _ = await client.send_message(self._message(notice))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise FallbackFailure(_why(error, self.address)) from error
        if refused:
            raise FallbackFailure(f"not taken for {', '.join(sorted(refused))}")

    async def examine(self) -> str:
        """Connect, log in, say goodbye: nothing is mailed."""
        try:
            async with self._client() as client:
                await client.noop()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise FallbackFailure(_why(error, self.address)) from error
        return f"lets us in, mail would go to {', '.join(self.address.recipients)}; nothing was mailed"

    def _client(self) -> aiosmtplib.SMTP:
        address = self.address
        return aiosmtplib.SMTP(
            hostname=address.host,
            port=address.port,
            username=address.user or None,
            password=address.password or None,
            use_tls=address.tls == "implicit",
            start_tls=address.tls == "starttls",
            tls_context=_trust(address),
            timeout=SECONDS,
        )

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.address.sender
        message["To"] = ", ".join(self.address.recipients)
        message["Subject"] = one_line(f"[fallback] {notice.title}", 200)
        message["Message-ID"] = f"<{notice.id}@hbot-triage>"
        message["X-Priority"] = "1"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notice.text)
        return message


def _why(error: Exception, address: MailAddress) -> str:
    why = _reason(error)
    return why.replace(address.password, "•••") if address.password else why


def _reason(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return "does not let us in: check the user and the password in TRIAGE_FALLBACK_SMTP"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return one_line(f"answered {error.code} {error.message}", 200)
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return f"its certificate is not trusted ({one_line(str(error), 120)})"
    return f"cannot be reached ({type(error).__name__})"

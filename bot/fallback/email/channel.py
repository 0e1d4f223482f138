"""A notice as an e-mail, over SMTP with TLS.

``Message-ID`` is made of the notice's id: the same in every try, so that a mailbox knows a repeat.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from email.message import EmailMessage

import aiosmtplib

from bot.fallback.declaration import FallbackDeclaration
from bot.fallback.email.address import MailAddress, read_mail_url, tls_context
from bot.fallback.email.settings import ADDRESS, EmailSettings
from triage.errors import FallbackFailure
from triage.ports.fallback import Notice
from triage.untrusted_text import one_line

SECONDS = 15.0


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
            tls_context=tls_context(address),
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
        return f"does not let us in: check the user and the password in {ADDRESS}"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return one_line(f"answered {error.code} {error.message}", 200)
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return f"its certificate is not trusted ({one_line(str(error), 120)})"
    return f"cannot be reached ({type(error).__name__})"


def _open(settings: EmailSettings) -> EmailChannel:
    return EmailChannel(read_mail_url(settings.triage_fallback_smtp.get_secret_value()))


CHANNEL = FallbackDeclaration("e-mail", ADDRESS, _open)

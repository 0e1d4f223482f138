"""A notice as an e-mail, over SMTP with TLS.

``Message-ID`` is made of the notice's id: the same in every try, so that a mailbox knows a repeat.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

import aiosmtplib

from bot.fallback.declaration import FallbackDeclaration
from bot.fallback.email.address import MailAddress, read_mail_url, tls_context
from bot.fallback.email.settings import ADDRESS, EmailSettings
from triage.errors import FallbackFailure, PartlySent
from triage.ports.fallback import Notice
from triage.untrusted_text import one_line

SECONDS = 15.0
MOST = 200
"""Characters of a subject, and of why a mail did not go."""
_REPLY = 60
_FINAL = 500
"""From this code on a reply is final (RFC 5321, 4.2.1); one below asks to try again."""
GOODBYE_SECONDS = 1.0
"""What was taken is taken: a server that does not answer the goodbye must not make it look unsent."""


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Mails to the recipients of an address."""

    address: MailAddress
    name: str = "e-mail"

    async def send(self, notice: Notice) -> str:
        """Send a mail; who has it is not sent it again. Returns whom the server refused for good.

        Raises PartlySent where it refused some of them for now.
        """
        try:
            async with self._session() as client:
                to = list(notice.only or self.address.recipients)
                refused, _ = await client.send_message(self._message(notice), recipients=to)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise FallbackFailure(_why(error, self.address), for_good=_for_good(error)) from error
        said = (f"{to}: {code} {one_line(words, _REPLY)}" for to, (code, words) in sorted(refused.items()))
        left_out = one_line(f"not taken for {'; '.join(said)}", MOST) if refused else ""
        waiting = tuple(sorted(to for to, (code, _) in refused.items() if not _is_final(code)))
        if waiting:
            raise PartlySent(left_out, waiting)
        return left_out

    async def examine(self) -> str:
        """Connect, log in, ask for each recipient, begin no mail: nothing is mailed."""
        try:
            async with self._session() as client:
                await client.mail(self.address.sender)
                for recipient in self.address.recipients:
                    await client.rcpt(recipient)
                await client.rset()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise FallbackFailure(_why(error, self.address)) from error
        return f"lets us in, mail would go to {', '.join(self.address.recipients)}; nothing was mailed"

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """Connect, with TLS and a login where they are set."""
        address = self.address
        client = aiosmtplib.SMTP(
            hostname=address.host,
            port=address.port,
            username=address.user or None,
            password=address.password or None,
            use_tls=address.tls == "implicit",
            start_tls=address.tls == "starttls",
            tls_context=tls_context(address),
            timeout=SECONDS,
        )
        try:
            await client.connect()
            yield client
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=GOODBYE_SECONDS)
        finally:
            client.close()

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.address.sender
        message["To"] = ", ".join(self.address.recipients)
        message["Subject"] = one_line(f"[fallback] {notice.title}", MOST)
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{notice.id}@hbot-triage>"
        message["X-Priority"] = "1"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notice.text)
        return message


def _why(error: Exception, address: MailAddress) -> str:
    refused = error.recipients if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else [error]
    why = "; ".join(map(_reason, refused))
    # A server may repeat the password: it is taken out before anything is cut, so that no half of it is left.
    return one_line(why.replace(address.password, "•••") if address.password else why, MOST)


def _for_good(error: Exception) -> bool:
    """Whether the server refuses this mail for good: by a final reply to its sender, its text, or each recipient.

    What it says of us and not of the mail, a greeting or a login, may be
    mended without a restart: it is tried again.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(_is_final(one.code) for one in error.recipients)
    if isinstance(error, aiosmtplib.SMTPDataError | aiosmtplib.SMTPSenderRefused):
        return error.code >= _FINAL
    return False


def _is_final(code: int) -> bool:
    """Whether a recipient is refused for good: a full mailbox (552) may be emptied."""
    return code >= _FINAL and code != aiosmtplib.SMTPStatus.storage_exceeded


def _reason(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return f"does not let us in: check the user and the password in {ADDRESS}"
    if isinstance(error, aiosmtplib.SMTPRecipientRefused):
        return f"does not take mail for {error.recipient}: {error.code} {error.message}"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"answered {error.code} {error.message}"
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return f"its certificate is not trusted ({error})"
    if isinstance(error, OSError):  # of the library's errors those of the connection are some too
        return f"cannot be reached ({type(error).__name__})"
    return f"cannot be used: {error}"


def _open(settings: EmailSettings) -> EmailChannel:
    return EmailChannel(read_mail_url(settings.triage_fallback_smtp.get_secret_value()))


CHANNEL = FallbackDeclaration("e-mail", ADDRESS, _open)

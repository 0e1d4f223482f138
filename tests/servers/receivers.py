"""Real servers on this machine that take notices: SMTP, and HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope, Session

from tests.servers.process import LOOPBACK, free_port


class Mailbox:
    """Takes mail and remembers it."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self.refused: set[str] = set()
        self.answers: dict[str, str] = {}
        """What it answers to a recipient, or to a sender, instead of taking it."""
        self.full = ""
        """What it answers instead of taking a mail; empty: it takes it."""

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: object, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a sender, but those it has another answer for."""
        del server, session, options
        envelope.mail_from = address
        return self.answers.get(address, "250 known")

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: object, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, but the refused ones."""
        del server, session, options
        if address in self.refused or address in self.answers:
            return self.answers.get(address, "550 no such user")
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        """Take a mail."""
        del server, session
        if self.full:
            return self.full
        self.mails.append((envelope.rcpt_tos, envelope.original_content or b""))
        return "250 taken"


@dataclass
class Receiver:
    """An HTTP server that remembers what came and answers as told."""

    status: int = 200
    is_endless: bool = False
    """Whether the body of the answer never ends."""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Remember a request."""
        self.requests.append((request.method, dict(request.headers), await request.read()))
        answer = web.StreamResponse(status=self.status, headers={"Location": "/elsewhere"})
        await answer.prepare(request)
        with suppress(ConnectionError):
            while self.is_endless:
                await answer.write(bytes(65536))
        return answer


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run an HTTP receiver."""
    receiver, app = Receiver(), web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    receiver.url = f"http://{LOOPBACK}:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def relaying() -> AsyncIterator[tuple[Mailbox, int]]:
    """Run an SMTP relay without TLS, as one on the same machine may be."""
    box = Mailbox()
    server = Controller(box, hostname=LOOPBACK, port=free_port())
    server.start()
    try:
        yield box, server.port
    finally:
        server.stop()

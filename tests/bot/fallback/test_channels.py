"""The fallback channels against real servers on this machine: SMTP with TLS, HTTP."""

import asyncio
import hashlib
import hmac
import json
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from bot.fallback import http_post
from bot.fallback.email.address import read_mail_url
from bot.fallback.email.channel import EmailChannel
from bot.fallback.push.channel import PushChannel
from bot.fallback.webhook.channel import WebhookChannel
from tests.servers.process import LOOPBACK, free_port
from tests.servers.receivers import Mailbox, receiving, relaying
from tests.servers.tcp import tcp_server
from triage.errors import FallbackFailure, PartlySent, SettingError
from triage.model import Severity
from triage.ports.fallback import Notice

pytestmark = pytest.mark.slow

NOTICE = Notice(
    id="hbot-triage-incident-7-0-1771556460",
    kind="incident",
    title="Sev-1 · bot1 stopped: drawdown limit · INC-7",
    text="Slack has not taken this for 60 s.\nDo: leave it stopped, grüße",
    severity=Severity.SEV1,
    incidents=("INC-7",),
)


def _login(
    server: object, session: object, envelope: object, mechanism: str, auth: LoginPassword
) -> AuthResult:
    del server, session, envelope, mechanism
    return AuthResult(success=auth.login == b"bot" and auth.password == b"s3cret/@", handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine's own, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext {names}"
    subprocess.run(
        [*command.split(), "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return cert, key


@pytest.fixture
def mail_server(certificate: tuple[Path, Path]) -> Iterator[tuple[Mailbox, Controller]]:
    """An SMTP server that wants STARTTLS and a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    box = Mailbox()
    server = Controller(
        box,
        hostname=LOOPBACK,
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=_login,
        auth_required=True,
    )
    server.start()
    yield box, server
    server.stop()


def _mail_url(port: int, login: str = "bot:s3cret%2F%40@", *, ca: Path | None = None) -> str:
    trust = f"&ca={ca}" if ca else ""
    return f"smtp://{login}localhost:{port}?from=bot@desk.example&to=a@desk.example,b@desk.example{trust}"


async def test_a_mail_goes_over_tls_to_every_recipient(
    mail_server: tuple[Mailbox, Controller], certificate: tuple[Path, Path]
) -> None:
    """Subject, text and the id by which a mailbox knows a repeat."""
    box, server = mail_server
    channel = EmailChannel(read_mail_url(_mail_url(server.port, ca=certificate[0])))
    assert "nothing was mailed" in await channel.examine()
    assert box.mails == []
    await channel.send(NOTICE)
    (recipients, content), mail = box.mails[0], message_from_bytes(box.mails[0][1])
    assert recipients == ["a@desk.example", "b@desk.example"]
    assert str(make_header(decode_header(mail["Subject"]))) == f"[fallback] {NOTICE.title}"
    assert mail["Message-ID"] == f"<{NOTICE.id}@hbot-triage>"
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().splitlines() == NOTICE.text.splitlines()
    assert content


async def test_a_recipient_who_is_refused_is_named_and_the_others_have_the_mail() -> None:
    """It is no failure, which would be tried again: the others would get it each time."""
    async with relaying() as (box, port):
        channel = EmailChannel(read_mail_url(_mail_url(port, login="") + "&tls=off"))
        box.refused = {"b@desk.example"}
        assert await channel.send(NOTICE) == "not taken for b@desk.example: 550 no such user"
        assert [recipients for recipients, _ in box.mails] == [["a@desk.example"]]
        assert message_from_bytes(box.mails[0][1])["Date"]
        with pytest.raises(FallbackFailure, match=r"does not take mail for b@desk.example: 550 no such user"):
            await channel.examine()
        box.refused = {"a@desk.example", "b@desk.example"}
        with pytest.raises(
            FallbackFailure, match=r"does not take mail for a@desk.example: 550 no such user; "
        ):
            await channel.send(NOTICE)
    assert len(box.mails) == 1


async def test_who_is_refused_for_now_gets_the_mail_alone_the_next_time() -> None:
    """Greylisting and a full mailbox ask to try again; who has the mail gets it no second time."""
    async with relaying() as (box, port):
        channel = EmailChannel(read_mail_url(_mail_url(port, login="") + "&tls=off"))
        for answer in ("450 try again later", "552 mailbox full"):
            box.mails.clear()
            box.answers = {"b@desk.example": answer}
            with pytest.raises(PartlySent, match=f"^not taken for b@desk.example: {answer}$") as partly:
                await channel.send(NOTICE)
            box.answers = {}
            assert await channel.send(replace(NOTICE, only=partly.value.waiting)) == ""
            assert [to for to, _ in box.mails] == [["a@desk.example"], ["b@desk.example"]]
            assert {message_from_bytes(text)["To"] for _, text in box.mails} == {
                "a@desk.example, b@desk.example"
            }


BOT, ANA, BEN = "bot@desk.example", "a@desk.example", "b@desk.example"


@pytest.mark.parametrize(
    ("answers", "for_good"),
    [
        ({ANA: "550 5.1.1 no such user", BEN: "553 5.1.3 no such address"}, True),
        ({ANA: "554 5.7.1 relay access denied", BEN: "551 not here"}, True),
        ({ANA: "550 no such user", BEN: "451 4.7.1 greylisted"}, False),
        ({ANA: "450 busy", BEN: "452 4.5.3 too many recipients"}, False),
        ({ANA: "552 5.2.2 mailbox full", BEN: "550 no such user"}, False),
        ({BOT: "553 5.7.1 sender not yours"}, True),
        ({BOT: "530 5.7.0 authentication required"}, True),
        ({BOT: "452 4.3.1 no room"}, False),
    ],
    ids=lambda value: " | ".join(value.values()) if isinstance(value, dict) else "",
)
async def test_a_final_reply_to_the_sender_or_to_all_recipients_is_final(
    answers: dict[str, str], *, for_good: bool
) -> None:
    """One that may change is tried again; of several recipients one such reply is enough."""
    async with relaying() as (box, port):
        box.answers = answers
        with pytest.raises(FallbackFailure, match=next(iter(answers.values()))) as refused:
            await EmailChannel(read_mail_url(_mail_url(port, login="") + "&tls=off")).send(NOTICE)
    assert refused.value.for_good is for_good


@pytest.mark.parametrize(
    ("answer", "for_good"),
    [
        ("552 5.3.4 message size exceeds fixed limit", True),
        ("554 5.7.1 spam", True),
        ("452 4.3.1 insufficient system storage", False),
        ("421 4.3.2 shutting down", False),
    ],
)
async def test_a_final_reply_to_the_text_is_not_tried_again(answer: str, *, for_good: bool) -> None:
    """The next one would be as large; a server that is short of room for now may have it later."""
    async with relaying() as (box, port):
        box.full = answer
        with pytest.raises(FallbackFailure, match=f"answered {answer}") as refused:
            await EmailChannel(read_mail_url(_mail_url(port, login="") + "&tls=off")).send(NOTICE)
    assert refused.value.for_good is for_good


async def test_a_server_that_takes_a_mail_and_says_no_goodbye_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """To wait for it could outlast the deadline, and the mail would be sent again."""
    monkeypatch.setattr("bot.fallback.email.channel.GOODBYE_SECONDS", 0.05)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        is_text = False
        async for line in reader:
            if line.startswith(b"QUIT"):
                continue
            is_text = line.startswith(b"DATA") or (is_text and line != b".\r\n")
            if line.startswith(b"DATA") or not is_text:
                writer.write(b"354 go on\r\n" if is_text else b"250 good\r\n")

    async with tcp_server(answer) as port, asyncio.timeout(5):
        assert await EmailChannel(read_mail_url(_mail_url(port, login="") + "&tls=off")).send(NOTICE) == ""


async def test_a_server_without_starttls_is_not_said_to_be_unreachable() -> None:
    """It was reached; what it lacks is said, and nothing went in clear."""
    async with relaying() as (box, port):
        with pytest.raises(FallbackFailure, match="STARTTLS"):
            await EmailChannel(read_mail_url(_mail_url(port, login=""))).send(NOTICE)
    assert box.mails == []


async def test_mail_that_cannot_go_says_why_without_the_password(
    mail_server: tuple[Mailbox, Controller], certificate: tuple[Path, Path]
) -> None:
    """A wrong password, an untrusted certificate, nobody there."""
    _, server = mail_server
    wrong = EmailChannel(read_mail_url(_mail_url(server.port, "bot:wrong@", ca=certificate[0])))
    with pytest.raises(FallbackFailure, match="does not let us in") as refused:
        await wrong.send(NOTICE)
    assert "wrong" not in str(refused.value)
    with pytest.raises(FallbackFailure, match="certificate is not trusted"):
        await EmailChannel(read_mail_url(_mail_url(server.port))).send(NOTICE)
    with pytest.raises(FallbackFailure, match="cannot be reached"):
        await EmailChannel(read_mail_url(_mail_url(free_port()))).send(NOTICE)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://mail", "is no SMTP address"),
        ("smtp://mail:port?from=a@b&to=c@d", "is no SMTP address"),
        ("smtp://mail?from=a@b", "names no from= or no to="),
        ("smtp://mail?to=a@b", "names no from= or no to="),
        ("smtp://mail?from=a@b&to=c", "names no from= or no to="),
        ("smtp://u:p@mail?from=a@b&to=c@d&tls=off", "in clear"),
        ("smtp://mail?from=a@b&to=c@d&tls=maybe", "starttls or off"),
        ("smtp://u@mail?from=a@b&to=c@d", "a user without a password"),
        ("smtp://:p@mail?from=a@b&to=c@d", "a user without a password"),
        ("smtp://mail?from=a@b&to=c@d%0aBcc:x@y", "a line break"),
        ("smtp://mail?from=a@b&to=c@d&ca=/nowhere/ca.pem", "holds no certificates"),
    ],
)
def test_a_wrong_mail_address_is_refused_at_the_start(url: str, says: str) -> None:
    """Each names the problem."""
    with pytest.raises(SettingError, match=says):
        read_mail_url(url)


def test_a_mail_address_without_a_port_takes_the_usual_one() -> None:
    """465 for TLS from the start, 587 for STARTTLS."""
    assert read_mail_url("smtps://mail?from=a@b&to=c@d").port == 465
    assert read_mail_url("smtp://mail?from=a@b&to=c@d").port == 587


async def test_a_webhook_is_signed_and_names_its_id() -> None:
    """Whoever holds the secret can prove that the body is ours, and know a repeat."""
    async with receiving() as receiver:
        await WebhookChannel(receiver.url, "topsecret").send(NOTICE)
    _, headers, body = receiver.requests[0]
    signed = hmac.new(b"topsecret", headers["X-Triage-Timestamp"].encode() + b"." + body, hashlib.sha256)
    assert headers["X-Triage-Signature"] == f"sha256={signed.hexdigest()}"
    assert headers["Idempotency-Key"] == NOTICE.id
    data: dict[str, Any] = json.loads(body)
    assert data["fallback"] is True
    assert (data["id"], data["severity"], data["incidents"]) == (NOTICE.id, "Sev-1", ["INC-7"])


@pytest.mark.parametrize("status", [302, 404, 413, 429, 500, 503])
async def test_only_a_2xx_counts_as_taken(status: int) -> None:
    """A redirect is not followed: whoever answered did not take it."""
    async with receiving() as receiver:
        receiver.status = status
        with pytest.raises(FallbackFailure, match=f"answered {status}"):
            await WebhookChannel(receiver.url).send(NOTICE)
    assert len(receiver.requests) == 1


async def test_an_answer_without_an_end_is_not_read() -> None:
    """The status is all that counts."""
    async with receiving() as receiver, asyncio.timeout(5):
        receiver.is_endless = True
        await WebhookChannel(receiver.url).send(NOTICE)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"", "closed the connection, or answered in something else than HTTP"),
        (
            b"220 mail.desk.example ESMTP\r\n",
            "closed the connection, or answered in something else than HTTP",
        ),
        (
            b"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://elsewhere/\r\n\r\n",
            "set the address itself",
        ),
        (b"HTTP/1.1 599\r\n\r\n", "answered 599$"),
        (b"HTTP/1.1 413 Too Large\r\n\r\n", "of 2[0-9]{2} bytes is more than it takes, raise its limit$"),
    ],
)
async def test_what_a_receiver_does_instead_of_taking_a_notice_is_said(sent: bytes, says: str) -> None:
    """It closes, speaks another protocol, sends us elsewhere, or knows no such status."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        writer.write_eof()

    async with tcp_server(answer) as port:
        with pytest.raises(FallbackFailure, match=says):
            await WebhookChannel(f"http://{LOOPBACK}:{port}/").send(NOTICE)


@pytest.mark.parametrize(
    ("sent", "wait", "for_good"),
    [
        (b"HTTP/1.1 413 Too Large\r\n\r\n", 0, True),
        (b"HTTP/1.1 413 Too Large\r\nRetry-After: 30\r\n\r\n", 30, False),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\n\r\n", 7, False),
        (b"HTTP/1.1 503 Away\r\n\r\n", 0, False),
    ],
)
async def test_whether_and_when_a_receiver_wants_it_again_is_read(
    sent: bytes, wait: float, *, for_good: bool
) -> None:
    """A limit of its own is no limit of time, unless it says when."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        writer.write_eof()

    async with tcp_server(answer) as port:
        with pytest.raises(FallbackFailure) as refused:
            await WebhookChannel(f"http://{LOOPBACK}:{port}/").send(NOTICE)
    assert (refused.value.wait_seconds, refused.value.for_good) == (wait, for_good)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("120", 120.0), ("0", 0.0), ("-5", 0.0), ("", 0.0), ("soon", 0.0), ("nan", 0.0), ("inf", 0.0)),
        *(("1e9", 86_400.0), ("Fri, 20 Feb 2026 03:15:30 GMT", 30.0), ("Fri, 20 Feb 2026 03:14:00 GMT", 0.0)),
        ("Fri, 99 Feb 2026 03:15:30 GMT", 0.0),
    ],
)
def test_a_retry_after_is_read_in_seconds_and_as_a_date(value: str, seconds: float) -> None:
    """What cannot be read asks for nothing."""
    assert http_post.wait_seconds(value, 1_771_557_300.0) == seconds


async def test_an_answer_that_comes_a_byte_at_a_time_ends_with_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The deadline is that of the whole request, not of each byte."""
    monkeypatch.setattr(http_post, "SECONDS", 0.3)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    async with tcp_server(answer) as port:
        for question in (
            WebhookChannel(f"http://{LOOPBACK}:{port}/").send(NOTICE),
            PushChannel(f"http://{LOOPBACK}:{port}/").examine(),
        ):
            with pytest.raises(FallbackFailure, match=r"did not answer within 0\.3 s"):
                await question


async def test_the_authorities_are_read_for_the_first_notice_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them holds the loop, and everything else with it."""
    async with receiving() as receiver:
        channel = WebhookChannel(receiver.url)
        await channel.send(NOTICE)
        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", _unexpected)
        await channel.send(NOTICE)
    assert len(receiver.requests) == 2


def _unexpected(*_: object, **_more: object) -> None:
    raise AssertionError("the authorities are read again")


async def test_a_certificate_that_nobody_trusts_is_named(certificate: tuple[Path, Path]) -> None:
    """Otherwise the operator looks at the network."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    server = await asyncio.start_server(lambda _, writer: writer.close(), LOOPBACK, 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(FallbackFailure, match="certificate is not trusted: self-signed certificate"):
            await WebhookChannel(f"https://{LOOPBACK}:{port}/").send(NOTICE)
        await asyncio.sleep(0.1)  # the server closes what could not be opened
    async with receiving() as receiver:
        with pytest.raises(FallbackFailure, match="cannot be reached over TLS"):
            await WebhookChannel(receiver.url.replace("http://", "https://")).send(NOTICE)


async def test_a_push_has_title_priority_and_a_text_that_fits() -> None:
    """The title may hold letters that headers do not; a long text is cut below the service's limit."""
    async with receiving() as receiver:
        channel = PushChannel(receiver.url, "tk_1")
        await channel.examine()
        assert receiver.requests[0][0] == "HEAD"
        await channel.send(
            Notice(id="n", kind="incident", title=NOTICE.title, text="ü" * 9000, severity=Severity.SEV1)
        )
    _, headers, body = receiver.requests[1]
    assert str(make_header(decode_header(headers["Title"]))) == NOTICE.title
    assert headers["Priority"] == "urgent"
    assert headers["Authorization"] == "Bearer tk_1"
    assert len(body) < 4096


async def test_a_push_topic_that_refuses_us_is_found_by_the_doctor() -> None:
    """401 and 403 name the token; a server in trouble is a failure, and what shows no topic proves nothing."""
    async with receiving() as receiver:
        receiver.status = 403
        with pytest.raises(FallbackFailure, match="TRIAGE_FALLBACK_PUSH_TOKEN"):
            await PushChannel(receiver.url).examine()
        receiver.status = 502
        with pytest.raises(FallbackFailure, match="answered 502"):
            await PushChannel(receiver.url).examine()
        receiver.status = 404
        assert "does not tell whether it takes a push" in await PushChannel(receiver.url).examine()


@pytest.mark.parametrize(
    "channel", [WebhookChannel("http://[bad"), PushChannel("http://127.0.0.1:9", "tökén")]
)
async def test_what_cannot_be_asked_at_all_is_a_failure_of_that_channel(
    channel: WebhookChannel | PushChannel,
) -> None:
    """An address that is none, a token that no header can hold: said, without either of them."""
    for question in (channel.send(NOTICE), channel.examine()):
        with pytest.raises(FallbackFailure, match="cannot be reached") as failure:
            await question
        assert "bad" not in str(failure.value)
        assert "tökén" not in str(failure.value)


async def test_a_server_that_repeats_the_password_does_not_bring_it_into_an_error() -> None:
    """Its answer goes to logs and to the thread."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 no service for bot:s3cret/@\r\n")
        await reader.read()

    async with tcp_server(answer) as port:
        channel = EmailChannel(read_mail_url(_mail_url(port)))
        with pytest.raises(FallbackFailure, match="answered 554 no service for bot:•••"):
            await channel.send(NOTICE)


async def test_no_half_of_the_password_is_left_where_the_answer_is_cut() -> None:
    """It is taken out first."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 " + b"x" * 180 + b" s3cret/@ was wrong\r\n")
        await reader.read()

    async with tcp_server(answer) as port:
        with pytest.raises(FallbackFailure, match=r"answered 554 x+ •••") as failure:
            await EmailChannel(read_mail_url(_mail_url(port))).send(NOTICE)
    assert "s3c" not in str(failure.value)

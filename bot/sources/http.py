"""How every source is asked over HTTP: limits on time and size, no redirects, errors as ``SourceError``.

::

    connect ≤ 3 s, the whole answer ≤ the source's time limit, the body ≤ ``MAX_BYTES``, all bodies ≤ the budget
    a source that hangs is not asked again and again (``Circuit``)
    redirects are not followed, proxies of the environment are not used, answers are not decompressed
    (a small packed answer can unpack to any size, so we ask for plain ones and refuse others)
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.sources.answer_shape import answer_shape
from bot.sources.budget import ALL_READS, ANSWER_MAX, OBJECTS_MAX, AnswerTooLarge, objects_size
from bot.sources.circuit import Circuit
from bot.sources.transport import AiohttpTransport
from triage.errors import (
    SettingError,
    SourceBadAnswer,
    SourceDenied,
    SourceError,
    SourceRejected,
    SourceTimeout,
    SourceTooLarge,
    SourceUnreachable,
)
from triage.masking import masked, masked_and_cut
from triage.outside_numbers import is_whole

MAX_BYTES = ANSWER_MAX
CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
_WHY_MAX = 300
_ADDRESS = "write http://host:port; in a user's or password's place @ : / ? # must be %-encoded"
_DENIED = frozenset({401, 403})
_SLOW = frozenset({408, 504})

Params = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")


def base_url(source: str, setting: str, url: str) -> httpx.URL:
    """Read the address of a source. Raises SettingError, which names the setting and the mend."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        # What was wrong is not quoted, nor kept as a cause: a "port" may be the half of a password.
        raise SettingError(f"{setting}: the address of {source} cannot be read; {_ADDRESS}") from None
    if re.search(
        "[/?#].*@", url.partition("://")[2]
    ):  # a password that ends the address for the reader of URLs
        raise SettingError(f"{setting}: the address of {source} is not clear; {_ADDRESS}")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise SettingError(
            f"{setting}: the address of {source} must look like http://host:port, without quotes"
        )
    return parsed.copy_with(query=None, fragment=None, path=parsed.path.rstrip("/") + "/")


@dataclass(slots=True)
class HttpSource:
    """One HTTP server that is asked for evidence. ``name`` is how operators know it."""

    name: str
    client: httpx.AsyncClient
    total_seconds: float = TOTAL_SECONDS
    max_bytes: int = MAX_BYTES
    where: str = field(default="", repr=False)
    circuit: Circuit = field(init=False)

    def __post_init__(self) -> None:
        """Begin without a memory of the source."""
        self.circuit = Circuit(self.name)

    @classmethod
    def open(
        cls,
        name: str,
        url: httpx.URL,
        *,
        headers: Mapping[str, str] | None = None,
        total_seconds: float = TOTAL_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
        where: str = "",
    ) -> HttpSource:
        """Make a source with a client of its own; nothing is connected yet."""
        client = httpx.AsyncClient(
            base_url=url,
            headers={"accept-encoding": "identity", "user-agent": "hbot-triage", **(headers or {})},
            timeout=httpx.Timeout(total_seconds, connect=min(CONNECT_SECONDS, total_seconds)),
            follow_redirects=False,
            trust_env=False,
            transport=transport or AiohttpTransport(),
        )
        return cls(name, client, total_seconds, where=where or f"{url.host}:{url.port or url.scheme}")

    async def aclose(self) -> None:
        """Close the connections."""
        await self.client.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: object = None,
        form: Mapping[str, str] | None = None,
        total_seconds: float | None = None,
        reads: bool = False,
    ) -> Reply:
        """Ask, and return the whole answer whatever its status. Raises SourceError, without an answer.

        ``reads``: it changes nothing, though it is no GET.
        """
        asked = total_seconds if total_seconds is not None else self.total_seconds
        # Only reading waits for nobody: what changes something is asked whatever the source did before.
        admitted = self.circuit.question(asked) if reads or method == "GET" else nullcontext(asked)
        with admitted as limit, self._errors(limit):
            async with (
                asyncio.timeout(limit),
                self.stream(method, path, params=params, body=body, form=form) as response,
            ):
                return Reply(response.status_code, response.headers, await self._read(response))

    async def get(self, path: str, *, params: Params | None = None) -> Reply:
        """Ask and insist on a 200. Raises SourceError with the answer's own words."""
        return self.insist(await self.ask("GET", path, params=params))

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: object = None,
        form: Mapping[str, str] | None = None,
        read_seconds: float | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """Open an answer and leave it unread. ``read_seconds`` replaces the wait between two pieces."""
        timeout = httpx.Timeout(
            self.total_seconds,
            connect=min(CONNECT_SECONDS, self.total_seconds),
            read=read_seconds if read_seconds is not None else self.total_seconds,
        )
        try:
            request = self.client.build_request(
                method, path, params=dict(params) if params else None, json=body, data=dict(form) if form else None,
                timeout=timeout,
            )  # fmt: skip
        except httpx.InvalidURL as error:
            raise SourceRejected(self.name, f"the question makes no address ({error})") from error
        response = await self.client.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response) -> bytes:
        self.refuse_packed(response)
        announced = response.headers.get("content-length", "")
        if is_whole(announced) and int(announced) > self.max_bytes:
            raise self.too_large()
        pieces: list[bytes] = []
        try:
            with ALL_READS.answer(self.max_bytes) as counted:
                async for piece in response.aiter_raw():
                    counted.take(len(piece))
                    pieces.append(piece)
                return b"".join(pieces)
        except AnswerTooLarge as error:
            raise SourceTooLarge(self.name, str(error)) from error
        finally:
            # The traceback of an error, of a time that is over too, holds this frame until the collector comes by.
            pieces.clear()

    def refuse_packed(self, response: httpx.Response) -> None:
        """Refuse a compressed answer, which nobody asked for."""
        if response.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
            raise SourceBadAnswer(self.name, "its answer is compressed although a plain one was asked for")

    def too_large(self) -> SourceTooLarge:
        """The error of an answer over the limit."""
        return SourceTooLarge(
            self.name, f"answer too large: larger than {self.max_bytes // 1024 // 1024} MiB"
        )

    def insist(self, reply: Reply, *allowed: int) -> Reply:
        """Return the reply if its status is 200 or allowed; raise the error it stands for otherwise."""
        if reply.status == httpx.codes.OK or reply.status in allowed:
            return reply
        raise self.refusal(reply)

    def refusal(self, reply: Reply, words: str = "") -> SourceError:
        """Return the error that a status stands for. ``words``: what the source said, else its first line."""
        said = words or first_line(reply.text)
        why = f"{reply.status}{f': {said}' if said else ''}"
        if reply.status in _DENIED:
            return SourceDenied(self.name, f"{why}; check its user, token or tenant in the setting")
        if httpx.codes.is_redirect(reply.status):
            location = masked(first_line(reply.headers.get("location", "")))
            return SourceBadAnswer(
                self.name, f"{reply.status}: it redirects to {location}; set that address instead"
            )
        if reply.status in _SLOW:
            return SourceTimeout(self.name, why)
        if httpx.codes.is_client_error(reply.status):
            return SourceRejected(self.name, why)
        return SourceBadAnswer(self.name, why)

    def json(self, reply: Reply) -> Any:  # noqa: ANN401 - what JSON can be; each caller checks the shape it needs
        """Read the body as JSON. Raises SourceBadAnswer; SourceTooLarge where it holds too much to be made into objects."""
        if objects_size(reply.body) > OBJECTS_MAX:
            most = OBJECTS_MAX // 1024 // 1024
            raise SourceTooLarge(self.name, f"answer too large: it would take more than {most} MiB when read")
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError) as error:
            said = first_line(reply.text) or "nothing"
            raise SourceBadAnswer(self.name, f"answered {reply.status} with no JSON: {said}") from error

    def shape(self, what: str) -> AbstractContextManager[None]:
        """Turn what goes wrong on reading an answer of another shape into SourceBadAnswer."""
        return answer_shape(self.name, what)

    @contextmanager
    def _errors(self, limit: float) -> Iterator[None]:
        with self.network_errors():
            try:
                yield
            except TimeoutError as error:
                raise SourceTimeout(self.name, f"no answer within {limit:g} s") from error

    @contextmanager
    def network_errors(self) -> Iterator[None]:
        """Turn the errors of httpx into ours."""
        try:
            yield
        except httpx.ConnectTimeout as error:
            raise SourceTimeout(
                self.name, f"no connection to {self.where} within {CONNECT_SECONDS:g} s"
            ) from error
        except httpx.TimeoutException as error:
            raise SourceTimeout(self.name, f"no answer within {self.total_seconds:g} s") from error
        except httpx.ConnectError as error:
            raise SourceUnreachable(self.name, f"cannot connect to {self.where} ({_cause(error)})") from error
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            raise self._protocol(error) from error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise SourceUnreachable(
                self.name, f"the connection to {self.where} broke ({_cause(error)})"
            ) from error

    def _protocol(self, error: Exception) -> SourceError:
        if "disconnected" in str(error) or "closed connection" in str(error):
            return SourceUnreachable(self.name, f"{self.where} closed the connection without an answer")
        return SourceBadAnswer(self.name, f"{self.where} does not speak HTTP as it should ({_cause(error)})")


def first_line(text: str) -> str:
    """Return the first line with words in it, masked and cut: fit to be shown."""
    line = next((line.strip() for line in masked_and_cut(text, 4000).splitlines() if line.strip()), "")
    return line[:_WHY_MAX]


def _cause(error: Exception) -> str:
    return masked(str(error) or type(error).__name__)[:_WHY_MAX]

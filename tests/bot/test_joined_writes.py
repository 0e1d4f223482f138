"""An answer goes out in one piece, and nothing that is written stays behind or changes its order."""

import asyncio
from typing import cast

import pytest

from bot.joined_writes import JoinedWrites


class Sent(asyncio.Transport):
    """Notes what is done to it."""

    def __init__(self) -> None:
        super().__init__({"peername": "anybody"})
        self.done: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Note a piece."""
        self.done.append(bytes(data))

    def write_eof(self) -> None:
        """Note the end of what is sent."""
        self.done.append("eof")

    def close(self) -> None:
        """Note the end."""
        self.done.append("closed")

    def abort(self) -> None:
        """Note an end at once."""
        self.done.append("aborted")

    def is_closing(self) -> bool:
        """Tell whether it ends."""
        return "closed" in self.done or "aborted" in self.done


def joined() -> tuple[JoinedWrites, list[bytes | str]]:
    """Return one over a transport, and what that one sends."""
    sent = Sent()
    return JoinedWrites(sent, asyncio.get_running_loop()), sent.done


async def test_a_header_and_its_body_are_one_piece() -> None:
    """Nothing is sent before the body is there, and nothing twice when the loop goes on."""
    answers, sent = joined()
    for number in (b"1", b"2"):
        answers.write(b"head" + number)
        answers.write(b"body" + number)
    assert sent == [b"head1body1", b"head2body2"]
    await asyncio.sleep(0)
    assert sent == [b"head1body1", b"head2body2"]


async def test_what_nothing_follows_is_sent_when_the_loop_goes_on() -> None:
    """The answer to HEAD has no body; that to a stream begins long before it ends."""
    answers, sent = joined()
    answers.write(b"head")
    await asyncio.sleep(0)
    assert sent == [b"head"]
    answers.write(b"part")
    await asyncio.sleep(0)
    assert sent == [b"head", b"part"]


@pytest.mark.parametrize(("end", "named"), [("close", "closed"), ("write_eof", "eof")])
async def test_what_is_kept_goes_before_the_end(end: str, named: str) -> None:
    """A client that asked for the connection to be closed still gets its answer."""
    answers, sent = joined()
    answers.write(b"whole answer")
    getattr(answers, end)()
    await asyncio.sleep(0)
    assert sent == [b"whole answer", named]


async def test_what_is_kept_is_dropped_with_a_connection_that_is_ended_at_once() -> None:
    """Nobody is there to read it, and to write into such a transport would be logged."""
    answers, sent = joined()
    answers.write(b"head")
    answers.abort()
    await asyncio.sleep(0)
    assert sent == ["aborted"]
    assert answers.is_closing()


async def test_it_is_the_transport_in_everything_else() -> None:
    """Who asked is known, and reading is paused and resumed as before."""
    answers, _ = joined()
    assert cast("asyncio.Transport", answers).get_extra_info("peername") == "anybody"

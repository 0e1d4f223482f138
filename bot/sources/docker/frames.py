"""The engine's way to send two streams in one: frames of ``[stream, 0, 0, 0, length (4 bytes)]`` and bytes."""

from __future__ import annotations

from collections.abc import AsyncIterable
from dataclasses import dataclass, field

_HEADER = 8
_STREAMS = frozenset({0, 1, 2})


@dataclass(slots=True)
class ExecOutput:
    """What was written, stdout and stderr together in their order; over the limit it is dropped."""

    limit: int
    data: bytearray = field(default_factory=bytearray)
    truncated: bool = False

    def add(self, piece: bytes) -> None:
        """Take what still fits."""
        room = self.limit - len(self.data)
        self.data += piece[:room]
        self.truncated = self.truncated or len(piece) > room

    @property
    def text(self) -> str:
        """The output as text; what is no UTF-8 is replaced."""
        return self.data.decode("utf-8", "replace")


async def demultiplexed(pieces: AsyncIterable[bytes], limit: int) -> ExecOutput:
    """Read frames to the end. Raises ValueError where the bytes are no frames."""
    output = ExecOutput(limit)
    buffer = bytearray()
    left = 0
    async for piece in pieces:
        buffer += piece
        while buffer:
            if left:
                output.add(bytes(buffer[:left]))
                taken = min(left, len(buffer))
                del buffer[:taken]
                left -= taken
            elif len(buffer) < _HEADER:
                break
            else:
                left = _length(buffer)
                del buffer[:_HEADER]
    if left or buffer:
        output.truncated = True
    return output


def plain(body: bytes) -> bytes:
    """Return what a whole answer holds: of a container without a terminal it comes in frames, else as it is."""
    out, at = bytearray(), 0
    while at < len(body):
        try:
            length = _length(body[at : at + _HEADER])
        except ValueError:
            return body if not out else bytes(out)
        at += _HEADER
        out += body[at : at + length]
        at += length
    return bytes(out)


def _length(buffer: bytes | bytearray) -> int:
    """Return how many bytes follow a frame's head. Raises ValueError where it is no frame's head."""
    if len(buffer) < _HEADER or buffer[0] not in _STREAMS or any(buffer[1:4]):
        raise ValueError("the engine's output does not come in frames")
    return int.from_bytes(buffer[4:_HEADER], "big")

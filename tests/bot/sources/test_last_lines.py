"""The engine's answer to a question for a container's last lines, in every form that it has."""

from datetime import UTC, datetime

import pytest

from bot.sources.docker.last_lines import MOST, asked, last_lines

AT = "2026-02-20T16:33:00.123456789Z"


def frame(stream: int, text: str) -> bytes:
    """Return a piece as the engine sends it for a container without a terminal."""
    data = text.encode()
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    "body",
    [
        frame(1, f"{AT} one\n") + frame(2, f"{AT} api_secret=hollybush93\n"),
        f"{AT} one\r\n{AT} api_secret=hollybush93\r\n".encode(),
        frame(1, f"{AT} one\n{AT} api_sec") + frame(1, "ret=hollybush93\n"),
    ],
    ids=["frames", "a terminal", "a line in two frames"],
)
def test_lines_are_read_and_masked(body: bytes) -> None:
    """With their times to the microsecond."""
    found = last_lines(body)
    assert [line.text for line in found.lines] == ["one", "api_secret=***"]
    assert found.lines[0].at == datetime(2026, 2, 20, 16, 33, 0, 123456, tzinfo=UTC)
    assert not found.truncated


def test_the_newest_are_kept_and_what_has_no_time_is_left_out_and_said() -> None:
    """One line more than is kept is asked for: so it is known that there were more."""
    assert asked(datetime(2026, 2, 20, tzinfo=UTC))["tail"] == str(MOST + 1)
    many = last_lines("".join(f"{AT} {n}\n" for n in range(MOST + 1)).encode())
    assert (len(many.lines), many.lines[-1].text, many.truncated) == (MOST, str(MOST), True)
    odd = last_lines(f"no time\n{AT} one\n".encode())
    assert ([line.text for line in odd.lines], odd.truncated) == (["one"], True)
    assert last_lines(b"").lines == ()


def test_a_container_that_writes_much_is_read_to_a_limit() -> None:
    """Lines made to be slow to mask cost a limited time; one huge line hides none of the others."""
    slow = "clave=" * 20_000
    found = last_lines(
        "".join(f"{AT} {n} {slow if n == 150 else 'x' * 7_900}\n" for n in range(200)).encode()
    )
    assert found.truncated
    assert found.lines[-1].text.startswith("199 x")
    assert 120 < len(found.lines) < 140
    assert [line.text[:10] for line in found.lines if line.text.startswith("150")] == ["150 clave="]


@pytest.mark.parametrize(
    "body", [b"\x01\x00\x00", b"\x01\x00\x00\x00\xff\xff\xff\xff", b"\xff\xfe", b"\x00" * 9]
)
def test_bytes_that_are_no_lines_make_none(body: bytes) -> None:
    """No error, no endless loop."""
    assert last_lines(body).lines == ()

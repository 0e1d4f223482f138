"""A forked process tells how it ended: of one that is killed by somebody else there is no word in its log."""

import os
import signal
from pathlib import Path

import pytest

from tests.servers import mother
from tests.servers.forked import ForkedProcess
from tests.servers.process import LOOPBACK, accepts, eventually, free_port


async def test_how_it_ended_is_told(tmp_path: Path) -> None:
    """Nothing while it runs; minus the signal's number afterwards; the next life knows nothing of it."""
    port = free_port()
    words = ("http.server", str(port), "--bind", LOOPBACK)
    process = ForkedProcess("a server", words, log=tmp_path / "log", env=os.environ)
    assert process.end == ""
    process.start()
    try:
        await eventually(lambda: accepts(port), "its port")
        assert process.end == ""
        os.kill(process.pid, signal.SIGKILL)

        async def ended() -> bool:
            return not process.running

        await eventually(ended, "its end")
        assert process.end == "its process has ended: -9"
        process.start()
        assert process.end == ""
    finally:
        process.kill()


def test_an_id_that_is_given_again_is_not_of_a_process_that_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The system gives them again in turn: the end of the one before is none of the one that runs."""
    monkeypatch.setattr(mother, "forked", lambda _: 4242)
    ends = {4242: -9}
    assert mother.answered({"ended": 4242}, ends) == -9
    assert mother.answered({"words": ["m"]}, ends) == 4242
    assert mother.answered({"ended": 4242}, ends) == ""

"""A forked process tells how it ended: of one that is killed by somebody else there is no word in its log.

A forked Compose is to its caller what the program itself is.
"""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.servers import mother
from tests.servers.fixtures import Require
from tests.servers.forked import ForkedProcess, compose_words
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


ASKED = """\
services:
  bot1: {image: "$IMAGE"}
"""


@pytest.mark.parametrize(
    "words", [["version"], ["config", "--services"], ["--no-such-option"], ["-f", "nowhere.yml", "config"]]
)
def test_a_forked_compose_says_and_ends_as_the_program_itself(
    require: Require, tmp_path: Path, words: list[str]
) -> None:
    """In the caller's folder, with its environment: what it says, where, and its exit code."""
    program = require("docker-compose")
    (tmp_path / "docker-compose.yml").write_text(ASKED)
    environment = {"PATH": os.environ["PATH"], "IMAGE": "hbot/one:1"}
    forked, itself = (
        subprocess.run(
            [*called, *words], cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False
        )
        for called in (compose_words(program), [str(program)])
    )
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        itself.returncode,
        itself.stdout,
        itself.stderr,
    )


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_forked_compose_ends_with_its_caller(
    require: Require, tmp_path: Path, sent: signal.Signals
) -> None:
    """While it waits for its files: SIGTERM does what it does to the program, and nobody runs on without a caller."""
    program, pipe = require("docker-compose"), subprocess.PIPE
    words, told = ["-f", "-", "config"], []
    for called in (compose_words(program), [str(program)]):
        with subprocess.Popen(
            [*called, *words], cwd=tmp_path, stdin=pipe, stdout=pipe, stderr=pipe
        ) as waiting:
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(1)
            waiting.send_signal(sent)
            waiting.wait(30)
            said = waiting.communicate(timeout=30)  # ends when nobody has its pipes any more
        told.append((waiting.returncode, *said))
    assert told[0] == told[1]

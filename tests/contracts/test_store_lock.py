"""One process on one SQLite file: the second one is refused, and a dead one is in nobody's way."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.lock import only_process
from triage.errors import SettingError

pytestmark = pytest.mark.slow

HOLDER = """
import sys
from bot.store.lock import only_process
with only_process(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_process(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start another process that holds the file."""
    command = [sys.executable, "-c", HOLDER, f"sqlite:///{tmp_path}/var/triage.db"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_second_process_on_one_file_is_refused(
    other_process: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    """It is told which file, which setting, and what to do; another file is free."""
    with (
        pytest.raises(SettingError, match=r"TRIAGE_DATABASE_URL.*triage\.db.*replicas need PostgreSQL"),
        only_process(f"sqlite:///{tmp_path}/var/triage.db"),
    ):
        pytest.fail("two processes hold one file")
    with only_process(f"sqlite:///{tmp_path}/var/other.db"):
        assert other_process.poll() is None


def test_the_lock_goes_with_a_killed_process(other_process: "subprocess.Popen[str]", tmp_path: Path) -> None:
    """After a kill -9 the next start finds the file free, the lock's file still being there."""
    other_process.kill()
    other_process.wait(10)
    assert (tmp_path / "var" / "triage.db.lock").exists()
    with only_process(f"sqlite:///{tmp_path}/var/triage.db"):
        pass
    with only_process(f"sqlite:///{tmp_path}/var/triage.db"):
        pass


def test_a_link_to_the_file_is_the_same_database(
    other_process: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    """Through a symlink to the file, to its folder, a hard link, or a roundabout path: it is held."""
    assert other_process.poll() is None
    (tmp_path / "hard.db").hardlink_to(tmp_path / "var" / "triage.db")
    (tmp_path / "link.db").symlink_to(tmp_path / "var" / "triage.db")
    (tmp_path / "folder").symlink_to(tmp_path / "var")
    for path in ("link.db", "hard.db", "folder/triage.db", "var/../var/triage.db"):
        with (
            pytest.raises(SettingError, match="another hbot-triage"),
            only_process(f"sqlite:///{tmp_path}/{path}"),
        ):
            pytest.fail(f"two processes hold one file through {path}")


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    """The disk is mounted read-only, or the path leads through a file: the setting and the mend, no traceback."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingError) as caught, only_process(f"sqlite:///{tmp_path}/file/triage.db"):
        pytest.fail("held in a folder that is none")
    assert "TRIAGE_DATABASE_URL" in str(caught.value)
    assert "cannot be written" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_replicas_on_postgresql_and_databases_in_memory_need_no_lock() -> None:
    """There is no file to hold, and nothing is refused."""
    for url in ("postgresql://nobody@127.0.0.1:1/none", "sqlite://", "sqlite:///:memory:"):
        with only_process(url), only_process(url):
            pass


def test_a_file_that_was_copied_back_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever rights the copy has, and what SQLite left beside it: it holds what people said."""
    database = tmp_path / "triage.db"
    for end in ("", "-wal", "-shm"):
        file = Path(f"{database}{end}")
        file.touch()
        file.chmod(0o664)
    with only_process(f"sqlite:///{database}"):
        files = sorted(tmp_path.iterdir())
        assert [file.name for file in files] == [f"triage.db{end}" for end in ("", "-shm", "-wal", ".lock")]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SKIPS = """
import pytest
pytestmark = pytest.mark.filterwarnings("ignore")

def test_that_lacks_its_server():
    pytest.skip("no server here")

@pytest.mark.skipif(True, reason="never")
def test_that_is_marked(): ...

def test_that_runs(): ...
"""


def outcome(folder: Path, source: str, ci: str) -> tuple[int, str]:
    """Run a test file under this project's conftest; return the exit code and the output."""
    file = folder / "test_sample.py"
    file.write_text(source)
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
        "-p",
        "tests.conftest",
        "-rA",
    ]
    left_out = ("no:cacheprovider", "no:schemathesis")  # its import is half of what such a run takes
    argv += [word for plugin in left_out for word in ("-p", plugin)]
    argv += ["-o", "asyncio_default_fixture_loop_scope=function", str(file)]
    done = subprocess.run(
        argv, cwd=ROOT, env={**os.environ, "CI": ci}, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout


def test_a_skip_fails_where_ci_is_true(tmp_path: Path) -> None:
    """In CI every skipped test is a failure that names its reason; the others are as they are."""
    code, output = outcome(tmp_path, SKIPS, "true")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 passed, 1 error" in output  # a mark skips in set-up: an error
    assert "skipped where CI=true forbids it. Skipped: no server here" in output


def test_a_module_that_skips_itself_fails_too(tmp_path: Path) -> None:
    """A skip at import is an error in CI."""
    source = 'import pytest\npytest.skip("not here", allow_module_level=True)\n'
    code, output = outcome(tmp_path, source, "true")
    assert code != pytest.ExitCode.OK
    assert "skipped where CI=true forbids it. Skipped: not here" in output


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    """On a developer's machine nothing fails for want of a server."""
    code, output = outcome(tmp_path, SKIPS, "")
    assert code == pytest.ExitCode.OK
    assert "1 passed, 2 skipped" in output

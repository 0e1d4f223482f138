"""What every test may ask for, and the rule that nothing is skipped where it counts."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# How long one example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

pytest_plugins = ["tests.servers.fixtures", "tests.stores"]


SERVERS = frozenset({"require", "store_url", "postgres_url", "chromium"})
"""Fixtures behind which real servers stand."""
SLOW_FOLDERS = ("tests/bench", "tests/crash", "tests/demo", "tests/deploy", "tests/flows", "tests/servers")

LONG = (
    "tests/crash",
    "tests/triage/actions/test_on_real_containers.py",
    "tests/flows",
    "tests/deploy",
    "tests/demo",
)
"""What waits longest begins first: the short ones then fill the time of whoever is done, and all end together."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--quick``: leave out every test that needs a server."""
    parser.addoption("--quick", action="store_true", help="only tests that need no server")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a campaign runs, and with ``--quick`` what needs a server."""
    quick, campaign = config.getoption("--quick"), os.environ.get("CAMPAIGN") == "1"
    left_out = [
        item
        for item in items
        if (quick and _needs_a_server(item)) or (not campaign and item.get_closest_marker("campaign"))
    ]
    config.hook.pytest_deselected(items=left_out)
    gone = set(left_out)
    items[:] = sorted(
        (item for item in items if item not in gone), key=lambda item: not item.nodeid.startswith(LONG)
    )


MEMORY = Path("/dev/shm")  # noqa: S108 - a file system, no file of ours
ROOM = 6 * 1024**3
"""Bytes that must be free there, and in memory, before tests put their files into memory."""


def pytest_configure(config: pytest.Config) -> None:
    """Put the tests' files into memory where there is room: most of a run would be waiting for a disk."""
    if config.option.basetemp or "PYTEST_DEBUG_TEMPROOT" in os.environ or not MEMORY.is_dir():
        return
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if min(shutil.disk_usage(MEMORY).free, available) >= ROOM and os.access(MEMORY, os.W_OK):
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


def _needs_a_server(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & SERVERS) or item.nodeid.startswith(SLOW_FOLDERS)


def _no_skips_allowed() -> bool:
    return os.environ.get("CI") == "true"


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that names its reason: in CI every server is there, so a skip hides a hole."""
    expected_failure = hasattr(report, "wasxfail")
    if report.skipped and not expected_failure and _no_skips_allowed():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: skipped where CI=true forbids it. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Apply the rule to skips in tests and fixtures."""
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Apply the rule to whole modules that skip themselves."""
    report = yield
    _fail_if_skipped(report)
    return report

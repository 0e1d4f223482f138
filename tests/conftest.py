"""What every test may ask for, and the rule that nothing is skipped where it counts."""

import gc
import itertools
import os
import shutil
import socket
from collections.abc import Generator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from bot.tuning import COLLECT_AFTER
from tests.compiled import compile_first, keep_compiled

# How long one example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
gc.disable()  # until all is imported and stays (pytest_collection_finish)
# Docker, Compose and Prometheus are Go programs that live for seconds: collected less often they take a twelfth less time.
os.environ.setdefault("GOGC", "400")

FIXTURES = ("tests.servers.fixtures", "tests.stores")
"""Modules with what every test may ask for."""

SERVERS = frozenset({"require", "store_url", "postgres_url", "chromium", "slack"})
"""Fixtures behind which servers stand."""
SLOW_FOLDERS = ("tests/bench", "tests/crash", "tests/demo", "tests/deploy", "tests/flows", "tests/servers")
"""Folders in which every test is slow."""

SLOW_MODULE = "\npytestmark = pytest.mark.slow\n"
"""How a module says that every test of it is slow."""

LONG = (
    "tests/deploy/test_image.py",
    "tests/flows/test_demo_scenarios.py",
    "tests/demo/test_",
    "tests/demo/lab/test_short_form.py",
    "tests/crash",
    "tests/triage/actions/test_on_",
    "tests/contracts/test_agent_parity.py",
)
"""What takes longest begins first, groups before all: short ones then fill the time of whoever is done."""
LESS_LONG = ("tests/deploy", "tests/demo")
LONG_WAITS, WAITS = "tests/flows", ("tests/bot/slack", "tests/contracts", "tests/handlers")
"""What waits for real time more than it computes. One behind the other they would leave the cores idle: the long ones
are spread among the long ones, the others among all the rest."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--quick``: leave out every test that starts a server or takes seconds."""
    parser.addoption("--quick", action="store_true", help="only tests that start no server and are not slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import the slow folders and the slow modules for ``--quick``."""
    if not config.getoption("--quick"):
        return None
    slow = collection_path in {config.rootpath / folder for folder in SLOW_FOLDERS}
    return slow or _slow_module(collection_path) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a campaign runs, and with ``--quick`` what is slow."""
    quick, campaign = config.getoption("--quick"), os.environ.get("CAMPAIGN") == "1"
    left_out = [
        item
        for item in items
        if (quick and _slow(item)) or (not campaign and item.get_closest_marker("campaign"))
    ]
    config.hook.pytest_deselected(items=left_out)
    gone = set(left_out)
    items[:] = _in_turn([item for item in items if item not in gone])


MEMORY = Path("/dev/shm")  # noqa: S108 - a file system, no file of ours
ROOM = 6 * 1024**3
"""Bytes that must be free there, and in memory, before tests put their files into memory."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep what is compiled, put the tests' files into memory, let no test of ``--quick`` listen."""
    keep_compiled()
    _compile_for_workers(config)
    _files_in_memory(config)
    if not _shares_out(
        config
    ):  # whoever only shares tests out runs none: the store and the servers are no use to it
        for module in FIXTURES:
            config.pluginmanager.import_plugin(module)
    if config.getoption("--quick"):
        socket.socket.listen = _refused  # type: ignore[method-assign,assignment]


def _shares_out(config: pytest.Config) -> bool:
    return bool(getattr(config.option, "numprocesses", None))


def _compile_for_workers(config: pytest.Config) -> None:
    """Where the whole suite is about to be shared out; a few files are compiled by whoever runs them."""
    if _shares_out(config) and config.args == config.getini("testpaths"):
        left_out = SLOW_FOLDERS if config.getoption("--quick") else ()
        folders = [
            each for each in (config.rootpath / "tests").iterdir() if f"tests/{each.name}" not in left_out
        ]
        compile_first(config.rootpath, folders)


def pytest_collection_finish() -> None:
    """Collect garbage as the service does: seldom, and never in what was imported and stays until the end.

    What of it is garbage stays too: to look for it takes each worker 0.7 s, for a few megabytes.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()


def _refused(listening: socket.socket, *_: object) -> NoReturn:
    listening.close()
    raise AssertionError("this test starts a server: mark it pytest.mark.slow, make quick leaves it out")


def _files_in_memory(config: pytest.Config) -> None:
    """Where there is room: most of a run would be waiting for a disk."""
    if config.option.basetemp or "PYTEST_DEBUG_TEMPROOT" in os.environ or not MEMORY.is_dir():
        return
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if min(shutil.disk_usage(MEMORY).free, available) >= ROOM and os.access(MEMORY, os.W_OK):
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


def _in_turn(items: list[pytest.Item]) -> list[pytest.Item]:
    kinds: dict[str | tuple[str, ...], list[pytest.Item]] = {
        kind: [] for kind in (*LONG, LONG_WAITS, *LESS_LONG, WAITS, "")
    }
    for item in items:
        kinds[next(kind for kind in kinds if item.nodeid.startswith(kind))].append(item)
    long, less_long = ([item for kind in some for item in kinds[kind]] for some in (LONG, LESS_LONG))
    return _spread(kinds[LONG_WAITS], long) + less_long + _spread(kinds[WAITS], kinds[""])


def _spread(some: list[pytest.Item], among: list[pytest.Item]) -> list[pytest.Item]:
    """Return both in one order, each in its own, evenly mixed; a group is not torn apart."""
    parts = [[list(part) for _, part in itertools.groupby(items, key=_group_of)] for items in (some, among)]
    places = [((number + 0.5) / len(each), part) for each in parts for number, part in enumerate(each)]
    return [item for _, part in sorted(places, key=lambda place: place[0]) for item in part]


def _group_of(item: pytest.Item) -> str:
    group = item.get_closest_marker("xdist_group")
    return str(group.args[0]) if group is not None else item.nodeid


def _slow(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    on_postgres = "[postgresql" in item.name
    return bool(fixtures & SERVERS) or on_postgres or item.get_closest_marker("slow") is not None


def _slow_module(path: Path) -> bool:
    return path.suffix == ".py" and SLOW_MODULE in path.read_text(encoding="utf-8")


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

"""What a bot's container writes cannot hold up, fill or misuse its watcher."""

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest

from bot.careful_yaml import MOST_BYTES, load_mapping
from bot.desk.client_config import DeskClientConfigs
from bot.desk.controllers import DeskControllers
from bot.sources.minute_csv.folders import open_csv, variants
from bot.watched_files import names_in, open_watched, read_watched
from bot.watched_reads import WatchedFolders
from tests.servers.process import eventually
from triage.actions.loaded_controllers import loaded
from triage.errors import DeskFailure

SECRET = "orchid77"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a bot's folder, and a file outside of it."""
    (tmp_path / "secret.txt").write_text(f"password: {SECRET}\n")
    for folder in ("conf/controllers", "conf/scripts", "scripts", "logs/epp_v24/bot1_a"):
        (tmp_path / "bot1" / folder).mkdir(parents=True)
    return tmp_path / "bot1"


def test_only_a_regular_file_below_the_folder_is_opened(root: Path) -> None:
    """No link at any place of the path, no device, no FIFO, no folder, nothing above, nothing too large."""
    conf = root / "conf"
    (conf / "good.yml").write_text("a: 1\n")
    (conf / "link.yml").symlink_to(root.parent / "secret.txt")
    (conf / "zero.yml").symlink_to("/dev/zero")
    (conf / "away").symlink_to(root.parent)
    os.mkfifo(conf / "pipe.yml")
    (conf / "large.yml").write_bytes(b"x" * 2000)
    assert read_watched(root, "conf/good.yml", most_bytes=1000) == b"a: 1\n"
    refused = (
        "link.yml",
        "zero.yml",
        "away/secret.txt",
        "pipe.yml",
        "controllers",
        "large.yml",
        "../../secret.txt",
        "a\0b",
    )
    for name in refused:
        began = time.monotonic()
        with pytest.raises(DeskFailure) as failure:
            read_watched(root, f"conf/{name}", most_bytes=1000)
        assert time.monotonic() - began < 1
        assert SECRET not in str(failure.value)
    with pytest.raises(FileNotFoundError):
        open_watched(root, "conf/missing.yml")
    assert names_in(root, "conf/away") == ()


async def test_a_read_that_hangs_holds_up_nobody_and_is_said(root: Path) -> None:
    """It is given up at its deadline; too many of them are refused at once; when they end all is well again."""
    seconds = 1.0  # a thread that only starts late, on a busy machine, does not hang
    folders, free = WatchedFolders(threads=2, seconds=seconds), threading.Event()
    assert await folders.read(lambda: 42, "x") == 42
    both = await asyncio.gather(*(folders.read(free.wait, "x") for _ in range(2)), return_exceptions=True)
    assert [(type(error), "within" in str(error)) for error in both] == [(DeskFailure, True)] * 2
    assert folders.problem() == "2 reads of bots' folders hang"
    began = time.monotonic()
    with pytest.raises(DeskFailure, match="hang"):
        await folders.read(lambda: 42, "x")
    assert time.monotonic() - began < seconds
    hanging = [thread for thread in threading.enumerate() if thread.name == "watched file"]
    assert len(hanging) >= 2
    assert all(thread.daemon for thread in hanging)
    free.set()

    async def well() -> bool:
        return folders.problem() == ""

    await eventually(well, "the end of the reads that hung")
    assert await folders.read(lambda: 42, "x") == 42
    with pytest.raises(FileNotFoundError):
        await folders.read(lambda: open_watched(root, "none"), "x")


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        b"a: " + b"[" * 20_000,
        b"a: &x [1]\nb: [" + b"*x, " * 200 + b"]",
        b"x" * (MOST_BYTES + 1),
        b"a: 1\n" + b"- b\n",
        b"".join(b"k%d: &a%d 1\n" % (n, n) for n in range(5000)),
        b"a: &a {" + b"".join(b"k%d: 1," % n for n in range(2000)) + b"}\nb: {<<: [*a, *a]}\n",
        b"a: &a {k: 1}\n" + b"".join(b"b%d: {<<: *a}\n" % n for n in range(6)),
        b"a: &a {k: 1}\n!!merge foo: [*a, *a]\n",
        b"a: &a {k: 1}\nb: {? &m << : *a}\nc: {? *m : *a}\n",
        b"\xff\xfe\x00",
        b"a: !!python/object/apply:os.system [id]",
        b"a: [" + b"1, " * 80_000 + b"]",
        b"just words of orchid77",
        b"a: {orchid77: [",
        b"a: " + b"9" * 100_000,
    ],
    ids=lambda content: content[:20].hex(),
)
def test_a_yaml_that_would_cost_too_much_is_refused_in_time_and_without_its_words(content: bytes) -> None:
    """Depth, aliases, merges, size, tags, time."""
    began = time.thread_time()
    with pytest.raises(DeskFailure) as failure:
        load_mapping(content, "c.yml")
    assert time.thread_time() - began < 4
    assert SECRET not in str(failure.value)


async def test_a_broken_neighbour_costs_only_itself_and_only_what_is_loaded_counts(root: Path) -> None:
    """A half-written file beside the live one, and stubs that no script loads."""
    (root / "conf/controllers/live.yml").write_text(
        "controller_name: epp_v2_4\nconnector_name: bitget_paper_trade\ninternal_paper_enabled: true\n"
    )
    (root / "conf/controllers/stub.yml").write_text("connector_name: bitget\n")
    (root / "conf/controllers/half.yml").write_text(f"connector_name: [\n{SECRET}")
    (root / "conf/controllers/out.yml").symlink_to(root.parent / "secret.txt")
    (root / "conf/scripts/run.yml").write_text(
        "script_file_name: run.py\ncontrollers_config: [live.yml]\nmarkets: {}\n"
    )
    files = await DeskControllers(root.parent).read("bot1")
    found = loaded(files, "epp_v2_4")
    assert [file.file for file in found.controllers] == ["controllers/live.yml"]
    assert found.unclear == ()
    assert sorted(file.file for file in files if file.problem) == [
        "controllers/half.yml",
        "controllers/out.yml",
    ]
    assert SECRET not in str(files)
    (root / "conf/scripts/run.yml").write_text("controllers_config: [half.yml, gone.yml]\n")
    unclear = loaded(await DeskControllers(root.parent).read("bot1"), "epp_v2_4").unclear
    assert len(unclear) == 2
    assert "gone.yml is loaded by scripts/run.yml" in unclear[0]
    (root / "conf/scripts/run.yml").write_text("controllers_config: [stub.yml]\n")
    (root / "conf/scripts/next.yml").write_text("controllers_config: [live.yml\n")
    unclear = loaded(await DeskControllers(root.parent).read("bot1"), "epp_v2_4").unclear
    assert len(unclear) == 1, "which of the scripts runs is not known, and one cannot be read"
    assert "next.yml" in unclear[0]


async def test_the_markets_of_a_standalone_script_are_read(root: Path) -> None:
    """From its code, as text: nothing of it is run."""
    code = (
        'class Run:\n    markets: dict = {"bitget_paper_trade": {"BTC-USDT"},\n        "bitget": {"X-Y"}}\n'
    )
    (root / "scripts/alone.py").write_text(code)
    (root / "conf/scripts/alone.yml").write_text("script_file_name: alone.py\n")
    found = loaded(await DeskControllers(root.parent).read("bot1"), "")
    assert [script.values.get("markets") for script in found.scripts if "markets" in script.values] == [
        "bitget_paper_trade,bitget"
    ]
    (root / "scripts/alone.py").write_text('markets = {"bitget_paper_trade": {"A-B"}, VENUE: {"A-B"}}\n')
    found = loaded(await DeskControllers(root.parent).read("bot1"), "")
    assert found.unclear == ("scripts/alone.py: markets is made of variables",)


async def test_client_settings_and_csv_files_are_opened_with_the_same_care(root: Path) -> None:
    """A link in the place of a folder leads nowhere."""
    (root / "conf/conf_client.yml").symlink_to(root.parent / "secret.txt")
    with pytest.raises(DeskFailure) as failure:
        await DeskClientConfigs(root.parent).read("bot1")
    assert SECRET not in str(failure.value)
    logs = root / "logs/epp_v24"
    (logs / "bot1_a/minute.csv").write_text("ts\n")
    (root.parent / "elsewhere").mkdir()
    (root.parent / "elsewhere/minute.csv").write_text(SECRET)
    (logs / "bot1_b").symlink_to(root.parent / "elsewhere")
    assert list(variants(root.parent, "bot1")) == ["a"]
    with open_csv(logs / "bot1_a", "minute.csv") as file:
        assert file.read() == b"ts\n"
    with pytest.raises(DeskFailure):
        open_csv(logs / "bot1_b", "minute.csv")

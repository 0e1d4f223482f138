"""rollback killed with SIGKILL at step boundaries (in a campaign at every one) and inside the file work, on a real desk."""

from functools import partial
from pathlib import Path

import pytest

from tests.crash.scene import LONG, Crashes, aftermath
from tests.servers.desk import Desk
from tests.servers.process import eventually

ARGUMENTS = {"what": "both", "snapshot": "bot1_20260219_040000.tar.gz", "image": "hbot/hummingbot:v2"}
OLD, NEW = "now", "20260219"
EXTRACT, STOP, SNAPSHOT, SWAP, IMAGE, UP, WAIT, CLEAN = range(1, 9)
EVERY = [
    ("between", 0),
    *((moment, number) for number in range(EXTRACT, CLEAN + 1) for moment in ("before", "after")),
    *(("between", number) for number in range(EXTRACT, CLEAN)),
    ("extracting", EXTRACT),
    ("exchange", SWAP),
    ("exchanged", SWAP),
    ("during", UP),
]
TELLING = [
    ("between", 0),
    ("extracting", EXTRACT),
    ("after", STOP),
    ("before", SWAP),
    ("exchange", SWAP),
    ("exchanged", SWAP),
    ("after", SWAP),
    ("between", SWAP),
    ("after", IMAGE),
    ("during", UP),
    ("before", CLEAN),
    ("after", CLEAN),
]
"""One of each kind, and each at the exchange; a campaign takes every one."""
MOMENTS = EVERY if LONG else TELLING


def _is_new(moment: str, number: int) -> bool:
    """Whether the files must be those of the snapshot."""
    return number > SWAP or (number == SWAP and moment in {"after", "between", "exchanged"})


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(3))
async def test_rollback_leaves_the_old_state_or_the_new_one_and_never_a_mix(
    desk: Desk, crashes: Crashes, tmp_path: Path, part: int
) -> None:
    """At every moment: all four folders old or all new, logs the very same files, .env whole, never run again."""
    for turn, (moment, number) in enumerate(MOMENTS[part::3]):
        _reset(desk)
        await desk.up("bot1")
        where = f"{moment} {number}"
        await eventually(partial(_logs, desk), f"{where}: the bot's log", within=30)
        log = (desk.data / "bot1/logs/logs_bot.log").stat().st_ino
        env = desk.env_file.read_text()
        database = tmp_path / f"{turn}.db"
        await crashes.at(
            desk, database, "rollback", "bot1", moment=moment, number=number, arguments=ARGUMENTS
        )
        wanted = NEW if _is_new(moment, number) else OLD
        assert _whose(desk) == {wanted}, f"{where}: right after the crash"
        assert (desk.data / "bot1/logs/logs_bot.log").stat().st_ino == log, where
        changed = env.replace("hummingbot:v1", "hummingbot:v2")
        assert desk.env_file.read_text() in {env, changed}, where
        found = await aftermath(desk, database)
        assert _whose(desk) == {wanted}, f"{where}: after the next start"
        assert found.begun == number, f"{where}: {found.record.outcome}"
        assert found.record.verification is not None
        seen = {row.name: row.after for row in found.record.verification.rows}
        if (moment, number) in {("exchanged", SWAP), ("after", SWAP)}:
            assert "20260219" in seen["In place"], where
        assert [path.name for path in desk.data.glob(".bot1*")] == [], f"{where}: nothing is left lying"
        assert list(desk.backups.glob(".*")) == [], where


def _whose(desk: Desk) -> set[str]:
    """Return whose files the bot has: one word, or a mix."""
    bot = desk.data / "bot1"
    texts = {
        "conf": (bot / "conf/controllers/epp_v2_4_bot1.yml").read_text(),
        "data": (bot / "data/state.json").read_text(),
        "scripts": (bot / "scripts/start.py").read_text(),
        "pmm_scripts": (bot / "pmm_scripts/pmm.py").read_text(),
    }
    return {NEW if NEW in text else OLD for text in texts.values()}


async def _logs(desk: Desk) -> bool:
    """Say whether bot1 has begun its log: Compose 2 does not wait for that."""
    return (desk.data / "bot1/logs/logs_bot.log").exists()


def _reset(desk: Desk) -> None:
    """Give the bot the state it had at first; its logs go on."""
    from tests.servers.desk import _write_bot  # noqa: PLC0415 - the one place that knows how a bot's folder looks

    _write_bot(desk.data / "bot1", "bot1", OLD)
    desk.env_file.write_text(desk.env_file.read_text().replace("hummingbot:v2", "hummingbot:v1"))

"""Two services of the version before are replaced one after the other, under load: what either accepted is told once.

``BEFORE`` names the commit of the version before; with no release yet, one of the last forty with the same first migration.
"""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from demo.slack import SlackServer
from tests.contracts.test_store_upgrades import FROZEN, newer, what_it_makes
from tests.crash.books import balanced, figure
from tests.crash.test_replica_kills import DESK, posted, replica
from tests.flows.harness import ROOT, Bot

BEFORE = os.environ.get("BEFORE", "")
MIGRATION = "bot/store/migrations/versions/0001_memory.py"


def version_before() -> str:
    """Return the commit of the version before: the oldest of the last forty that has the schema of today."""
    for back in range(40, 0, -1):
        asked = ("git", "-C", str(ROOT), "show", f"HEAD~{back}:{MIGRATION}")
        found = subprocess.run(asked, check=False, capture_output=True, text=True)
        if found.returncode == 0 and what_it_makes(found.stdout) == FROZEN:
            return f"HEAD~{back}"
    pytest.skip("no commit before this one has its schema")


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """Check the version before out."""
    folder, before = tmp_path / "before", BEFORE or version_before()
    git = ("git", "-C", str(ROOT), "worktree")
    subprocess.run([*git, "add", "--detach", str(folder), before], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True, capture_output=True)


def of_version(tree: Path, service: Bot) -> Bot:
    """Return a service that runs the code of a folder."""
    environment = {**service.environment, "PYTHONPATH": str(tree)}
    return replace(service, environment=environment, before=("env", "-C", str(tree)))


@pytest.mark.campaign
@pytest.mark.timeout(600)
async def test_one_after_the_other_is_upgraded_under_load(
    slack: SlackServer, postgres_copy_url: str, tree: Path, tmp_path: Path
) -> None:
    """Old and old, old and new, new and new; in between one of them is killed with work in its hands."""
    new = [replica(slack, tmp_path / name, postgres_copy_url, DESK) for name in ("one", "two")]
    old = [of_version(tree, service) for service in new]
    accepted: list[str] = []
    running = list(old)

    async def post(services: list[Bot], number: int) -> None:
        for turn in range(number):
            ordered = services if turn % 2 else services[::-1]
            accepted.append(await posted(ordered, len(accepted)))
            await asyncio.sleep(0.1)

    try:
        for service in old:
            await service.start()
        await post(running, 6)
        await old[0].stop()
        newer(postgres_copy_url)  # as the first of a later version would do it
        await new[0].start()
        running = [new[0], old[1]]
        await post(running, 6)
        old[1].kill()
        await post([new[0]], 3)
        mixed = await balanced(postgres_copy_url, slack, accepted, within=90)
        await new[1].start()
        running = new
        await post(running, 6)
        await balanced(postgres_copy_url, slack, accepted, within=90)
    finally:
        for service in [*old, *new]:
            await service.stop()
    told = f"{len(accepted)} alerts, settled {mixed:.0f} s after the old one was killed"
    figure(f"upgraded from {BEFORE or version_before()}: {told}")
    assert set(slack.deliveries().values()) == {1}, "no message is told twice"
    logs = [service.log() for service in new]
    assert [log[log.index("Traceback") - 500 :] for log in logs if "Traceback" in log] == []

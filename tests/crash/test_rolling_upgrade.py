"""Two services of the version before are replaced one after the other, under load: what either accepted is told once.

``BEFORE`` names the commit of the version before; with no release yet, a recent one.
"""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from demo.slack import SlackServer
from tests.crash.books import balanced, figure
from tests.crash.test_replica_kills import DESK, posted, replica
from tests.flows.harness import ROOT, Bot

BEFORE = os.environ.get("BEFORE", "HEAD~20")


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """Check the version before out."""
    folder = tmp_path / "before"
    git = ("git", "-C", str(ROOT), "worktree")
    subprocess.run([*git, "add", "--detach", str(folder), BEFORE], check=True, capture_output=True)
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
    figure(
        f"upgraded from {BEFORE}: {len(accepted)} alerts, settled {mixed:.0f} s after the old one was killed"
    )
    assert set(slack.deliveries().values()) == {1}, "no message is told twice"
    assert not any("Traceback" in service.log() for service in new)

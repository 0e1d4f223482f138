"""A Sev-1's summary beside fifty queued warnings and a source that hangs, timed from its post, as Slack has both."""

import sqlite3
from pathlib import Path

import pytest

from demo.slack import SlackServer
from tests.crash.test_late_slack_campaign import post
from tests.crash.test_replica_kills import replica
from tests.crash.test_sources_campaign import CALM, address, six_sources
from tests.handlers.posting import alert
from tests.servers.process import eventually

WARNINGS = 50
SUMMARY_SECONDS = 6.0
_SENT = """SELECT messages.kind, messages.post_id FROM messages JOIN incidents ON incidents.id = messages.incident_id
WHERE incidents.severity = 'Sev-1' AND messages.kind IN ('card', 'triage') AND messages.post_id <> ''"""


def sent(database: Path) -> dict[str, float]:
    """Return when the Sev-1's card and summary were posted, by Slack's clock."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return {kind: float(ts) for kind, ts in connection.execute(_SENT)}


@pytest.mark.parametrize("hanging", ["PROMETHEUS_URL", "LOKI_URL"])
async def test_a_sev_1_is_explained_within_seconds_of_its_post(
    slack: SlackServer, tmp_path: Path, sqlite_url: str, hanging: str
) -> None:
    """The warnings wait, each for what hangs, and Slack takes one post a second of all."""
    slack.pace.enabled = True
    database = Path(sqlite_url.removeprefix("sqlite:///"))
    async with six_sources() as sources:
        await sources[hanging].turn("hang")
        settings = {name: address(source, name) for name, source in sources.items()}
        service = replica(slack, tmp_path / "one", sqlite_url, CALM, **settings)
        await service.start()
        try:
            warnings = [
                alert(
                    labels={"alertname": "DiskFillsUp", "instance": f"host-{n}", "severity": "warning"},
                    fingerprint=f"warning-{n}",
                )
                for n in range(WARNINGS)
            ]
            await post([service], *warnings)
            await post([service], alert(fingerprint="grave"))

            async def explained() -> bool:
                return len(sent(database)) == 2

            await eventually(explained, "the Sev-1's summary", within=60)
        finally:
            await service.stop()
    times = sent(database)
    assert times["triage"] - times["card"] <= SUMMARY_SECONDS

"""The books of a campaign: what was accepted beside what is stored, and what is stored beside what stands in Slack."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.engine import open_engine
from demo.slack import SlackServer

i, e, m, s, r = tables.incidents, tables.episodes, tables.messages, tables.signals, tables.runs


@dataclass(frozen=True, slots=True)
class Books:
    """What does not balance: empty where all is well. ``owed``: what the service still has to do by its own account."""

    owed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Whether nothing is owed, lost, doubled or stale."""
        return not (self.owed or self.lost or self.doubled or self.stale)


def books(url: str, slack: SlackServer, accepted: Iterable[str]) -> Books:
    """Balance the books now; ``accepted``: the fingerprint of every alert that was answered with 200, once an episode."""
    engine = open_engine(url, writer=False)
    try:
        with engine.connect() as connection:
            return _balance(connection, slack, Counter(accepted))
    finally:
        engine.dispose()


def _balance(connection: sa.Connection, slack: SlackServer, accepted: Counter[str]) -> Books:
    held = Counter(connection.execute(sa.select(e.c.fingerprint)).scalars())
    del held[""]  # what the service noticed by itself is nobody's alert
    rows = connection.execute(sa.select(m)).mappings().all()
    shown = slack.deliveries()
    stands = {message.ts: message for message in slack.workspace.all_messages()}
    missing = [
        row for row in rows if row["post_id"] and row["kind"] != "file" and row["post_id"] not in stands
    ]
    status = {row.id: row.status for row in connection.execute(sa.select(i.c.id, i.c.status))}
    untold = [
        one for one in status if not any(row["kind"] == "card" and row["ref"] == str(one) for row in rows)
    ]
    files = Counter(file["id"] for message in stands.values() for file in message.files)
    return Books(
        owed=_owed(connection, slack),
        lost=[
            *(f"alert {name}" for name in accepted - held),
            *(f"message {row['id']}" for row in missing),
            *(f"a card of INC-{one}" for one in untold),
        ],
        doubled=[
            *(f"episode {name}" for name in held - accepted),
            *(f"delivery {name} {count} times" for name, count in shown.items() if count > 1),
            *(f"delivery {name} of nothing" for name in set(shown) - {row["delivery_id"] for row in rows}),
            *(f"file {name} {count} times" for name, count in files.items() if count > 1),
        ],
        stale=[text for row in rows if row["kind"] == "card" for text in _stale(row, status, stands)],
    )


def _owed(connection: sa.Connection, slack: SlackServer) -> list[str]:
    def count(what: str, column: sa.Column[Any], condition: sa.ColumnElement[bool]) -> list[str]:
        found = connection.execute(sa.select(sa.func.count(column)).where(condition)).scalar_one()
        return [f"{found} {what}"] if found else []

    return [
        *count("signals to sort", s.c.id, s.c.outcome == ""),
        *count("messages to send", m.c.id, m.c.sent_revision < m.c.wanted_revision),
        # A second triage of an incident waits for its turn on purpose.
        *count("triages to run", r.c.id, (r.c.status != "done") & (r.c.not_before <= datetime.now(UTC))),
        *([f"{slack.faults.late} late calls"] if slack.faults.late else []),
    ]


def _stale(row: Any, status: dict[int, str], stands: dict[str, Any]) -> list[str]:  # noqa: ANN401 - a row
    """Compare a card's headline in Slack with the state of its incident."""
    message = stands.get(row["post_id"])
    if message is None:
        return []
    resolved = status[int(row["ref"])] == "resolved"
    says = "resolved" in message.text.lower()
    head = str(message.blocks[:1]).lower()
    if resolved == says == ("resolved" in head):
        return []
    return [f"INC-{row['ref']} is {status[int(row['ref'])]}, its card says {message.text[:60]!r}"]


async def balanced(url: str, slack: SlackServer, accepted: Iterable[str], *, within: float) -> float:
    """Wait until the books balance; returns the seconds it took. Raises AssertionError with what does not."""
    fingerprints, began = list(accepted), time.monotonic()
    while True:
        found = await asyncio.to_thread(books, url, slack, fingerprints)
        passed = time.monotonic() - began
        if found.balanced:
            return passed
        assert passed < within, f"after {passed:.0f} s: {found}"
        await asyncio.sleep(0.3)


def figure(text: str) -> None:
    """Note a figure of a campaign, where it is found after the run."""
    file = Path(__file__).parents[2] / "artifacts" / "campaign.txt"
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as notes:
        notes.write(f"{text}\n")

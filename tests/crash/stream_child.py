"""Listens to the audit stream until it is killed: a process of its own for the campaign. Arguments: URL, database."""

import asyncio
import os
import sys

from bot.replicas import owner
from bot.sources.redis.connection import open_redis
from bot.sources.redis.reader import GroupReader
from bot.store import open_store
from handlers.audit import KeepAudit
from handlers.streams import StreamListener
from triage.desk import Desk
from triage.desk_sections.streams import StreamSettings
from triage.ports.clock import SystemClock
from triage.signals.audit import read_audits


async def listen(url: str, database: str) -> None:
    """Listen for ever, as the service does."""
    desk = Desk(streams=StreamSettings(claim_idle_seconds=0.3))
    reader = GroupReader(
        open_redis(url, answer_seconds=2),
        desk.streams.audit,
        group=desk.streams.group,
        consumer=owner(),
        batch=20,
        claim_idle_seconds=desk.streams.claim_idle_seconds,
        block_seconds=0.1,
    )
    async with open_store(f"sqlite:///{database}") as store:
        listener = StreamListener(
            reader=reader,
            store=store,
            desk=desk,
            clock=SystemClock(),
            read=read_audits,
            keep=KeepAudit(desk),
            stored=lambda: None,
        )
        print(os.getpid(), flush=True)  # noqa: T201 - the campaign waits for this line
        await listener.run()


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1], sys.argv[2]))

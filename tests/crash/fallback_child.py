"""A process that sends what is owed over the fallback channels, until it is killed: ``URL-of-the-store webhook mail``."""

import asyncio
import sys
from datetime import timedelta

from bot.fallback.email.address import read_mail_url
from bot.fallback.email.channel import EmailChannel
from bot.fallback.webhook.channel import WebhookChannel
from bot.store import open_store
from schedules.fallback import FallbackJob
from tests.fakes.clock import START, ManualClock
from triage.desk import Desk
from triage.ports.fallback import FallbackChannel


async def main(store_url: str, webhook: str, mail: str) -> None:
    """Owe and send, two minutes into the story."""
    channels: list[FallbackChannel] = [WebhookChannel(webhook, "secret"), EmailChannel(read_mail_url(mail))]
    async with open_store(store_url) as store:
        clock = ManualClock(START + timedelta(minutes=2))
        job = FallbackJob(
            store=store,
            desk=Desk(),
            clock=clock,
            channels={one.name: one for one in channels},
            wake_sender=lambda: None,
        )
        await job.owe_due()
        await asyncio.gather(*(job.send_over(name) for name in job.channels))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

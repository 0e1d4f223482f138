"""The sender's promises on both databases, and between two replicas on one."""

import asyncio
from collections import Counter

from bot.store import SqlStore
from demo.slack import Fault, SlackServer
from tests.bot.slack.workbench import bench_on

POST = "chat.postMessage"


async def test_posts_are_there_once_on_each_database(store: SqlStore, slack: SlackServer) -> None:
    """Lost answers and resets on the way: each message is there once, each thread in order."""
    slack.faults.add(Fault.lost_answer(POST), Fault.reset(POST), Fault.http(POST, 500, processed=True))
    async with bench_on(store, slack) as bench, asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.sender.run())
        incidents = [await bench.open(f"incident {number}") for number in range(4)]
        for incident in incidents:
            await bench.line(incident, "first", "second")
        await bench.settled(15)
        bench.sender.stop()
    assert len(slack.messages("desk-alerts")) == 4
    assert set(slack.deliveries().values()) == {1}


async def test_two_senders_on_one_store_post_each_message_once(store: SqlStore, slack: SlackServer) -> None:
    """Replicas share the work: a lease keeps them apart."""
    async with (
        bench_on(store, slack) as one,
        bench_on(store, slack, owner="other") as two,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(one.sender.run())
        tasks.create_task(two.sender.run())
        for number in range(20):
            incident = await one.open(f"incident {number}")
            await two.line(incident, "a change")
        await one.settled(15)
        one.sender.stop()
        two.sender.stop()
    counts = Counter(message.delivery_id for message in slack.messages("desk-alerts", replies=True))
    assert len(counts) == 40
    assert set(counts.values()) == {1}

"""Two processes share one desk: events, clicks, what the clock starts; each is done once, also when one is killed.

The troubles in which one of them, or the database, only stands still are run by ``make campaign``.
"""

import asyncio
import json
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from aiohttp import web

from bot.store import SqlStore, event_tables, open_store, tables
from demo.servers.local_server import LocalServer
from demo.slack import SlackServer
from tests.crash.books import balanced, figure
from tests.crash.test_replica_kills import DESK, LONG, SEED, posted, replica
from tests.crash.test_takeover import until
from tests.flows.harness import CHANNEL, Bot
from tests.handlers.listening import AUDIT, audit_event
from tests.servers.cutting_proxy import cutting_proxy
from tests.servers.fixtures import Require
from tests.servers.postgres import PostgresCluster, running_postgres
from tests.servers.process import eventually
from tests.servers.redis import running_redis
from triage.cron import Cron
from triage.memory.periods import Schedule

CLAIM_SECONDS = 10.0 if LONG else 2.0
"""Ten as the service has it; shorter where nothing is measured."""
TROUBLE_SECONDS = 12.0
GROUP = "hbot_triage_v1"


@asynccontextmanager
async def two(
    slack: SlackServer, directory: Path, urls: tuple[str, str], **settings: str
) -> AsyncIterator[tuple[Bot, Bot]]:
    """Run two services, ready when handed out."""
    desk = {
        **DESK,
        "roles": {"operator": {"users": ["U0ANA00001", "U0BEN00001"]}},
        "streams": {"claim_idle_seconds": CLAIM_SECONDS},
    }
    services = [
        replica(slack, directory / name, url, desk, **settings)
        for name, url in zip(("one", "two"), urls, strict=True)
    ]
    try:
        await asyncio.gather(*(service.start() for service in services))
        yield services[0], services[1]
    finally:
        for service in services:
            await service.stop()


async def counted(store: SqlStore, query: sa.Select[Any]) -> Counter[Any]:
    """Return what a query gives, each with how often."""
    return Counter(await store.read(lambda tx: list(tx.notes._connection.execute(query).scalars())))  # type: ignore[attr-defined]


async def timed(condition: Callable[[], Awaitable[bool]]) -> float:
    """Wait until something is so; returns the seconds it took."""
    began = time.monotonic()
    await eventually(condition, "what is taken over", within=60)
    return time.monotonic() - began


async def stored_by(service: Bot) -> int:
    """Return how many events of the audit stream a service has stored."""
    page = (await service.get("/metrics")).text
    found = re.search(rf'triage_stream_events_total{{outcome="stored",stream="{AUDIT}"}} (\S+)', page)
    assert found is not None
    return int(float(found[1]))


@pytest.mark.timeout(200)
async def test_a_stream_is_shared_and_what_a_killed_one_had_read_is_taken_over(
    slack: SlackServer, postgres_copy_url: str, require: Require, tmp_path: Path
) -> None:
    """Both read; one is killed with entries in its hands; each event is stored and counted once."""
    async with (
        running_redis(require("redis"), tmp_path / "redis") as redis,
        redis.client() as client,
        open_store(postgres_copy_url) as store,
        two(slack, tmp_path, (postgres_copy_url,) * 2, REDIS_URL=redis.url) as (one, other),
    ):
        numbers = iter(range(10_000))

        async def publish(count: int, pause: float) -> None:
            for _ in range(count):
                event = audit_event("intent_applied", event_id=f"n{next(numbers)}")
                await client.xadd(AUDIT, {"payload": json.dumps(event)})
                await asyncio.sleep(pause)

        async def groups() -> bool:
            return bool(await client.exists(AUDIT) and await client.xinfo_groups(AUDIT))

        await eventually(groups, "their group", within=30)
        while not (await stored_by(one) and await stored_by(other)):
            await publish(20, 0.01)
        one.process.freeze()  # what Redis gives it from now on stays in its hands

        async def holds() -> bool:
            await publish(5, 0.01)
            consumers = await client.xinfo_consumers(AUDIT, GROUP)
            return any(each["pending"] and each["idle"] > 1000 for each in consumers)

        await eventually(holds, "entries in the hands of the one that stands still", within=30)
        one.kill()
        await publish(50, 0.005)
        last = next(numbers)
        query = sa.select(event_tables.events.c.key).where(event_tables.events.c.source == "audit")

        async def all_there() -> bool:
            pending = await client.xpending(AUDIT, GROUP)
            return not pending["pending"] and len(await counted(store, query)) == last

        seconds = await timed(all_there)
        found = await counted(store, query)
        times = await counted(store, sa.select(event_tables.event_counts.c.count))
        figure(f"entries of a stream that a killed one had read are taken over after {seconds:.1f} s")
    assert found == Counter(f"audit/n{number}" for number in range(last))
    assert sum(count * each for count, each in times.items()) == last, "counted once in the rates, too"
    assert seconds <= (15 if LONG else 25)


@pytest.mark.timeout(200)
async def test_a_click_is_answered_once_by_whoever_gets_it(
    slack: SlackServer, postgres_copy_url: str, tmp_path: Path
) -> None:
    """Slack gives clicks to any connection of either; of two people who press at once one acknowledges; one is killed."""
    ana, ben = slack.member("ana"), slack.member("ben")
    events = sa.select(tables.audit.c.actor).where(tables.audit.c.event == "incident.acknowledge")
    async with (
        open_store(postgres_copy_url) as store,
        two(slack, tmp_path, (postgres_copy_url,) * 2) as (one, other),
    ):
        await slack.workspace.until(lambda: len(slack.sockets.connections) == 4, 20, "four connections")
        for number in range(6):
            await posted([one, other], number)
        await until(lambda: len(slack.messages(CHANNEL)) == 6, "six cards")
        cards = slack.messages(CHANNEL)
        for card in cards[:4]:  # one after the other, so that each of the four connections has its turn
            assert (await ana.click(card, "incident.acknowledge")).acked
        at_once = await asyncio.gather(
            *(who.click(cards[4], "incident.acknowledge") for who in (ana, ben, ana, ben))
        )
        assert all(outcome.acked for outcome in at_once)
        told = len(slack.ephemerals(CHANNEL))
        one.kill()

        async def taken() -> bool:
            return (await ben.click(cards[5], "incident.acknowledge")).acked

        await eventually(taken, "a click that the living one answers", within=30)
        found = await counted(store, events)
        assert sum(found.values()) == 6, found
        assert found["U0ANA00001"] >= 4
        assert told == 8, "each is answered once"
    assert set(slack.deliveries().values()) == {1}


class Monitoring(LocalServer):
    """Prometheus that answers nothing for as long as it is told to, and Alertmanager that takes what is fired."""

    def __init__(self) -> None:
        super().__init__()
        self.fired: list[str] = []

    def routes(self) -> list[web.RouteDef]:
        """Take alerts; whatever else is asked is not found."""

        async def take(request: web.Request) -> web.Response:
            self.fired += [alert["labels"]["drill"] for alert in await request.json()]
            await asyncio.sleep(60 if len(self.fired) == 1 else 0)
            return web.Response(status=200)

        return [web.post("/api/v2/alerts", take)]


@pytest.mark.campaign
@pytest.mark.timeout(240)
async def test_what_the_clock_starts_is_taken_over_where_its_process_is_killed_at_that_moment(
    slack: SlackServer, postgres_copy_url: str, tmp_path: Path
) -> None:
    """Digest, checklists and drill fall due; who fires the drill is killed in the call; each is done, and told once."""
    now = datetime.now(UTC)
    cron = f"{(now - timedelta(minutes=5)).minute} * * * *"
    every = {"digest": cron, "drill": cron, "checklists": cron, "snapshots": ""}
    async with Monitoring() as monitoring, open_store(postgres_copy_url) as store:
        services = [
            replica(
                slack,
                tmp_path / name,
                postgres_copy_url,
                {**DESK, "schedules": every},
                ALERTMANAGER_URL=monitoring.url,
            )
            for name in ("one", "two")
        ]
        one, other = services
        try:
            await one.start()
            for name in ("digest", "checklists", "drill"):
                schedule = Schedule(name, Cron.parse(cron), ZoneInfo("UTC"))
                text = f"{schedule.written}|{(now - timedelta(minutes=30)).isoformat()}"
                await store.write(lambda tx, name=name, text=text: tx.notes.put(f"schedule/{name}", text))  # type: ignore[misc]
            await until(lambda: monitoring.fired, "the drill's alert on its way")
            one.kill()
            await other.start()

            async def done() -> bool:
                made = await counted(store, sa.select(tables.documents.c.kind))
                served = await counted(store, sa.select(tables.periods.c.name))
                told = set(await counted(store, sa.select(tables.messages.c.sent_revision)))
                due = {"digest", "checklists", "drill"}
                return due <= set(served) and {"digest", "drill"} <= set(made) and 0 not in told

            seconds = await timed(done)
            await asyncio.sleep(12)  # long enough for another look
            made = await counted(store, sa.select(tables.documents.c.kind))
            served = await counted(store, sa.select(tables.periods.c.name))
            audit = await counted(store, sa.select(tables.audit.c.event))
        finally:
            for service in services:
                await service.stop()
    figure(f"what the clock starts is taken over {seconds:.1f} s after the other one's start")
    assert seconds <= 15
    assert {name: served[name] for name in every if name != "snapshots"} == dict.fromkeys(
        ("digest", "drill", "checklists"), 1
    )
    assert made["drill"] == audit["drill.fired"] == 1
    assert len(set(monitoring.fired)) == 1, "fired again, it is the same alert"
    assert set(slack.deliveries().values()) == {1}


def tell_all(cluster: PostgresCluster, number: signal.Signals) -> None:
    """Send a signal to every process of a PostgreSQL."""
    postmaster = cluster.process.pid
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (postmaster, *map(int, children)):
        os.kill(pid, number)


async def told(slack: SlackServer, alerts: int) -> bool:
    """Whether each of the first alerts has a card."""
    cards = "\n".join(message.text for message in slack.messages(CHANNEL))
    return all(re.search(rf"\bhost-{number}\b", cards) for number in range(alerts))


@pytest.mark.campaign
@pytest.mark.timeout(240)
@pytest.mark.parametrize("trouble", ["stopped", "cut", "restarted", "frozen"])
async def test_whatever_stands_still_for_a_while_the_other_one_goes_on(
    slack: SlackServer, require: Require, tmp_path: Path, trouble: str
) -> None:
    """A replica is stopped, or cut off without a word; the database is restarted, or stands still: told within 15 s."""
    async with running_postgres(require("postgres")) as cluster, cluster.database() as url:
        async with (
            cutting_proxy(url) as proxy,
            two(slack, tmp_path, (proxy.url, url)) as (one, other),
        ):
            accepted = [await posted([one, other], number) for number in range(3)]
            if trouble == "stopped":
                one.process.freeze()
            elif trouble == "cut":
                proxy.frozen = True
            elif trouble == "restarted":
                # A fast shutdown: one killed leaves children that keep its memory for a moment, and a start refuses that.
                os.kill(cluster.process.pid, signal.SIGINT)
                await cluster.process.stop()
                await cluster.start()
            else:
                tell_all(cluster, signal.SIGSTOP)
                await asyncio.sleep(TROUBLE_SECONDS)
                tell_all(cluster, signal.SIGCONT)
            began = time.monotonic()
            accepted += [await posted([other], number) for number in range(3, 6)]
            await eventually(lambda: told(slack, 6), "six cards", within=60)
            seconds = time.monotonic() - began
            await balanced(url, slack, accepted, within=60)
            settled = time.monotonic() - began
            one.process.thaw()
            proxy.frozen = False
            await asyncio.sleep(TROUBLE_SECONDS)
            accepted.append(await posted([one, other], 6))
            await balanced(url, slack, accepted, within=60)
            figure(f"{trouble}: all told after {seconds:.1f} s, with their summaries after {settled:.1f} s")
            assert seconds <= 15
            assert settled <= 25, (
                "six summaries follow at a message a second, behind cards that were taken over"
            )
        assert set(slack.deliveries().values()) == {1}


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_who_stands_still_for_longer_than_its_leases_does_nothing_of_what_was_taken_over(
    slack: SlackServer, postgres_copy_url: str, tmp_path: Path
) -> None:
    """Three replicas, each stopped for 40 s in the middle of its work: one of each, and no copy had to be taken back."""
    dice = random.Random(SEED)  # noqa: S311 - the same moments each time
    every = {"digest": "* * * * *", "drill": "", "checklists": "", "snapshots": ""}
    services = [
        replica(slack, tmp_path / name, postgres_copy_url, {**DESK, "schedules": every})
        for name in ("one", "two", "three")
    ]
    accepted: list[str] = []
    seconds: list[float] = []
    try:
        await asyncio.gather(*(service.start() for service in services))
        for victim in services:
            others = [service for service in services if service is not victim]
            for _ in range(4):
                accepted.append(await posted([victim, *others], len(accepted)))
            await asyncio.sleep(dice.uniform(0.0, 0.3))
            victim.process.freeze()
            accepted.append(await posted(others, len(accepted)))
            stopped = time.monotonic()
            seconds.append(await balanced(postgres_copy_url, slack, accepted, within=60))
            await asyncio.sleep(max(0.0, stopped + 40 - time.monotonic()))
            victim.process.thaw()
            accepted.append(await posted([victim, *others], len(accepted)))
            await balanced(postgres_copy_url, slack, accepted, within=60)
        await asyncio.sleep(TROUBLE_SECONDS)  # the first look for copies is after 12 s
        await balanced(postgres_copy_url, slack, accepted, within=60)
        async with open_store(postgres_copy_url) as store:
            made = await counted(store, sa.select(tables.documents.c.made_at))
    finally:
        for service in services:
            await service.stop()
    deleted = len(slack.calls.of("chat.delete"))
    figure(
        f"each of three stopped for 40 s: told after {max(seconds):.1f} s at the most, {deleted} copies taken back"
    )
    assert set(slack.deliveries().values()) == {1}
    assert Counter(at.replace(second=0, microsecond=0) for at in made.elements()).most_common(1)[0][1] == 1
    assert not any("Traceback" in service.log() for service in services)

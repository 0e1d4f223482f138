"""The composition root: opens what is outside, makes the parts, runs the loops, and ends everything in order.

What flows where::

    Alertmanager ─webhook─▶ signals ─sorter─▶ incidents ─┬─▶ outbox ─sender─▶ Slack
    reconcile, streams, containers ──┘                   └─▶ triage runs ─checks─▶ findings, verdict ─▶ outbox
    Slack ─button, command─▶ handlers ─▶ operations ─▶ timeline, audit, outbox
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from importlib.metadata import PackageNotFoundError, version

from loguru import logger

from bot.connections import ConnectionLimits, allow_connections
from bot.liveness import IDLE_SECONDS, lasting
from bot.metrics import ConnectionMeters
from bot.service_parts import LISTENER, Adapters, ServiceParts
from bot.settings import Settings
from bot.shared_clock import SharedClock
from bot.slack.client import open_client
from bot.store import SqlStore, open_store
from bot.store.damaged_log import mend_log
from bot.store.lock import only_process
from bot.tuning import EndpointDispatcher, collect_seldom
from bot.web import WebServer, listen, make_web
from bot.wiring.sources import open_configured
from handlers.health import Health
from schedules.table import running
from triage.errors import StoreUnavailable
from triage.incidents import unsortable
from triage.ports.clock import Clock, SystemClock
from triage.ports.store import Tx

TAKE_OVER_SECONDS, AGAIN_SECONDS = 20.0, 1.0
"""How long a start waits for a database that takes no commit just now."""
INBOX_SECONDS = 1.5
"""What the last sorting of a shutdown may take; see ``bot.service_parts.DRAIN_SECONDS``."""


def our_version() -> str:
    """Return the installed version."""
    try:
        return version("hbot-triage")
    except PackageNotFoundError:
        return "0.0.0"


class Service:
    """Runs the parts: begins what is under way, keeps the loops, ends them in order."""

    def __init__(self, parts: ServiceParts) -> None:
        self.parts = parts

    async def run(self, stop: asyncio.Event, server: WebServer, sockets: list[socket.socket]) -> None:
        """Run until ``stop`` is set, then take the parts down in the order in which work flows through them."""
        await self._take_over(stop)
        parts = self.parts
        async with asyncio.TaskGroup() as group:
            web = group.create_task(server.serve(sockets=sockets), name="web")
            loops = [
                *(self._lasting(group, name, loop) for name, loop in self._loops()),
                group.create_task(parts.listeners.run(), name="listeners"),
            ]
            sending = self._lasting(group, "sender", parts.sender.run)
            listener = group.create_task(
                lasting(LISTENER, lambda: parts.listener.run(stop), parts.liveness), name=LISTENER
            )
            jobs = parts.jobs()
            parts.listeners.expect(jobs)
            async with running(jobs, beat=parts.liveness.beat, failed=parts.liveness.failed):
                collect_seldom()
                logger.info("ready on {address}", address=parts.settings.triage_listen)
                await stop.wait()
            logger.info("stopping")
            server.stop()
            await web
            await listener
            await self._sort_the_rest()
            for loop in loops:
                loop.cancel()
            parts.sender.stop()
            await sending
            if not parts.adapters.store.alone:
                await parts.replicas.leave()

    def _loops(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        parts = self.parts
        return [
            ("intake", parts.intake_loop.run),
            ("triage", parts.triages.run),
            ("reconcile", self._reconcile_when_asked),
            ("actions", parts.actions.run),
        ]

    def _lasting(
        self, group: asyncio.TaskGroup, name: str, loop: Callable[[], Awaitable[None]]
    ) -> asyncio.Task[None]:
        self.parts.liveness.beat(name)  # one that hangs in its first round is stuck too
        return group.create_task(lasting(name, loop, self.parts.liveness), name=name)

    async def _take_over(self, stop: asyncio.Event) -> None:
        """Take back what a process before us had claimed, where it cannot be alive any more; try again what it put aside.

        A replica that was just killed may hold the lock of all writers yet: that is waited for. With a damaged database
        the service starts all the same: it says so, and does what can be done.
        """
        store = self.parts.adapters.store

        def release(tx: Tx) -> None:
            if store.alone:
                tx.runs.release()
                tx.outbox.release()
            unsortable.take_up(tx)

        until = self.parts.clock.monotonic() + TAKE_OVER_SECONDS
        while not stop.is_set():
            try:
                await store.write(release)
                if not store.alone:  # before anything is claimed: the others are to know whose it is
                    await self.parts.replicas.beat()
            except StoreUnavailable as error:
                if error.damaged:
                    return
                if self.parts.clock.monotonic() >= until:
                    raise
                logger.warning("nothing is taken over yet: {why}", why=error)
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    async def _reconcile_when_asked(self) -> None:
        while True:
            self.parts.liveness.beat("reconcile")
            if await self.parts.bells.reconcile.wait(IDLE_SECONDS):
                await self.parts.reconciliation.run()

    async def _sort_the_rest(self) -> None:
        """Sort what the last webhooks brought; what there is no time for waits in the inbox for the next start."""
        with suppress(TimeoutError, StoreUnavailable):
            async with asyncio.timeout(INBOX_SECONDS):
                while (await self.parts.intake_loop.once()).more:
                    pass


async def _clock_of(store: SqlStore) -> Clock:
    """Return the clock to go by: the one that all replicas share, where there may be several."""
    if store.alone:
        return SystemClock()
    clock = SharedClock()
    with suppress(StoreUnavailable):  # the first beat, before anything is claimed, asks again
        await store.read(clock.compare)
    return clock


async def serve(settings: Settings, *, stop: asyncio.Event, clock: Clock | None = None) -> None:
    """Open everything, run until ``stop`` is set. Raises TriageError where it cannot start."""
    allow_connections()
    listener = listen(settings.address)
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        database = settings.triage_database_url.get_secret_value()
        stack.enter_context(only_process(database))
        of_log, mended = await asyncio.to_thread(mend_log, database, (clock or SystemClock()).now())
        if of_log:
            logger.error("{what}", what=of_log)
        opened = await stack.enter_async_context(open_configured(settings))
        store = await stack.enter_async_context(
            open_store(database, migrate_apart=True, audit_key=settings.audit_key)
        )
        clock = clock or await _clock_of(store)
        token, url = settings.slack_bot_token.get_secret_value(), settings.slack_api_url
        adapters = Adapters(
            store=store,
            sources=opened.sources,
            slack=await stack.enter_async_context(open_client(token, url=url, clock=clock)),
            dashboards=opened.dashboards,
        )
        if not mended:
            adapters.store.health.found_damaged(of_log)
        parts = ServiceParts(settings, adapters, clock=clock)
        health = Health(parts.readiness.dependencies, parts.metrics.page)
        endpoints = [*parts.webhook.endpoints(), *health.endpoints(), *parts.listener.endpoints()]
        dispatcher = EndpointDispatcher(endpoints, lambda: make_web(endpoints, version=our_version()))
        limits = ConnectionLimits(parts.webhook.known)
        parts.metrics.registry.register(ConnectionMeters(limits.closed))
        await Service(parts).run(stop, WebServer(dispatcher, limits), [listener])

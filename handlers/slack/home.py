"""App Home: published when somebody opens it, kept fresh for those who opened it lately."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from loguru import logger
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.reply import refused_with
from handlers.slack.services import InFlight
from triage.concurrency import each
from triage.errors import StoreUnavailable, TriageError
from triage.model import Json
from triage.ports.chat import Section
from triage.reports.answers.context import AnswerContext
from triage.reports.answers.home import Home, bots_now, stored_home

LATELY = timedelta(minutes=15)
READERS = 20
"""Home tabs that are kept fresh; ``views.publish`` has its limits too."""
BOTS_SECONDS = 60.0
"""How old the bots' lines may be while somebody looks."""
SLACK_SECONDS = 5.0
UNSURE_SECONDS = 90.0
"""Slack may publish a tab long after we gave it up, and then an older one is shown: so long it is published again."""


@dataclass(slots=True)
class HomeTab:
    """Publishes the tab. ``draw`` makes the view; ``web`` has the token, also between events."""

    answer_context: AnswerContext
    draw: Callable[[Home], Json]
    in_flight: InFlight
    web: AsyncWebClient
    _readers: dict[str, datetime] = field(default_factory=dict)
    _shown: dict[str, str] = field(default_factory=dict)
    _unsure: dict[str, float] = field(default_factory=dict)
    _bots: tuple[Section, Section, str] | None = None
    _bots_at: float = 0.0
    _refused: dict[str, str] = field(default_factory=dict)

    @property
    def trouble(self) -> str:
        """Why Slack does not take the tab of somebody; empty where it does, and where Slack is only away."""
        return "; ".join(dict.fromkeys(self._refused.values()))

    def register(self, app: AsyncApp) -> None:
        """Register the listeners of the tab."""
        app.event("app_home_opened")(self.opened)
        app.action("home.refresh")(self.refreshed)

    async def opened(self, event: dict[str, Any]) -> None:
        """Show what the store knows at once, and the bots as soon as they were looked at."""
        if event.get("tab") not in {"home", None}:
            return
        async with self.in_flight.one():
            await self._show(str(event.get("user", "")))

    async def refreshed(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Look anew, because somebody asks for it."""
        async with self.in_flight.one():
            await ack()
            self._bots_at = float("-inf")
            await self._show(str((body.get("user") or {}).get("id", "")), anew=True)

    async def _show(self, user: str, *, anew: bool = False) -> None:
        if not user:
            return
        self._remember(user)
        if user not in self._shown or self._bots is None:
            await self._publish(user, await self._home())
        await self._look()
        if anew:  # the time on it is what they asked for
            self._shown.pop(user, None)
        await self._publish(user, await self._home())

    def _remember(self, user: str) -> None:
        now = self.answer_context.clock.now()
        self._readers.pop(user, None)
        self._readers[user] = now
        for other in list(self._readers)[: max(0, len(self._readers) - READERS)]:
            self._forget(other)

    def _forget(self, user: str) -> None:
        self._readers.pop(user, None)
        self._unsure.pop(user, None)
        self._shown.pop(user, None)
        self._refused.pop(user, None)

    async def refresh(self) -> int:
        """Bring the tabs that were opened lately up to date. Returns how many changed."""
        now = self.answer_context.clock.now()
        for user, at in list(self._readers.items()):
            if now - at > LATELY:
                self._forget(user)
        if not self._readers:
            return 0
        if self.answer_context.clock.monotonic() - self._bots_at > BOTS_SECONDS:
            await self._look()
        home = await self._home()
        return sum(await each(list(self._readers), lambda user: self._publish(user, home)))

    async def _look(self) -> None:
        """Ask the desk, unless that was done just now."""
        moment = self.answer_context.clock.monotonic()
        if self._bots is not None and moment - self._bots_at < SLACK_SECONDS:
            return
        self._bots_at = moment
        self._bots = await bots_now(self.answer_context)

    async def _home(self) -> Home | None:
        now = self.answer_context.clock.now()
        try:
            home = await self.answer_context.store.read(lambda tx: stored_home(tx, self.answer_context, now))
        except StoreUnavailable as error:
            logger.warning("the Home tab cannot be read: {error}", error=error)
            return None
        if self._bots is None:
            return home
        bots, unknown, word = self._bots
        return replace(home, bots=bots, unknown=unknown, word=word)

    async def _publish(self, user: str, home: Home | None) -> bool:
        """Publish a view that differs by more than its time."""
        if home is None:
            return False
        view = self.draw(home)
        mark = _mark(self.draw(replace(home, at=datetime.min.replace(tzinfo=home.at.tzinfo))))
        moment = self.answer_context.clock.monotonic()
        if self._shown.get(user) == mark and moment >= self._unsure.get(user, moment):
            return False
        try:
            async with asyncio.timeout(SLACK_SECONDS):
                await self.web.views_publish(user_id=user, view=view)
        except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, TriageError) as error:
            logger.bind(user=user).warning("the Home tab was not published: {error}", error=error)
            self._unsure[user] = moment + UNSURE_SECONDS
            if why := refused_with(error):
                self._refused[user] = f"views.publish: {why}"
            return False
        self._shown[user] = mark
        self._refused.pop(user, None)
        return True


def _mark(view: Json) -> str:
    return hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()

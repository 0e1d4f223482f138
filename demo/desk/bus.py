"""Carries events between the world and Redis, and opens and closes the port as the world says."""

import json
from typing import TYPE_CHECKING, cast

from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from demo.desk.events import (
    EXECUTION_INTENT,
    MARKET_DATA,
    MAX_LENGTH,
    RISK_DECISION,
    SIGNAL,
    USUAL_MAX_LENGTH,
    Published,
)
from demo.desk.redis_server import RedisServer
from demo.ports import HOST

if TYPE_CHECKING:
    from demo.desk.world_state import WorldState

GROUP = "hb_group_v1"
CONSUMED = (EXECUTION_INTENT, MARKET_DATA, SIGNAL, RISK_DECISION)
"""What the desk's own services and bots read, in the group they share."""
TIMEOUT = 3.0
Answer = list[tuple[str, list[tuple[str, dict[str, str] | None]]]]
"""What XREADGROUP gives in RESP2: streams with their entries; a trimmed entry has no fields."""
BATCH = 500


class Bus:
    """One connection for all that the simulated desk does on Redis. ``sync`` is called after every step."""

    def __init__(self, world: "WorldState", server: RedisServer) -> None:
        self._world, self.server = world, server
        self._redis = Redis(
            host=HOST,
            port=server.port,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            decode_responses=True,
            protocol=2,
        )
        self._groups_made = False

    @property
    def url(self) -> str:
        """The address for ``REDIS_URL``."""
        return f"redis://{HOST}:{self.server.port}/0"

    async def sync(self) -> None:
        """Open or close the port as the world says, then publish what is waiting and take the new intents."""
        try:
            await self._follow()
            if self.server.up:
                await self._publish()
                await self._consume()
            else:
                self._world.published.clear()
        except (RedisError, OSError, TimeoutError) as error:  # said, and tried again with the next step
            self._groups_made = False
            logger.warning("the simulated desk lost its Redis: {error}", error=error)

    async def _follow(self) -> None:
        """Open or close the port as the world says."""
        if self._world.redis.serving and not self.server.up:
            await self.server.start()
        elif not self._world.redis.serving and self.server.up:
            await self.server.stop()

    async def close(self) -> None:
        """Close the connection and the server."""
        await self._redis.aclose()
        await self.server.close()

    async def _publish(self) -> None:
        waiting = self._world.published
        while waiting:
            batch = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
            pipe = self._redis.pipeline(transaction=False)
            for event in batch:
                pipe.xadd(
                    event.stream,
                    {"payload": json.dumps(event.payload)},
                    id=_entry_id(event),
                    maxlen=MAX_LENGTH.get(event.stream, USUAL_MAX_LENGTH),
                    approximate=True,
                )
            for event, result in zip(batch, await pipe.execute(raise_on_error=False), strict=True):
                if isinstance(
                    result, ResponseError
                ):  # a sender whose clock runs ahead has been there already
                    await self._redis.xadd(event.stream, {"payload": json.dumps(event.payload)})

    async def _consume(self) -> None:
        if not self._groups_made:
            await self._make_groups()
        answer = await self._redis.xreadgroup(
            GROUP, "desk", dict.fromkeys(CONSUMED, ">"), count=BATCH, noack=True
        )
        for stream, entries in cast("Answer", answer or []):
            for entry_id, fields in entries:
                if stream == EXECUTION_INTENT:
                    self._world.deliver(entry_id, (fields or {}).get("payload", ""))

    async def _make_groups(self) -> None:
        for stream in CONSUMED:
            try:
                await self._redis.xgroup_create(stream, GROUP, id="$", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise
        self._groups_made = True


def _entry_id(event: Published) -> str:
    """Entries carry the desk's time, as they would if Redis ran on the desk's clock."""
    return f"{int(event.at * 1000)}-*"

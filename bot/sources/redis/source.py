"""Redis as a source of evidence: opened, and asked by the doctor."""

from __future__ import annotations

from bot.sources.declaration import EvidenceSource, Opening, SourceHealth
from bot.sources.not_configured import not_configured
from bot.sources.redis.settings import RedisSettings
from triage.desk import Desk
from triage.ports.sources import Streams

NAME = "Redis"


def _open(settings: RedisSettings, opening: Opening) -> Streams:
    url = settings.redis_url.get_secret_value()
    if not url:
        stand_in: Streams = not_configured(NAME)
        return stand_in
    # redis-py takes 6 MB of memory: a desk without Redis does not load it.
    from bot.sources.redis.client import RedisStreams  # noqa: PLC0415 - as said
    from bot.sources.redis.connection import ANSWER_SECONDS, open_redis  # noqa: PLC0415 - as said

    client = open_redis(url)
    opening.stack.push_async_callback(client.aclose)
    return RedisStreams(client, seconds=ANSWER_SECONDS)


async def _look(desk: Desk, streams: Streams) -> SourceHealth:
    health = await streams.health()
    audit = await streams.info(desk.streams.audit)
    ping = f"{health.ping_seconds * 1000:.0f} ms"
    seen = f"{health.role}, ping {ping}, {audit.name} holds {audit.length} entries"
    if health.role != "master":
        mend = "set REDIS_URL to the master: a group's reader has to write that it read"
        return SourceHealth("warning", seen, mend)
    wanted = (desk.streams.market_data, desk.streams.audit)
    lengths = {name: (await streams.info(name)).length for name in wanted}
    absent = [name for name, length in lengths.items() if not length]
    if absent:
        mend = "nobody writes them: check streams in desk.yaml, or start the external stack"
        return SourceHealth("warning", f"{seen}; not there: {', '.join(absent)}", mend)
    return SourceHealth("ok", seen)


SOURCE = EvidenceSource(
    name="redis", fills="streams", written="REDIS_URL", settings=RedisSettings, open=_open, look=_look
)

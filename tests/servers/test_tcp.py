"""A test's TCP server leaves no connection behind that a later test would be blamed for."""

import asyncio
import gc
import warnings

from tests.servers.process import LOOPBACK
from tests.servers.tcp import tcp_server


def test_nothing_is_left_open_whatever_the_handler_waits_for() -> None:
    """Handlers that read for ever; the loop ends at once behind them."""

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def two_talks() -> None:
        async with tcp_server(wait) as port:
            _, one = await asyncio.open_connection(LOOPBACK, port)
            _, two = await asyncio.open_connection(LOOPBACK, port)
            one.close()
            await one.wait_closed()
        two.close()
        await two.wait_closed()

    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        asyncio.run(two_talks())
        gc.collect()
    assert [str(each.message) for each in found] == []

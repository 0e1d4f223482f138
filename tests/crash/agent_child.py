"""An agent apart that is killed at one moment of one step: told on the command line, as JSON.

Moments of step n: ``before`` (its begin is in the record, nothing of it is done), ``during`` (a command has begun to
speak), ``after`` (it is done, its end is not in the record), ``between`` (its end is in the record, the bot has no answer).
An empty moment: it serves until it is told to end.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.agent.core import LocalAgent
from bot.agent.order_executor import OrderExecutor
from tests.bot.agent.apart import agent_apart
from tests.triage.actions.bench import settings
from triage.plans.agent_orders import Order
from triage.ports.actions import OnOutput, Performed


def die() -> None:
    """End as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(moment: str, number: int) -> None:
    """Set the trap: ``number`` counts the orders that this process is asked to carry out."""
    carry_out, end, count = OrderExecutor.do, LocalAgent._performed, [0]

    async def do(self: OrderExecutor, order: Order, token: str, on_output: OnOutput) -> Performed:
        count[0] += 1
        mine = count[0] == number
        if mine and moment == "before":
            die()

        def spoken(text: str) -> None:
            if mine and moment == "during" and text:
                die()
            on_output(text)

        performed = await carry_out(self, order, token, spoken)
        if mine and moment == "after":
            die()
        return performed

    async def ended(self: LocalAgent, about: Mapping[str, Any], work: object) -> Performed:
        performed = await end(self, about, work)
        if count[0] == number and moment == "between":
            die()
        return performed

    setattr(OrderExecutor, "do", do)  # noqa: B010 - the class's own is kept above
    setattr(LocalAgent, "_performed", ended)  # noqa: B010 - as above


async def main(order: dict[str, Any]) -> None:
    """Serve until the end comes."""
    if order["moment"]:
        arm(order["moment"], order["number"])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    desk = settings(Path(order["root"]), order["command"])
    place = Path(order["socket"])
    async with agent_apart(desk, Path(order["folder"]), docker_host=order["docker_host"], place=place):
        sys.stdout.write("listens\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))

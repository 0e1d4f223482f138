"""What the clients of other exchanges log, for faults that their shapes are the matter of."""

from demo.desk.connector import BITGET, EXECUTOR, trace
from demo.lab.breaker import Breaker


def keep_failing(desk: Breaker, last: str, *, side: str = "BUY") -> None:
    """Let every order of a side be refused, with ``last`` as the traceback's end."""

    def fail() -> None:
        bot = desk.struck
        if not desk.works(bot.name) or not bot.orders:
            return
        bot.order_failures += 1
        bot.resting[side] = False
        desk.says(
            "NETWORK",
            BITGET,
            f"Error submitting {side} order.",
            trace("_place_order_and_process_update", last),
        )
        desk.says("ERROR", EXECUTOR, "Open order failed x-Hb2B1ab. Retrying 1/10")

    desk.every(12, fail)

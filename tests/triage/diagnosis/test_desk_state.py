"""How the bots stand, where a part of the answer cannot be read."""

from tests.fakes.sources import NOW, FakeMetrics, sample
from triage.desk import Desk
from triage.diagnosis.desk_state import look_at_bots

BOTS = ("bot1", "bot2", "bot3")


def metrics() -> FakeMetrics:
    """Return metrics of a desk whose bots all run."""
    return FakeMetrics(
        answers={
            "__name__=~": [sample(1, "hbot_bot_state", bot=bot, state="running") for bot in BOTS],
            "snapshot_timestamp": [sample(20, bot=bot) for bot in BOTS],
        }
    )


async def test_a_bot_whose_state_cannot_be_read_is_not_known_and_the_others_are() -> None:
    """One series of another shape does not take the line of the whole desk away."""
    asked = metrics()
    asked.answers["__name__=~"] = asked.answers["__name__=~"][1:]
    asked.unread["__name__=~"] = 1
    trading = await look_at_bots(asked, Desk(), NOW)
    assert [(one.bot, one.known, one.trades) for one in trading.bots] == [
        ("bot1", False, False),
        ("bot2", True, True),
        ("bot3", True, True),
    ]


async def test_a_bot_whose_age_cannot_be_read_is_not_taken_to_trade() -> None:
    """Its state may be an old one."""
    asked = metrics()
    asked.answers["snapshot_timestamp"] = asked.answers["snapshot_timestamp"][1:]
    asked.unread["snapshot_timestamp"] = 1
    trading = await look_at_bots(asked, Desk(), NOW)
    assert [one.trades for one in trading.bots] == [False, True, True]

"""Five incidents read end to end, as they are shown: one knows what to do, and every sentence is true."""

import re

import pytest

from demo.lab.watched_desk import PreparedDesks
from tests.demo.lab.readings import reading

# All in one process: a desk with a past takes as long to make as an incident to play.
pytestmark = pytest.mark.xdist_group("lab-readings")


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> PreparedDesks:
    """Give a desk that is made once; each test takes a copy."""
    return PreparedDesks(tmp_path_factory.mktemp("lab"))


@pytest.mark.timeout(300)
async def test_two_causes_stand_together_each_with_what_it_explains(desks: PreparedDesks) -> None:
    """The key that is refused leads: its alerts came first; the band that holds the bot stands beside it."""
    text = await reading("two causes", desks)
    lines = text.split("\n")
    assert lines[0].startswith("Almost certain: The exchange refuses bot1's key (40037) since ")
    assert lines[1].startswith("And almost certain: bot1's inventory is outside its band")
    assert "Do: put the key right at the exchange and in the bot; look at its open orders first" in text
    assert "explains: BotLogErrorSpike bot1" in text
    assert "bot1 gives the reason too much base" in text
    assert "because bot1 gives the reason too much base and 1 more" in text


@pytest.mark.timeout(300)
async def test_a_source_that_is_missing_is_said_with_the_look_that_makes_up_for_it(
    desks: PreparedDesks,
) -> None:
    """Nothing is guessed; which alerts stay open is said, and which file would tell."""
    text = await reading("a source missing", desks)
    first, second, *_ = text.split("\n")
    assert first == "Cause not known: Nothing that was looked at explains it; not seen: error logs."
    assert second == "What would settle it: tail -n 50 ../data/bot1/logs/errors.log"
    assert "Not explained: ExchangeOrderFailureSpike bot1" in text
    assert "Possible: Nothing" not in text
    assert "no answer from error logs" in text


@pytest.mark.timeout(300)
async def test_a_false_alert_is_a_verdict_of_its_own(desks: PreparedDesks) -> None:
    """It does not say that the alert was right once, nor that it ends: neither is known."""
    text = await reading("a false alert", desks)
    assert text.startswith(
        "Almost certain: Nothing is wrong now: what BotHardStopActive states does not hold.\n"
    )
    assert "any more" not in text
    assert "Do: nothing; if the alert stays, its rule or its data are stale" in text
    assert "what BotHardStopActive states does not hold for bot1 now" in text


@pytest.mark.timeout(300)
async def test_the_upstream_cause_names_what_follows_from_it(desks: PreparedDesks) -> None:
    """Redis is the cause; services that die without it are its consequence, and the button is the one that helps."""
    text = await reading("an upstream cause", desks)
    assert text.startswith("Almost certain: Redis is down: the external signal and risk stack cannot work.\n")
    assert "Do: Degraded mode" in text
    assert "hbot-redis does not run" in text
    assert re.search(r"so: Each of hbot-\S+ [\w, -]+ dies and restarts again and again", text)
    assert ".," not in text
    assert "do not miss the bus" not in text


@pytest.mark.timeout(300)
async def test_an_answer_of_another_exchange_is_read_and_counted_right(desks: PreparedDesks) -> None:
    """Its code is shown; of each class of lines only its own are counted."""
    text = await reading("another exchange", desks)
    assert re.match(
        r"Almost certain: The exchange finds bot1, bot\d's clock wrong \(50102\) since \d\d:\d\d\.", text
    )
    assert "timedatectl status; chronyc tracking" in text
    lost = [int(found) for found in re.findall(r"(\d+) lines say that an order is taken for lost", text)]
    assert all(count < 200 for count in lost)
    assert "also firing" not in text

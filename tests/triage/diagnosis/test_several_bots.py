"""What several bots have in common: who is named, in which order, and what their common fault is not."""

from datetime import timedelta

from tests.fakes.sources import NOW
from tests.triage.diagnosis.evidence import alert, bots, finding, verdict
from triage.model import Finding, Json

UNRESOLVED = "ClientConnectorDNSError: Cannot connect to host api.bitget.com:443 [Temporary failure in name resolution]"
REFUSED = 'HTTP status is 400. Error: {"code":"45110","msg":"less than the minimum amount"}'
WAITS: dict[str, Json] = {"state": "soft_pause", "reasons": ["connector_not_ready"]}
BOTS = ("bot1", "bot2", "bot3")


def lines(said: dict[str, str], count: int = 60) -> Finding:
    """What the error_logs check finds: so many new lines of each bot, the last a moment ago."""
    at = {"first_at": (NOW - timedelta(minutes=12)).isoformat(), "last_at": NOW.isoformat()}
    found: dict[str, Json] = {
        name: {
            "count": count,
            "usual": 0.0,
            "templates": [{"text": text, "count": count, "kind": "new", "usual": 0.0, **at}],
        }
        for name, text in said.items()
    }
    return finding("error_logs", {"bots": found})


def test_bots_that_run_on_are_not_cut_off_though_half_of_their_names_are_not_resolved() -> None:
    """Where none of them runs, the host's way out may be lost; where they run, it is the resolver that fails."""
    said = lines(dict.fromkeys(BOTS, UNRESOLVED))
    alerts = tuple(alert("BotLogErrorSpike", name) for name in BOTS)
    runs = verdict(said, bots(bot1=WAITS, bot2={}, bot3={}), alerts=alerts, bots=BOTS)
    assert runs.top is not None
    assert runs.top.cause == "dns_failure"
    assert "network_down" not in [each.cause for each in runs.causes if each.stands]
    cut = verdict(said, bots(bot1=WAITS, bot2=WAITS, bot3=WAITS), alerts=alerts, bots=BOTS)
    assert "network_down" in [each.cause for each in cut.causes if each.stands]


def test_several_bots_are_named_in_the_desk_s_order_and_not_each_beside_the_others() -> None:
    """The surest of them speaks; that the others have it too is said by naming them."""
    said = lines(dict.fromkeys(reversed(BOTS), UNRESOLVED))
    alerts = tuple(alert("BotLogErrorSpike", name) for name in BOTS)
    found = verdict(said, bots(bot1={}, bot2={}, bot3={}), alerts=alerts, bots=BOTS)
    assert found.top is not None
    assert found.top.headline.startswith("bot1, bot2, bot3 cannot resolve names")
    assert not [text for text in found.top.because if text.startswith("the same on")]


def test_a_refused_order_makes_no_tick_slow() -> None:
    """An answer that says no comes at once: what is late has another cause, or none that is known."""
    said = lines({"bot1": REFUSED})
    found = verdict(said, bots(bot1={}), alerts=(alert("TickDurationHigh"),))
    assert "order_rejected" not in [each.cause for each in found.causes]
    orders = verdict(said, bots(bot1={}), alerts=(alert("ExchangeOrderFailureSpike"),))
    assert orders.causes[0].cause == "order_rejected"


def test_a_headline_of_several_bots_holds_the_codes_of_all_and_the_earliest_beginning() -> None:
    """Not those of the surest alone."""
    other = REFUSED.replace("45110", "45115").replace("minimum amount", "minimum quantity")
    said = lines({"bot1": REFUSED, "bot3": other})
    alerts = tuple(alert("ExchangeOrderFailureSpike", name) for name in ("bot1", "bot3"))
    found = verdict(said, bots(bot1={}, bot3={}), alerts=alerts, bots=("bot1", "bot3"))
    assert found.top is not None
    assert "(45110, 45115) since" in found.top.headline


def test_what_one_bot_s_line_says_is_not_said_of_another() -> None:
    """Two bots whose code fails, each in its own way."""
    said = lines({"bot1": "KeyError: 'mid'", "bot3": "ZeroDivisionError: division by zero"})
    alerts = tuple(alert("BotLogErrorSpike", name) for name in ("bot1", "bot3"))
    found = verdict(said, bots(bot1={}, bot3={}), alerts=alerts, bots=("bot1", "bot3"))
    assert found.top is not None
    assert found.top.cause == "code_error"
    assert "KeyError" not in found.top.headline
    assert "ZeroDivision" not in found.top.headline

"""Short and still true: clauses go whole, lists are counted, no word is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.blocks.shortening import shorter, some


@pytest.mark.parametrize(
    ("text", "limit", "said"),
    [
        (
            "Each of hbot-redis, hbot-loki, hbot-promtail and 9 more was interrupted and works again.",
            70,
            "Each of hbot-redis and 11 more was interrupted and works again.",
        ),
        (
            "Each of bot1, bot2, bot3 passed the hard limit of the day's loss.",
            70,
            "Each of bot1, bot2, bot3 passed the hard limit of the day's loss.",
        ),
        (
            "Each of bot-a, bot-b, bot-c passed the hard limit of the day's loss.",
            66,
            "Each of bot-a and 2 more passed the hard limit of the day's loss.",
        ),
        (
            "Each of maker-binance-perpetual-eu-west-1, maker-binance-perpetual-eu-west-2 and 4 more takes no orders.",
            50,
            "Each of 6 takes no orders.",
        ),
        ("fee source, error logs, scope, audit trail", 36, "fee source, error logs and 2 more"),
        ("bots not well: bot1 paused, bot2 paused", 34, "bots not well"),
        ("Redis is down: the external signal and risk stack cannot work.", 56, "Redis is down"),
        (
            "hard_stop for 3 min: cancels fail (snapshot 40 s old) · net edge +0.07 %",
            58,
            "hard_stop for 3 min: cancels fail (snapshot 40 s old)",
        ),
        (
            "4 containers, not well: hbot-coordination-service, hbot-redis, hbot-signal-service",
            56,
            "4 containers, not well",
        ),
        (
            "bots not well: bot1 paused, bot2 paused, bot3 paused, bot4 paused",
            48,
            "bots not well: bot1 paused and 3 more",
        ),
        (
            "The host's way out is lost: bot1, bot2, bot3 do not reach the exchange.",
            56,
            "The host's way out is lost",
        ),
        (
            "hbot-bot1 got another /home/hummingbot/conf/controllers/epp_v2_4_bot1_a.yml 90 s before",
            64,
            "hbot-bot1 got another epp_v2_4_bot1_a.yml 90 s before",
        ),
        (
            "created from hummingbot/hummingbot:version-2.4.0 at 15:10",
            50,
            "created from hummingbot:version-2.4.0 at 15:10",
        ),
        ("fallback project:/home/hummingbot/project_config/fees.json", 40, "fallback project:fees.json"),
        ("see https://grafana.example/d/abc/desk now", 41, "see https://grafana.example/d/abc/desk…"),
        (
            "bots not well: bot2 soft_pause · also firing: BotLogErrorSpike",
            50,
            "bots not well: bot2 soft_pause",
        ),
        (
            "bot1, bot2, bot3 do not get out of this host, whose network is shared",
            56,
            "bot1, bot2, bot3 do not get out of this host",
        ),
        (
            "desk-one, desk-two, desk-three do not get out of this host, whose network is shared",
            54,
            "desk-one, desk-two and 1 more do not get out of this…",
        ),
        (
            "Many alerts at once: one common cause (network, host, exchange, Redis) is likelier than many.",
            70,
            "Many alerts at once: one common cause is likelier than many.",
        ),
        (
            "9 rules, missing BotHardStopActive, BotSoftPauseTooLong, BotFrozen and 5 more · Loki: not configured",
            56,
            "9 rules, missing BotHardStopActive and 7 more",
        ),
        (
            "errors in 15 min: bot1 12, bot2 at least 30, bot3 4, bot4 18, bot5 1 and 3 more",
            56,
            "errors in 15 min: bot1 12, bot2 at least 30 and 6 more",
        ),
        (
            "hbot-grafana created from bot:1 at 02:26, 46 min before it began",
            56,
            "hbot-grafana created from bot:1 at 02:26",
        ),
        (
            "The exchange limits bot1's requests (429) since 15:06: they are too many",
            44,
            "The exchange limits bot1's requests",
        ),
        ("maker 0.20 % taker 0.10 %, yesterday maker 0.10 % taker 0.10 %", 56, "maker 0.20 % taker 0.10 %"),
        (
            "CPU 31 %, memory 52 %, disk 97 % (/var/lib/docker), io pressure 80 %, at least 3 OOM kills in 1 h",
            56,
            "CPU 31 %, memory 52 %, disk 97 % and 2 more",
        ),
        ("bid/ask spread and/or depth are small", 60, "bid/ask spread and/or depth are small"),
        ("one sentence without any joint that is far too long", 30, "one sentence without any…"),
        ("short", 30, "short"),
    ],
)
def test_a_text_loses_its_last_clauses(text: str, limit: int, said: str) -> None:
    """Whole clauses, closed brackets, counted names; ``…`` only where there is neither."""
    assert shorter(text, limit) == said


@pytest.mark.parametrize(
    ("texts", "limit", "said"),
    [
        (("a reason", "another one"), 40, "a reason, another one"),
        (("a reason", "another one that is rather long", "third"), 24, "a reason and 2 more"),
        (
            ("Redis does not answer: Error 111 connecting to 127.0.0.1", "second"),
            40,
            "Redis does not answer and 1 more",
        ),
        (
            ("container: up 29 min, 0 restarts, 1 exit, unhealthy", "b", "c"),
            44,
            "container: up 29 min and 3 more (+2)",
        ),
        ((), 40, ""),
    ],
)
def test_reasons_are_told_whole_and_the_rest_is_counted(
    texts: tuple[str, ...], limit: int, said: str
) -> None:
    """A reason that is cut in its middle says something else."""
    assert some(texts, limit) == said


@given(st.text(alphabet=st.sampled_from("ab (),;:·/1"), max_size=200), st.integers(20, 90))
def test_it_always_fits(text: str, limit: int) -> None:
    """Whatever the text is."""
    assert len(shorter(text, limit)) <= limit
    assert len(some([text, text], limit)) <= limit

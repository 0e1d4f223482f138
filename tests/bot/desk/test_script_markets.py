"""Where a standalone script's orders go, as its code says; what it makes of variables is never taken for nothing."""

import time

import pytest

from bot.desk.script_markets import markets_of


@pytest.mark.parametrize(
    ("code", "names", "unread"),
    [
        ('    markets = {"kraken_paper_trade": {"SOL-USD"}}\n', ("kraken_paper_trade",), False),
        ("    markets: dict[str, set[str]] = {\n        'okx': {'A-B', 'C-D'},\n    }\n", ("okx",), False),
        ('markets = {\n  "okx_paper_trade": {"A-B"},  # not "okx"\n  # "okx": {"A-B"},\n}\n', ("okx_paper_trade",), False),
        ('markets = {"okx_paper_trade": {"A-B"}, VENUE: {"A-B"}}\n', ("okx_paper_trade",), True),
        ('markets = {**BASE, "okx_paper_trade": ["A-B", "C-D"]}\n', ("okx_paper_trade",), True),
        ('markets = {"okx_paper_trade": {"A-B"}}\n  cls.markets = {cls.venue: {cls.pair}}\n', ("okx_paper_trade",), True),
        ('markets = {"okx_paper_trade": {"A-B"}}\n  cls.markets = {"okx": {}}\n', ("okx_paper_trade", "okx"), False),
        ("markets = made(VENUE)\n", (), True),
        ("    # markets = {'okx': {'A-B'}}\nif markets == {}:\n    pass\n", (), False),
        ("markets = {}\n", (), False),
    ],
)  # fmt: skip
def test_the_exchanges_of_a_script(code: str, names: tuple[str, ...], unread: bool) -> None:  # noqa: FBT001 - a row
    """Written out, commented out, of a variable, given later."""
    found = markets_of(code)
    assert (found.names, found.unread) == (names, unread)


@pytest.mark.parametrize("piece", ["markets = {", "markets = {" + "a" * 50, "#", " #", "(", "{}", "markets"])
def test_a_long_script_is_read_in_time(piece: str) -> None:
    """A script is a megabyte at the most; the time grows with its length."""
    code = piece * (200_000 // len(piece))
    began = time.process_time()
    markets_of("markets = {" + code)
    markets_of(f"{piece}\n" * (200_000 // len(piece)))
    assert time.process_time() - began < 4

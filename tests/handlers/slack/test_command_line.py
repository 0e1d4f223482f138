"""What people type, from a phone too."""

import pytest

from handlers.slack.command_line import CommandLine, read_line


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("kpi bot1 24h", CommandLine("kpi", ("bot1", "24h"))),
        ("kpi\u00a0bot1\u202f24h", CommandLine("kpi", ("bot1", "24h"))),
        ("\u200bshow\u200b INC\u20111\ufeff", CommandLine("show", ("INC-1",))),
        ("oncall \u201c@ana\u201d 2h", CommandLine("oncall", ("@ana", "2h"))),
        ("oncall \u2018@ana smith\u2019 2h", CommandLine("oncall", ("@ana smith", "2h"))),
        ("resolve INC\u20131 it\u2019s over", CommandLine("resolve", ("INC-1", "it's", "over"))),
        ("Status\u3000share", CommandLine("status", (), share=True)),
        ("\u200b\u00a0", CommandLine("help")),
        ("", CommandLine("help")),
        ("do clear_cache bot1", CommandLine("do", ("clear_cache", "bot1"))),
    ],
)
def test_a_phones_quotes_spaces_and_dashes_are_understood(typed: str, read: CommandLine) -> None:
    """Curly quotes, no-break spaces, zero width, long dashes."""
    assert read_line(typed) == read

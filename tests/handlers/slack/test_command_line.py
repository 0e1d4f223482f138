"""What people type, from a phone too."""

import pytest

from handlers.slack.command_line import CommandLine, incident_id, read_line
from handlers.slack.commands.do import _parted


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
        ("Status.", CommandLine("status")),
        ("ack INC 42", CommandLine("ack", ("INC-42",))),
        ("Ack Inc. 42", CommandLine("ack", ("INC-42",))),
        ("status bot1 Share.", CommandLine("status", ("bot1",), share=True)),
        ("?", CommandLine("help")),
        ("do clear_cache bot1", CommandLine("do", ("clear_cache", "bot1"))),
    ],
)
def test_a_phones_quotes_spaces_and_dashes_are_understood(typed: str, read: CommandLine) -> None:
    """Curly quotes, no-break spaces, zero width, long dashes."""
    assert read_line(typed) == read


@pytest.mark.parametrize("typed", ["42", "INC-42", "inc42", "Inc-42.", "#42", "INC-42,"])
def test_an_incidents_number_as_people_write_it(typed: str) -> None:
    """With a full stop that the phone put behind it, too."""
    assert incident_id(typed) == 42


@pytest.mark.parametrize(
    ("typed", "kind", "rest"),
    [
        (("Clear", "cache", "bot1"), "clear_cache", ("bot1",)),
        (("clear-cache", "bot1"), "clear_cache", ("bot1",)),
        (("exit", "degraded", "mode"), "exit_degraded_mode", ()),
        (("restart", "bot1"), "restart", ("bot1",)),
        (("nonsense", "bot1"), "nonsense", ("bot1",)),
    ],
)
def test_an_action_as_its_button_says_it(typed: tuple[str, ...], kind: str, rest: tuple[str, ...]) -> None:
    """Words with a space or a hyphen are the action's name."""
    assert _parted(typed) == (kind, rest)

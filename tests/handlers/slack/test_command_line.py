"""What people type, from a phone too."""

import pytest

from handlers.slack.command import Call
from handlers.slack.command_line import CommandLine, incident_id, read_line, which_incident
from handlers.slack.commands.do import _parted, _target_words
from handlers.slack.time_span import take_span
from triage.errors import Refused
from triage.wording import together


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
        ("\uff41\uff43\uff4b\u3000\uff29\uff2e\uff23\uff0d\uff14\uff12", CommandLine("ack", ("INC-42",))),
        ("show \u0664\u0662", CommandLine("show", ("42",))),
        ("kpi bot1, \uff12\uff14\uff48.", CommandLine("kpi", ("bot1", "24h"))),
        ("ack \u2705 INC-7 \U0001f44d\U0001f3fd", CommandLine("ack", ("INC-7",))),
        (":eyes: status :+1::skin-tone-3:", CommandLine("status")),
        ("`status` *bot1*", CommandLine("status", ("bot1",))),
        ("ack INC \u2013 7", CommandLine("ack", ("INC-7",))),
        ("ack incident #7", CommandLine("ack", ("INC-7",))),
        ("ack 7\ufe0f\u20e3", CommandLine("ack", ("7",))),
        ("status <http://eth.b|eth.b>", CommandLine("status", ("eth.b",))),
        ("show <https://wiki.desk/INC-42|INC-42>", CommandLine("show", ("INC-42",))),
        ("oncall <@U0BEN00001|ben smith> \u2014 8h", CommandLine("oncall", ("<@U0BEN00001>", "8h"))),
        ("oncall \u2014clear", CommandLine("oncall", ("clear",))),
        ("kpi bot1 \u201424h", CommandLine("kpi", ("bot1", "24h"))),
        ("kpi bot1 --7d", CommandLine("kpi", ("bot1", "7d"))),
        ("oncall <@U0BEN00001> \u22123", CommandLine("oncall", ("<@U0BEN00001>", "-3"))),
        ("status bot1 &amp; bot2", CommandLine("status", ("bot1", "bot2"))),
        ("triage status", CommandLine("status")),
        ("oncall <@U0BEN00001> 8h", CommandLine("oncall", ("<@U0BEN00001>", "8h"))),
    ],
)
def test_a_phones_quotes_spaces_and_dashes_are_understood(typed: str, read: CommandLine) -> None:
    """Curly quotes, no-break spaces, zero width, long dashes."""
    assert read_line(typed) == read


@pytest.mark.parametrize(
    "typed",
    [
        "42",
        "INC-42",
        "inc42",
        "Inc-42.",
        "#42",
        "INC-42,",
        "#INC-42",
        "INC#42",
        "INC_42",
        "incident-42",
        "(INC-42)",
        "\uff14\uff12",
        "INC\u201342",
    ],
)
def test_an_incidents_number_as_people_write_it(typed: str) -> None:
    """With a full stop that the phone put behind it, too."""
    assert incident_id(typed) == 42


@pytest.mark.parametrize("typed", ["", "bot1", "1.5", "INC-", "4 2", "42h", "INC-1-2", "9" * 12])
def test_what_is_no_incidents_number(typed: str) -> None:
    """It is not guessed."""
    assert incident_id(typed) is None


@pytest.mark.parametrize(
    ("typed", "span", "left"),
    [
        ("bot1 24h", "24h", ("bot1",)),
        ("last 2 hours", "2h", ()),
        ("bot1 for the past 3 days", "3d", ("bot1",)),
        ("a week bot1", "7d", ("bot1",)),
        ("last week", "7d", ()),
        ("48 HRS", "48h", ()),
        ("2 wk", "14d", ()),
        ("bot1", None, ("bot1",)),
        ("d h", None, ("d", "h")),
        ("since yesterday 18:00", None, ("since", "yesterday", "18:00")),
        ("90 min", None, ("90", "min")),
        ("bot1 in the last 2 hours", "2h", ("bot1",)),
        ("in 2 hours", "2h", ("in",)),
    ],
)
def test_a_span_of_time_as_people_write_it(typed: str, span: str | None, left: tuple[str, ...]) -> None:
    """The number may stand apart, the unit be a word; what is no span is left."""
    found, rest = take_span(typed.split())
    assert (str(found) if found else None, rest) == (span, left)


@pytest.mark.parametrize("typed", ["24h 7d", "0 days", "last 0h"])
def test_two_spans_or_none_at_all_are_refused(typed: str) -> None:
    """Neither is chosen silently."""
    with pytest.raises(Refused):
        take_span(typed.split())


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("bot 1", ("bot1",)),
        ("BOT1 24h", ("bot1", "24h")),
        ("Bot-1 24h", ("Bot-1", "24h")),
        ("eth perp 2", ("eth_perp-2",)),
        ("bot 9", ("bot", "9")),
        ("a-b", ("a-b",)),
        ("a.b", ("a.b",)),
        ("ab", ("ab",)),
        ("bot1,2", ("bot1,2",)),
        ("bot 1/2", ("bot", "1/2")),
        ("bot1-2", ("bot1-2",)),
        ("bot 1 2", ("bot1", "2")),
        ("perp 1 2", ("perp", "1", "2")),
        ("bot 12", ("bot12",)),
        ("fx_2 3", ("fx-2-3",)),
    ],
)
def test_a_bots_name_in_several_words(typed: str, read: tuple[str, ...]) -> None:
    """Digits are never guessed, two numbers are never made one, and what could be two bots stays as it is."""
    known = ("bot1", "bot12", "perp12", "fx-2-3", "eth_perp-2", "a-b", "a_b")
    assert together(typed.split(), known) == read


def test_a_second_incident_is_not_left_out_silently() -> None:
    """One at a time, and the words say so."""
    call = Call(user="U0ANA00001", user_name="ana", channel="C1")
    assert which_incident("ack", call, ("INC-1",)) == 1
    with pytest.raises(Refused, match=r"'2' is too much here: one at a time, /triage ack INC-1"):
        which_incident("ack", call, ("INC-1", "2"))


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


def test_the_words_between_an_action_and_its_target_are_none_of_the_target() -> None:
    """As in a sentence; a bot may be called so all the same."""
    assert _target_words(("on", "the", "Bot", "1"), ("bot1", "bot2")) == ("bot1",)
    assert _target_words(("to", "on"), ("on",)) == ("on",)

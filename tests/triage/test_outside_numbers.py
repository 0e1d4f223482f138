"""What another program wrote is a number only where it is written as one."""

import math

import pytest

from triage.outside_numbers import is_whole, real, reals, whole

WIDE_ONE, ARABIC_THREE = "\uff11", "\u0663"
NO_NUMBERS = [
    "",
    " 1",
    "1 ",
    "1\n",
    "1_000",
    WIDE_ONE,
    ARABIC_THREE,
    "infinity",
    "Infinity",
    "1e",
    "e1",
    ".",
    "0x10",
    "--1",
    "1,5",
    "None",
]
"""Python's own ``float`` takes seven of them."""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1e-07", -1e-07),
        ("0E-10", 0.0),
        ("+3.25", 3.25),
        ("+Inf", math.inf),
        ("-Inf", -math.inf),
        ("inf", math.inf),
        ("1e400", math.inf),
        (7, 7.0),
        (0.5, 0.5),
    ],
)
def test_a_number_is_read(text: object, number: float) -> None:
    """As Prometheus, Loki, JSON and a CSV file write it."""
    assert real(text) == number
    assert reals([text, "1"]) == [number, 1.0]


@pytest.mark.parametrize("text", ["NaN", "nan"])
def test_what_is_said_to_be_no_number_is_one_to_python(text: str) -> None:
    """Prometheus writes a division by zero so."""
    assert math.isnan(real(text))
    assert math.isnan(reals(["1", text])[1])


@pytest.mark.parametrize("text", [*NO_NUMBERS, None, True, [], {}])
def test_what_is_no_number_is_refused(text: object) -> None:
    """Also among many that are some."""
    with pytest.raises(ValueError, match="no number"):
        real(text)
    with pytest.raises(ValueError, match=r"no number|could not convert"):
        reals(["1", text, "2.5"])


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1.0", "inf", "nan", 1.5, None, False])
def test_what_is_no_whole_number_is_refused(text: object) -> None:
    """Neither as a value nor as a text of digits."""
    with pytest.raises(ValueError, match="no whole number"):
        whole(text)
    assert not (isinstance(text, str) and is_whole(text))


def test_a_whole_number_is_read() -> None:
    """Digits, with a sign or without, and what is a number already."""
    assert [whole(one) for one in ("0", "-17", "+4", "007", 12)] == [0, -17, 4, 7, 12]
    assert is_whole("1700000000000")
    assert not is_whole("9" * 5000), "Python refuses to read so many digits"

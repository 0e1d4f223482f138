from __future__ import annotations

import json
import subprocess
import sys
from array import array
from dataclasses import replace
from datetime import UTC, datetime
from math import isclose, nan
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.charts.alt import MOST, alt_text
from bot.charts.canvas import fitted, printable, width_of
from bot.charts.day import render
from bot.charts.frame import LEFT, PLOT, WIDTH
from bot.charts.scales import number, ticks, time_ticks
from bot.charts.theme import DARK, LIGHT, THEMES, Theme
from bot.sources.minute_csv.child_protocol import framed
from tests.triage.kpis.grids import filled, grid_of, put, report_of
from triage.kpis.fills import FillTally
from triage.kpis.grid import VALUES
from triage.kpis.limits import KpiLimits
from triage.kpis.model import ActionNote, IncidentNote, as_json
from triage.kpis.picture import BotPicture, packed_picture, unpacked_picture
from triage.kpis.thinning import BUCKETS, bot_picture

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from pathlib import Path

    from triage.kpis.grid import MinuteGrid


def picture_of(grid: MinuteGrid, *, marks: int = 0) -> BotPicture:
    """Return the picture of a grid, with so many incidents and one action a quarter of an hour apart."""
    fills = FillTally(grid.at(0), readable=True)
    for second in (60.0, 61.0, 600.0):
        fills.add(grid.at(0) + second, {"side": "buy" if second < 99 else "sell"})
    report = report_of(grid, KpiLimits(), fills)
    start = report.coverage.first_row or _time(grid, 0)
    incidents = [IncidentNote(f"INC-{n}", "x", start.replace(minute=n % 60)) for n in range(marks)]
    actions = [ActionNote("clear_cache", start.replace(minute=30))] if marks else []
    return bot_picture(
        report=report, grid=grid, fills=fills, limits=KpiLimits(), incidents=incidents, actions=actions
    )


def _time(grid: MinuteGrid, minute: int) -> datetime:
    return datetime.fromtimestamp(grid.at(minute), UTC)


def near(pixel: tuple[int, ...], colour: str) -> bool:
    """Return whether a pixel has about a colour."""
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return all(abs(a - b) < 12 for a, b in zip(pixel, wanted, strict=True))


def colours_in(image: Image.Image, colour: str) -> int:
    """Return how many pixels have about a colour."""
    found = image.getcolors(image.width * image.height) or []
    return sum(count for count, pixel in found if isinstance(pixel, tuple) and near(pixel, colour))


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_a_picture_shows_states_limits_incidents_and_actions(theme: Theme) -> None:
    """Each has its colour somewhere on the sheet, in light and in dark."""
    grid = filled(
        60, ["running"] * 30 + ["soft_pause"] * 10 + ["-"] * 5 + ["hard_stop"] * 15, drawdown_pct=0.03
    )
    image = render(picture_of(grid, marks=1), theme)
    assert image.width == WIDTH
    for state in ("running", "soft_pause", "hard_stop"):
        assert colours_in(image, theme.states[state].colour) > 1000, state
    assert colours_in(image, theme.incident) > 500
    assert colours_in(image, theme.over) > 500
    assert colours_in(image, theme.line) > 500


def test_the_base_share_is_drawn_against_its_target_and_band() -> None:
    """Both lines, and words for who does not see them; a share outside its band is said to be."""
    grid = filled(60, ["running"] * 60, base_pct=0.4, target_base_pct=0.5)
    picture = picture_of(grid)
    assert colours_in(render(picture, LIGHT), LIGHT.incident) > 300, "the target's line"
    assert "Base share 40 to 40 %, target 50 to 50 %, within its band of 15 to 90 %." in alt_text(picture)
    out = picture_of(filled(60, ["running"] * 60, base_pct=0.95, target_base_pct=0.5))
    assert "out of its band" in alt_text(out)


def test_states_are_told_apart_without_colour() -> None:
    """Each has a hatch of its own, or none, in both themes."""
    for theme in (LIGHT, DARK):
        hatches = [theme.states[name].hatch for name in ("running", "soft_pause", "hard_stop", "missing")]
        assert len(set(hatches)) == 4


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_text_stands_out_from_its_sheet(theme: Theme) -> None:
    """At least 4.5 to 1 for everything that is read (WCAG AA)."""
    for ink in (theme.ink, theme.muted, theme.over, theme.incident, theme.line):
        assert _contrast(ink, theme.sheet) >= 4.5, ink


def _contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lights = sorted((light(one), light(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def test_a_window_without_measures_is_drawn_as_that() -> None:
    """One row with nothing but a state still gives a picture, which says what is not measured."""
    grid = grid_of(60)
    names = (
        *("equity_quote", "net_edge_pct", "turnover_today_x", "cancel_per_min", "drawdown_pct"),
        *("base_pct", "target_base_pct"),
    )
    put(grid, 7, **dict.fromkeys(names, float("nan")))  # type: ignore[arg-type]
    picture = picture_of(grid)
    assert render(picture, LIGHT).width == WIDTH
    assert (
        "Equity not measured. Drawdown not measured. Net edge not measured. Base share not measured."
        in alt_text(picture)
    )


def test_more_incidents_than_fit_are_counted_and_stay_on_the_sheet() -> None:
    """Labels go into rows; what finds no place is a number."""
    crowded, alone = (render(picture_of(filled(60), marks=marks), LIGHT) for marks in (60, 1))
    assert crowded.height > alone.height
    assert crowded.height < alone.height + 200


def test_no_peak_is_lost_by_thinning() -> None:
    """A month's one bad minute is in the picture's data."""
    grid = filled(30 * 24 * 60)
    put(grid, 12345, second=9, cancel_per_min=333.0, drawdown_pct=0.09)
    picture = picture_of(grid)
    assert len(picture.cancels[1]) <= BUCKETS
    assert max(value for value in picture.cancels[1] if value is not None) == 333.0
    assert max(value for value in picture.drawdown[1] if value is not None) == 9.0


def test_one_minute_of_hard_stop_is_not_thinned_away() -> None:
    """The worst state of a bucket names it."""
    grid = filled(30 * 24 * 60)
    put(grid, 777, "hard_stop", second=9)
    assert [name for _, _, name in picture_of(grid).states] == ["running", "hard_stop", "running"]


def test_equity_is_drawn_as_if_the_account_had_never_changed() -> None:
    """A new account of ten times the size is no profit."""
    grid = grid_of(10)
    for minute in range(10):
        put(grid, minute, equity_quote=100.0 + minute if minute < 5 else 1000.0 + minute)
    picture = picture_of(grid)
    known = [value for value in picture.equity[1] if value is not None]
    assert picture.rebased
    assert (known[0], known[-1]) == (1001.0, 1009.0)


def test_the_words_say_what_the_picture_shows() -> None:
    """States with their shares, limits kept and broken, the verdict; never longer than a reader bears."""
    grid = filled(100, ["running"] * 90 + ["hard_stop"] * 10, cancel_per_min=70.0)
    text = alt_text(picture_of(grid, marks=1))
    assert "State: running 90 %, hard stop 10 %." in text
    assert "Cancels a minute at most 70, over the limit of 50." in text
    assert "Turnover of the day at most 0.4x, within the limit of 3x." in text
    assert "INC-0, clear_cache" in text
    assert "Verdict: hold." in text
    long = replace(picture_of(grid), facts=("x" * 2000,))
    assert len(alt_text(long)) == MOST


def test_untrusted_text_cannot_break_a_picture() -> None:
    """What the font does not have is a question mark, what is too long is cut."""
    assert printable("bot\u202e\0é·") == "bot???·"
    assert width_of(fitted("x" * 500, 30, 200), 30) <= 200
    title = "INC-1 · hbot-bot-metrics-exporter gives no metrics"
    assert fitted(title, 30, width_of(title, 30) - 40) == "INC-1 · hbot-bot-metrics-exporter gives no.."
    picture = replace(picture_of(filled(10), marks=1), bot="b" * 300 + "\n🔥")
    assert render(picture, DARK).width == WIDTH


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e9), st.integers(1, 6))
def test_ticks_are_round_few_and_inside(low: float, span: float, wanted: int) -> None:
    """Never more than a few, always within the range."""
    found = ticks(low, low + span, wanted)
    assert len(found) <= 2 * wanted + 2
    assert all(low - span * 0.01 <= tick <= low + span * 1.01 for tick in found)


def test_numbers_have_the_decimals_their_span_asks_for() -> None:
    """Thousands in groups, no trailing zeros."""
    assert [number(10250.4, 800.0), number(0.05, 0.2), number(3.0, 3.0)] == ["10,250", "0.05", "3"]


def test_time_is_marked_in_hours_or_days() -> None:
    """As the window's length asks for."""
    day, month = time_ticks(0, 86400, 6), time_ticks(0, 30 * 86400, 6)
    assert [label for _, label in day] == ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00", "00:00"]
    assert [label for _, label in month][:2] == ["Jan 01", "Jan 06"]


def test_time_runs_along_the_whole_plot() -> None:
    """A state's border lies where its minute is."""
    image = render(picture_of(filled(100, ["running"] * 50 + ["hard_stop"] * 50)), LIGHT)
    row = next(
        y for y in range(image.height) if near(_pixel(image, LEFT + 5, y), LIGHT.states["running"].colour)
    )
    blue = [
        x
        for x in range(LEFT, LEFT + PLOT)
        if near(_pixel(image, x, row + 20), LIGHT.states["running"].colour)
    ]
    assert isclose(blue[-1] - LEFT, PLOT / 2, abs_tol=3)


def _pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel


def test_the_drawing_process_answers_each_job_and_survives_a_bad_one(tmp_path: Path) -> None:
    """A picture of another version is told as an error; the next one is drawn."""
    picture = packed_picture(picture_of(filled(30)))
    jobs = [
        {"theme": "light", "path": str(tmp_path / "bad.png"), "picture": picture | {"unknown": 1}},
        {"theme": "dark", "path": str(tmp_path / "good.png"), "picture": picture},
    ]
    done = subprocess.run(
        [sys.executable, "-m", "bot.charts"],
        input=b"".join(framed(json.dumps(job).encode()) for job in jobs),
        capture_output=True,
        timeout=60,
        check=True,
    )
    bad, good = (json.loads(line) for line in done.stdout.splitlines())
    assert "unknown" in bad["error"]
    assert good["path"] == str(tmp_path / "good.png")
    assert [path.name for path in tmp_path.iterdir()] == ["good.png"]


def test_a_picture_survives_its_way_as_json() -> None:
    """What the measuring process writes is what the drawing process draws."""
    grid = filled(30)
    grid.put([grid.at(3) + 1], [("odd", "", "", None, None)], [array("d", [nan])] * len(VALUES))
    put(grid, 29, equity_quote=1234.5678901234567)
    picture = picture_of(grid, marks=1)
    again = unpacked_picture(json.loads(json.dumps(packed_picture(picture))))
    assert None in again.equity[0]
    assert 1234.5678901234567 in again.equity[1]
    assert as_json(again) == as_json(picture)
    assert (again.equity, again.marks) == (picture.equity, picture.marks)

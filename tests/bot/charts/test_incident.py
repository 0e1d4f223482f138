"""The chart of an incident as it is drawn, by the process that draws it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.charts.frame import WIDTH
from bot.charts.incident import incident_alt, render_incident
from bot.charts.process import ChartProcess
from bot.charts.theme import LIGHT, THEMES, Theme
from tests.bot.charts.test_pictures import colours_in
from triage.errors import SourceError
from triage.kpis.picture import PictureMark
from triage.ports.charts import IncidentChart, Track

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

START = 1_771_600_000.0


def chart(tracks: Sequence[Track] = (), *, missing: tuple[str, ...] = ()) -> IncidentChart:
    """Return a chart of an hour with the usual marks."""
    marks = (
        PictureMark(START + 900, "incident", "INC-42"),
        PictureMark(START + 960, "action", "ack @ana"),
        PictureMark(START + 1800, "action", "Clear cache"),
        PictureMark(START + 2600, "incident", "resolved"),
    )
    return IncidentChart(
        number="INC-42",
        title="bot1 hard_stop",
        start=START,
        end=START + 3600,
        step=15,
        tracks=tuple(tracks),
        marks=marks,
        missing=missing,
    )


def bot(name: str) -> Track:
    """Return a bot that ran, stood and runs again, with a hole of ten minutes."""
    states = ((START, START + 1200, "running"), (START + 1800, START + 3600, "hard_stop"))
    edge = tuple((START + 15.0 * n, 0.02 - 0.0002 * n) for n in range(240) if not 80 <= n < 120)
    return Track(name, states, edge, tuple((at, 3.0) for at, _ in edge))


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES.keys())
def test_states_marks_and_what_is_not_known_are_seen(theme: Theme) -> None:
    """Each state in its fill, the hole as not known, a note in the colour of a warning."""
    image = render_incident(chart([bot("bot1")], missing=("Prometheus: does not answer",)), theme)
    assert image.width == WIDTH
    for colour in (
        theme.states["running"].colour,
        theme.states["hard_stop"].colour,
        theme.incident,
        theme.over,
    ):
        assert colours_in(image, colour) > 50, colour


def test_three_bots_are_as_high_as_three_bots_need() -> None:
    """No panel hides another."""
    heights = [
        render_incident(chart([bot(f"bot{n}") for n in range(many)]), LIGHT).height for many in (1, 2, 3)
    ]
    assert heights[1] - heights[0] == heights[2] - heights[1] > 250


def test_a_bot_of_which_nothing_is_known_is_drawn_as_that() -> None:
    """It keeps its place, and its words."""
    assert "bot9: state not known; net edge not known; errors not known." in incident_alt(
        chart([Track("bot9")])
    )
    assert render_incident(chart([Track("bot9")]), LIGHT).height > 300
    quiet = incident_alt(chart([Track("bot9", errors=((START, 0.0),))]))
    assert "no error lines." in quiet


def test_the_alt_text_tells_what_is_seen() -> None:
    """For a screen reader, and in the postmortem."""
    said = incident_alt(chart([bot("bot1")], missing=("37 more bots of it",)))
    assert "bot1: running from 15:06, hard stop from 15:36" in said
    assert "15:22 ack @ana" in said
    assert "Not drawn: 37 more bots of it." in said


async def test_a_process_of_its_own_draws_it() -> None:
    """What it answers is a PNG and its words."""
    drawn = await ChartProcess().draw(chart([bot("bot1")]))
    assert Image.open(io.BytesIO(drawn.png)).size[0] == WIDTH
    assert drawn.alt == incident_alt(chart([bot("bot1")]))


async def test_what_takes_too_long_is_given_up_and_said() -> None:
    """The service does not wait for a picture."""
    with pytest.raises(SourceError, match=r"not drawn within 0\.01 s"):
        await ChartProcess(seconds=0.01).draw(chart([bot("bot1")]))


async def test_what_cannot_be_drawn_is_said() -> None:
    """A window without any length."""
    broken = IncidentChart(number="INC-1", title="x", start=START, end=START, step=15, tracks=(bot("bot1"),))
    with pytest.raises(SourceError, match="could not be drawn: ZeroDivisionError"):
        await ChartProcess().draw(broken)


async def test_a_temporary_folder_that_cannot_be_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk is full, or read-only."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not there"))
    with pytest.raises(SourceError, match=r"could not be drawn: .*No such file"):
        await ChartProcess().draw(chart([bot("bot1")]))

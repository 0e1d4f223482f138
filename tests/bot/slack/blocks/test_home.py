"""The Home tab shows each open incident as its card does: what to do first, and no way out before it is one."""

from dataclasses import replace
from typing import Any

import pytest

from bot.slack.blocks.home import home_view
from demo.slack.blockkit import walk
from demo.slack.blockkit.surfaces import check_view
from tests.bot.slack.blocks.samples import NOW, RUN, view
from tests.bot.slack.blocks.test_blocks import EXIT, ON
from triage.reports.answers.home import Home
from triage.reports.incident_view import IncidentView, Waiting


def shown(*views: IncidentView) -> dict[str, Any]:
    """Draw the tab with these incidents, and check that Slack takes it."""
    made: dict[str, Any] = home_view(Home("hbot", NOW, "", views))
    check_view(made, "home")
    return made


def buttons(made: dict[str, Any]) -> list[str]:
    """Return the names of its buttons, in their order; the tab's own comes last."""
    found = [one["text"]["text"] for _, _, one in walk(made["blocks"]) if one.get("type") == "button"]
    return found[:-1]


def test_the_remedy_is_named_and_its_button_is_the_first() -> None:
    """As on the card: what to do, and then what else can be done."""
    made = shown(view())
    assert "Rollback on bot1…" in str(made)
    assert buttons(made)[:5] == ["Rollback on bot1…", "Acknowledge", "Silence…", "Triage again", "Resolve"]


@pytest.mark.parametrize("well", [False, True])
def test_the_way_out_of_degraded_mode_is_offered_once_redis_is_well(*, well: bool) -> None:
    """While Redis is off, leaving degraded mode would break what works."""
    made = shown(view(run=replace(RUN), offers=(EXIT,), degraded=ON, redis_well=well))
    assert ("Exit degraded mode…" in buttons(made)) is well
    assert buttons(made)[0] == ("Exit degraded mode…" if well else "Acknowledge")


def test_what_waits_for_a_second_person_comes_first() -> None:
    """Nobody looks for it in a thread."""
    one = Waiting(kind="rollback", target="bot1", handle="h-second", by="U0ANA00001", at=NOW, until=NOW)
    made = shown(view(waiting=(one,)))
    assert buttons(made)[:2] == ["Confirm as second…", "Reject"]
    assert "Rollback on bot1 waits for a second person" in str(made)
    assert "Confirm as second… or Reject" in str(made)

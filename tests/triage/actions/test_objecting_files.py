"""What objects to an action before it begins: files that compose does not take, another image, bots that run."""

from dataclasses import dataclass, replace

import pytest

from tests.fakes.sources import container
from tests.triage.actions.test_project import Host, context, made
from triage.actions.kinds.start_desk import ACTION as START
from triage.actions.project import images_here, made_of_the_pinned_image
from triage.errors import ComposeRefused, DeskFailure
from triage.plans.record import DESK, Holds
from triage.ports.actions import ServiceImage


@dataclass
class Refuses(Host):
    """Compose that does not take the files, or takes too long."""

    error: DeskFailure | None = None

    async def images(self, *, external: bool) -> dict[str, ServiceImage]:
        """Refuse."""
        del external
        assert self.error is not None
        raise self.error


@pytest.mark.parametrize(
    ("error", "holds"),
    [(ComposeRefused("no such file: ../env/.env"), Holds.NO), (DeskFailure("too slow"), Holds.WARNING)],
)
async def test_files_that_compose_does_not_take_stop_an_action_before_its_first_step(
    error: DeskFailure, holds: Holds
) -> None:
    """The bytecode or a switch would be changed before compose fails; a compose that is slow is only a warning."""
    ctx = context(made(), host=Refuses(error=error))
    for found in (await images_here(ctx), await made_of_the_pinned_image(ctx)):
        assert (found.holds, str(error) in found.text) == (holds, True)
    assert (await images_here(ctx, missing=Holds.WARNING)).holds is Holds.WARNING


@pytest.mark.parametrize(
    ("image", "holds"), [("hbot/bot:v2", Holds.YES), ("ours/bot:7", Holds.NO), ("", Holds.YES)]
)
async def test_an_image_is_rolled_back_only_where_the_service_is_made_from_it(
    image: str, holds: Holds
) -> None:
    """A service of another variable would be made anew from the very same image, and that was called a success."""
    found = await made_of_the_pinned_image(
        context(made(), host=Host(wanted={"bot1": image} if image else {"redis": "redis:7"}))
    )
    assert found.holds is holds
    assert ("compose makes bot1 from ours/bot:7" in found.text) is (holds is Holds.NO)


@pytest.mark.parametrize(
    ("runs", "degraded", "holds"),
    [(True, True, Holds.NO), (False, True, Holds.YES), (True, False, Holds.YES)],
)
async def test_a_desk_that_was_stopped_in_degraded_mode_can_be_started(
    *, runs: bool, degraded: bool, holds: Holds
) -> None:
    """Leaving it waits for market data, which flows from bots that nothing would start."""
    bot = made() if runs else container("hbot-bot1", status="exited")
    ctx = replace(context(bot, target=DESK), degraded=degraded)
    first = (await START.preconditions(ctx))[0]
    assert (first.holds, "degraded mode is on" in first.text) == (holds, degraded)

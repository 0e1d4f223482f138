"""What objects to an action before it begins: files that compose does not take, another image, bots that run."""

from dataclasses import dataclass, replace

import pytest

from tests.fakes.sources import container
from tests.triage.actions.test_project import Host, context, made
from triage.actions.kinds import degraded_mode
from triage.actions.kinds.rollback import ACTION as ROLLBACK
from triage.actions.kinds.start_desk import ACTION as START
from triage.actions.project import images_here, made_of_the_pinned_image
from triage.errors import ComposeRefused, DeskFailure
from triage.plans.plan import DESK, Holds
from triage.ports.actions import ServiceImage
from triage.ports.sources import PROJECT_LABEL


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


@dataclass
class Without(Host):
    """Compose that is asked for what is on without the external profile."""

    async def hashes(self, *, external: bool) -> dict[str, str]:
        """Answer."""
        assert not external
        return self.written


@pytest.mark.parametrize(("still_on", "holds"), [("redis", Holds.NO), ("grafana", Holds.YES)])
async def test_degraded_mode_is_not_entered_where_compose_would_start_redis_again(
    still_on: str, holds: Holds
) -> None:
    """Redis has no profile, or a second one that is on too: it would be stopped and started again."""
    host = Without(written={"bot1": "1", still_on: "1"})
    found = await degraded_mode.stays_down(context(made(), target=DESK, host=host))
    assert found.holds is holds
    assert ("compose would start redis again" in found.text) is (holds is Holds.NO)


class NeverSwapped:
    """No exchange of folders is on disk."""

    async def swapped(self, bot: str, token: str) -> None:
        """Answer."""
        del bot, token


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [({"image": "hbot/bot:v1"}, [False]), ({"image": "bot:1"}, [True]), ({"snapshot": "a"}, [])],
)
async def test_a_rollback_of_the_image_is_verified_by_what_the_container_was_made_from(
    arguments: dict[str, str], rows: list[bool]
) -> None:
    """And not by what .env says: two variables may have had the same value."""
    ctx = context(made())
    ctx = replace(ctx, arguments=arguments, access=replace(ctx.access, snapshots=NeverSwapped()))  # type: ignore[arg-type] # what is asked
    assert [row.good for row in await ROLLBACK.rows(ctx, {}) if row.name == "Image"] == rows


@pytest.mark.parametrize(("project", "holds"), [("hbot", Holds.NO), ("other", Holds.YES)])
async def test_a_desk_with_a_paused_container_is_not_started(project: str, holds: Holds) -> None:
    """Compose would end at it, with what comes after it still down."""
    paused = replace(made("grafana", **{PROJECT_LABEL: project}), status="paused")
    found = await START.preconditions(context(paused, target=DESK))
    assert [one.holds for one in found if "paused" in one.text] == [holds]

"""App Home: shown when it is opened, kept fresh for who opened it lately, and for nobody else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from bot.slack.blocks.home import home_view
from bot.slack.client import open_client
from bot.store import SqlStore
from demo.slack import Fault, SlackServer
from demo.slack.blockkit.surfaces import check_view
from handlers.slack.home import READERS, HomeTab
from handlers.slack.services import InFlight
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeSources
from triage.actions.degraded import banner
from triage.desk import Desk
from triage.incidents.intake import Intake
from triage.model import Json, Severity, Signal, SignalStatus, Source, Subject, SubjectKind
from triage.ports.store import Tx
from triage.reports.answers.context import AnswerContext
from triage.reports.answers.home import Home, stored_home
from triage.reports.checklists.model import ChecklistContext
from triage.reports.incident_view import view_incident

pytestmark = pytest.mark.slow


async def no_checklist() -> ChecklistContext:
    """Home asks no checklist."""
    raise NotImplementedError


@dataclass
class Place:
    """A tab over a real store and our Slack."""

    tab: HomeTab
    slack: SlackServer
    store: SqlStore
    clock: ManualClock
    answer_context: AnswerContext
    drawn: list[Home] = field(default_factory=list)

    async def open(self, user: str) -> None:
        """Open the tab as somebody."""
        await self.tab.opened({"tab": "home", "user": self.slack.workspace.user(user).id})

    def shown(self, user: str) -> str:
        """Return what somebody sees."""
        home = self.slack.member(user).home
        return str(home.body) if home is not None else ""

    async def fire(self, bot: str) -> None:
        """Let an alert fire."""
        now = self.clock.now()
        signal = Signal(
            source=Source.ALERTMANAGER, episode=f"{bot}/{now}", status=SignalStatus.FIRING, name="BotHardStopActive",
            subject=Subject(SubjectKind.BOT, bot), severity=Severity.SEV1, starts_at=now, received_at=now,
        )  # fmt: skip

        def keep(tx: Tx) -> None:
            tx.signals.add([signal])
            Intake(Desk(), lambda one: f"{one.subject} <!channel> hard_stop").sort_inbox(tx, now)

        await self.store.write(keep)


@pytest.fixture
async def place(sqlite_store: SqlStore) -> AsyncIterator[Place]:
    """Give a tab."""
    clock = ManualClock()
    ctx = AnswerContext(
        store=sqlite_store,
        desk=Desk(),
        sources=FakeSources().port,
        clock=clock,
        view=view_incident,
        checklist=no_checklist,
    )
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(SlackServer())
        client = await stack.enter_async_context(open_client(slack.app.bot_token, url=slack.api_url))
        yield Place(
            tab=HomeTab(ctx, home_view, InFlight(), client.web),
            slack=slack,
            store=sqlite_store,
            clock=clock,
            answer_context=ctx,
        )


async def test_opening_shows_the_bots_and_the_incidents(place: Place) -> None:
    """The glance, and the buttons of the card with its opaque handle."""
    await place.fire("bot1")
    await place.open("ana")
    shown = place.shown("ana")
    for words in ("1 open incident", "INC-1", "incident.acknowledge", "bot2", "state not known"):
        assert words in shown


async def test_who_has_it_open_sees_what_changes(place: Place) -> None:
    """A new incident is there at the next refresh; without a change nothing is sent."""
    await place.open("ana")
    assert "No open incidents" in place.shown("ana")
    assert await place.tab.refresh() == 0
    await place.fire("bot2")
    assert await place.tab.refresh() == 1
    assert "INC-1" in place.shown("ana")
    place.clock.move(20)
    assert await place.tab.refresh() == 0, "the time alone is no change"


async def test_who_left_long_ago_is_not_served(place: Place) -> None:
    """Slack is not asked for tabs that nobody looks at."""
    await place.open("ana")
    place.clock.move(minutes=20)
    await place.fire("bot2")
    assert await place.tab.refresh() == 0
    assert "No open incidents" in place.shown("ana")


async def test_only_so_many_tabs_are_kept_fresh(place: Place) -> None:
    """The ones opened last."""
    users = list(place.slack.workspace.users)[:3]
    for user in users:
        await place.tab.opened({"tab": "home", "user": user})
    for number in range(READERS - 1):
        place.tab._remember(f"U0OTHER{number:03}")
    await place.fire("bot1")
    assert await place.tab.refresh() == 1
    assert "INC-1" in str(place.slack.workspace.homes[users[2]].body)


async def test_the_messages_tab_is_none_of_ours(place: Place) -> None:
    """Opening the other tab publishes nothing."""
    await place.tab.opened({"tab": "messages", "user": place.slack.workspace.user("ana").id})
    assert place.shown("ana") == ""


async def test_degraded_mode_is_a_banner(place: Place) -> None:
    """While it is on, nobody can overlook it."""

    def enter(tx: Tx) -> str:
        now = place.clock.now().isoformat()
        tx.notes.put("degraded_mode", f'{{"since": "{now}", "action": 1, "sure": true}}')
        return banner(tx, place.clock.now())

    words = await place.store.write(enter)
    await place.open("ana")
    assert words
    assert words in place.shown("ana")


async def test_many_incidents_with_hostile_titles_fit_slacks_limits(place: Place) -> None:
    """At most so many with buttons, the rest is counted; the view is one that Slack takes."""
    for number in range(30):
        place.clock.move(minutes=5)
        await place.fire(f"bot{number}")
    home = await place.store.read(lambda tx: stored_home(tx, place.answer_context, place.clock.now()))
    view: Json = home_view(home)
    check_view(view, "home")
    assert "more open incident" in str(view)
    assert "mrkdwn" not in str(view)


async def test_an_older_tab_that_slack_shows_late_is_put_right(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was given up, a newer one was shown, and then it appeared: the newer one is published again."""
    monkeypatch.setattr("handlers.slack.home.SLACK_SECONDS", 0.3)
    await place.open("ana")
    place.slack.faults.add(Fault.late("views.publish", 1.0))
    await place.fire("bot1")
    await place.tab.refresh()
    await place.fire("bot2")
    await place.tab.refresh()
    assert "Several bots" in place.shown("ana")
    await place.slack.workspace.until(lambda: "Several bots" not in place.shown("ana"), 5, "the older tab")
    place.clock.move(30)
    await place.tab.refresh()
    assert "Several bots" in place.shown("ana")
    place.clock.move(90)
    assert await place.tab.refresh() <= 1
    assert await place.tab.refresh() == 0


async def test_a_tab_that_slack_refuses_is_said_and_others_have_theirs(place: Place) -> None:
    """Slack's word and the mend, for as long as it stands; what passes by itself is not said."""
    place.slack.faults.add(Fault.error("views.publish", "internal_error", times=2))
    await place.open("ana")
    assert place.tab.trouble == ""
    ana = place.slack.workspace.user("ana").id
    place.slack.faults.clear()
    refusal = Fault.error("views.publish", "not_enabled", times=99)
    refusal.where = lambda args: args["user_id"] == ana
    place.slack.faults.add(refusal)
    await place.open("ana")
    assert place.tab.trouble.startswith("views.publish: not_enabled; turn on the Home tab")
    await place.open("ben")
    assert place.shown("ben")
    assert place.tab.trouble, "what is refused still shows"
    place.slack.faults.clear()
    await place.open("ana")
    assert place.tab.trouble == ""

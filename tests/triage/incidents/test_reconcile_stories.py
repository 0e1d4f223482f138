"""What we missed, found by asking: the pure decision, told on a store."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from bot.store import SqlStore
from schedules.reconcile import ReconcileJob
from tests.triage.incidents.desk_story import Story, title_of
from triage.desk import Desk
from triage.errors import SourceError, SourceNotConfigured, SourceUnreachable
from triage.incidents.alerts import alert_signal
from triage.incidents.intake import Intake
from triage.incidents.prometheus_answer import UNREAD
from triage.model import IncidentStatus, Signal, SignalStatus
from triage.ports.sources import (
    UNREADABLE_ALERT,
    UNREADABLE_RULE,
    ActiveAlert,
    FiringAlert,
    RuleState,
    Sources,
    unread_firing,
)
from triage.ports.store import Tx

T = TypeVar("T")
LABELS = {"alertname": "BotFrozen", "bot": "bot1", "severity": "critical"}
BEGAN = "2026-02-20T02:59:00.31Z"
"""As the webhook prints it; the API prints ``.310Z``."""
BEGINNING = datetime(2026, 2, 20, 2, 59, 0, 310_412, tzinfo=UTC)
"""As Prometheus has it."""
ENDLESS = "0001-01-01T00:00:00Z"


class Watchers:
    """Alertmanager and Prometheus, as the test wants them."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.active: list[ActiveAlert] = []
        self.firing = True
        self.rule = True
        self.unread: tuple[RuleState, ...] = ()
        self.unread_alerts: tuple[FiringAlert, ...] = ()
        self.prometheus = True
        self.began: datetime | None = None
        self.state = "firing"
        self.meanwhile: list[Signal] = []

    async def alerts(self) -> tuple[ActiveAlert, ...]:
        """Answer for Alertmanager; what happens meanwhile happens after it was asked."""
        answer = tuple(self.active)
        if self.meanwhile:
            self.story.clock.move(1)
            await self.story.arrive(*(replace(s, received_at=self.story.clock.now()) for s in self.meanwhile))
            self.meanwhile = []
        return answer


class Prometheus:
    """The rules' side of the watchers."""

    def __init__(self, watchers: Watchers) -> None:
        self.watchers = watchers

    async def alerts(self) -> tuple[FiringAlert, ...]:
        """Answer what fires."""
        if not self.watchers.prometheus:
            raise SourceUnreachable("Prometheus", "no connection")
        now = self.watchers.story.clock.now()
        fires = (
            (FiringAlert(LABELS, self.watchers.state, self.watchers.began or now),)
            if self.watchers.firing
            else ()
        )
        return fires + self.watchers.unread_alerts

    async def rules(self) -> tuple[RuleState, ...]:
        """Answer which rules there are."""
        known = (RuleState("BotFrozen", "firing", "ok"),) if self.watchers.rule else ()
        return known + self.watchers.unread


@pytest.fixture
def story(store: SqlStore) -> Story:
    """Begin a story on an empty store."""
    return Story(store)


@pytest.fixture
def watchers(story: Story) -> Watchers:
    """Begin with watchers that hold nothing."""
    return Watchers(story)


def alert(story: Story, status: SignalStatus, *, began: str = BEGAN) -> Signal:
    """Return the alert as a webhook brings it."""
    return alert_signal(
        story.desk,
        status=status,
        fingerprint="f00d",
        labels=LABELS,
        annotations={},
        starts_at=began,
        ends_at=story.clock.now().isoformat() if status is SignalStatus.RESOLVED else ENDLESS,
        generator_url="",
        now=story.clock.now(),
    )


def held(*, began: str = "2026-02-20T02:59:00.310Z", ends: str = "2026-02-20T03:10:00.000Z") -> ActiveAlert:
    """Return the alert as Alertmanager's API prints it."""
    return ActiveAlert(
        fingerprint="f00d",
        starts_at=began,
        ends_at=ends,
        updated_at=began,
        state="active",
        labels=LABELS,
        annotations={},
    )


def job(story: Story, watchers: Watchers) -> ReconcileJob:
    """Return the job that asks."""
    sources = Sources(
        metrics=Prometheus(watchers),  # type: ignore[arg-type]  # only the two questions that are asked
        logs=None,  # type: ignore[arg-type]
        alerts=watchers,  # type: ignore[arg-type]
        containers=None,  # type: ignore[arg-type]
        streams=None,  # type: ignore[arg-type]
    )
    return ReconcileJob(story.store, story.desk, sources, story.clock, stored=lambda: None)


async def reconcile(story: Story, watchers: Watchers) -> int:
    """Ask once, and sort what came of it."""
    missed = await job(story, watchers).run()
    await story.sort()
    return missed


async def test_what_fires_unknown_to_us_becomes_an_incident(story: Story, watchers: Watchers) -> None:
    """It fired while we were away; its webhook, when it comes after all, is a repeat."""
    watchers.active = [held()]
    assert await reconcile(story, watchers) == 1
    await story.arrive(alert(story, SignalStatus.FIRING))
    assert len(await story.incidents()) == 1


@pytest.mark.parametrize(
    "fault", [ValueError("broken"), RecursionError(), OverflowError("date"), MemoryError()]
)
async def test_one_that_we_fail_on_hides_no_other_and_is_said(
    story: Story, watchers: Watchers, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """Nothing at all was reconciled, for as long as Alertmanager held it."""

    def tripped(desk: Desk, *, fingerprint: str, **fields: Any) -> Signal:  # noqa: ANN401 - as it is called
        if fingerprint.startswith("bad"):
            raise fault
        return alert_signal(desk, fingerprint=fingerprint, **fields)

    monkeypatch.setattr("triage.incidents.reconcile.alert_signal", tripped)
    others = [
        replace(held(), fingerprint=name, labels={**LABELS, "bot": name}) for name in ("bad1", "bad2", "last")
    ]
    watchers.active = [held(), *others]
    asking = job(story, watchers)
    assert await asking.run() == 2
    assert asking.trouble.startswith(f"2 alerts not compared, by a fault of ours ({type(fault).__name__}")


async def test_one_that_cannot_be_read_hides_no_other_and_is_said(story: Story, watchers: Watchers) -> None:
    """What was missed becomes an incident beside it; ``/readyz`` counts it until it is gone."""
    watchers.active = [held(), UNREADABLE_ALERT]
    asking = job(story, watchers)
    assert await asking.run() == 1
    assert asking.trouble == "1 of the 2 alerts that Alertmanager holds cannot be read"
    del watchers.active[1]
    assert await asking.run() == 0
    assert asking.trouble == ""


async def test_one_episode_has_one_name_however_its_start_is_printed(
    story: Story, watchers: Watchers
) -> None:
    """The webhook prints .31Z, the API .310Z: nothing was missed, nothing ended."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    watchers.active = [held()]
    story.clock.move(60)
    assert await reconcile(story, watchers) == 0
    assert (await story.incident()).status is IncidentStatus.TRIGGERED


class Noting:
    """The story's store: counts the writes, and lets something come before one."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.writes = 0
        self.before_write: list[Signal] = []

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Read as the store does."""
        return await self.story.store.read(work)

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Write as the store does, after what comes in between."""
        self.writes += 1
        arrived, self.before_write = self.before_write, []
        if arrived:
            await self.story.arrive(*arrived)
        return await self.story.store.write(work)


async def test_the_writer_is_asked_only_where_something_was_missed(story: Story, watchers: Watchers) -> None:
    """It would read all that fires, a storm's thousands, while every webhook waits for its commit."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    noting, asking = Noting(story), job(story, watchers)
    asking.store = noting  # type: ignore[assignment] # the two that are asked
    watchers.active = [held()]
    story.clock.move(60)
    assert (await asking.run(), noting.writes) == (0, 1)  # its announced end
    assert (await asking.run(), noting.writes) == (0, 1)


async def test_an_end_that_moves_makes_nothing_fire_that_resolved_meanwhile(
    story: Story, watchers: Watchers
) -> None:
    """Its resolve is sorted between the look and the write."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    noting, asking = Noting(story), job(story, watchers)
    asking.store = noting  # type: ignore[assignment] # the two that are asked
    watchers.active = [held()]
    story.clock.move(60)
    noting.before_write = [alert(story, SignalStatus.RESOLVED)]
    assert await asking.run() == 0
    incident = await story.incident()
    [episode] = await story.store.read(lambda tx: tx.incidents.episodes([incident.id]))
    assert (incident.status, episode.firing) == (IncidentStatus.RESOLVED, False)


async def test_gone_from_alertmanager_and_still_firing_in_prometheus_stays(
    story: Story, watchers: Watchers
) -> None:
    """Alertmanager restarted: absence proves nothing."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    story.clock.move(60)
    assert await reconcile(story, watchers) == 0
    watchers.prometheus = False
    assert await reconcile(story, watchers) == 0
    assert (await story.incident()).is_open


async def test_gone_from_alertmanager_and_not_firing_in_prometheus_has_ended(
    story: Story, watchers: Watchers
) -> None:
    """Its resolve was missed: the incident closes."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    story.clock.move(60)
    watchers.firing = False
    assert await reconcile(story, watchers) == 1
    assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_nothing_is_over_by_rules_of_which_one_cannot_be_read(story: Story, watchers: Watchers) -> None:
    """It may be the alert's own, or another of its name; of those that were named before Prometheus is still asked."""
    asking = job(story, watchers)
    await story.arrive(alert(story, SignalStatus.FIRING))
    watchers.active = [held()]
    assert await asking.run() == 0
    watchers.active, watchers.firing, watchers.unread = [], False, (UNREADABLE_RULE,)
    for rule in (True, False):
        watchers.rule = rule
        story.clock.move(600)
        assert await asking.run() == 0
        assert (await story.incident()).is_open
        assert "BotFrozen" in (await asking.ask_prometheus()).rules
    watchers.rule, watchers.unread = True, ()
    story.clock.move(60)
    assert await asking.run() == 1


@pytest.mark.parametrize("labels", [{}, {"alertname": "BotFrozen"}])
async def test_nothing_is_over_where_an_alert_that_cannot_be_read_may_be_it(
    story: Story, watchers: Watchers, labels: dict[str, str]
) -> None:
    """Neither by reconciling nor by a resolve; it is said, and one whose labels are another's stands in no way."""
    asking = job(story, watchers)
    await story.arrive(alert(story, SignalStatus.FIRING))
    watchers.active = [held()]
    await asking.run()
    watchers.active, watchers.firing, watchers.unread_alerts = [], False, (unread_firing(labels),)
    story.clock.move(60)
    assert await asking.run() == 0
    assert asking.trouble == "1 of the 1 alerts that Prometheus' rules hold cannot be read"
    assert (await story.incident()).is_open
    answer = await asking.ask_prometheus()
    assert answer.against(alert(story, SignalStatus.RESOLVED)) == UNREAD
    watchers.unread_alerts = (unread_firing({"alertname": "Other"}),)
    assert (await asking.ask_prometheus()).against(alert(story, SignalStatus.RESOLVED)) == ""
    assert await asking.run() == 1


async def test_what_waits_anew_in_prometheus_is_not_over(story: Story, watchers: Watchers) -> None:
    """Prometheus restarted: the condition holds, and the rule's time runs again before it fires."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    story.clock.move(60)
    watchers.state = "pending"
    assert await reconcile(story, watchers) == 0
    assert (await story.incident()).is_open


async def resolve(story: Story, asking: ReconcileJob) -> None:
    """Alertmanager says that it resolved; Prometheus is asked before that is taken, as the service does."""
    intake = Intake(story.desk, lambda signal: title_of(story.desk, signal))
    await story.arrive(alert(story, SignalStatus.RESOLVED), then_sort=False)
    asked = await story.store.write(lambda tx: intake.sort_inbox(tx, story.clock.now(), answer=None))
    assert (asked.asks, asked.sorted) == (True, 0)
    answer = await asking.ask_prometheus()
    sorted_ = await story.store.write(lambda tx: intake.sort_inbox(tx, story.clock.now(), answer=answer))
    assert sorted_.sorted == 1


async def test_what_fires_does_not_wait_until_prometheus_says_whether_another_is_over(
    story: Story,
) -> None:
    """It hangs for two seconds, and a Sev-1 came in the webhook that resolves another alert."""
    intake = Intake(story.desk, lambda signal: title_of(story.desk, signal))
    await story.arrive(alert(story, SignalStatus.FIRING))
    grave = replace(
        alert(story, SignalStatus.FIRING), fingerprint="other", episode="other/1", name="BotHardStopActive"
    )
    await story.arrive(alert(story, SignalStatus.RESOLVED), grave, then_sort=False)
    done = await story.store.write(lambda tx: intake.sort_inbox(tx, story.clock.now(), answer=None))
    assert (done.asks, done.sorted) == (True, 1)
    assert (await story.store.read(lambda tx: tx.signals.waiting())) == 1


@pytest.mark.parametrize("state", ["firing", "pending", "away"])
async def test_a_resolve_of_what_prometheus_holds_or_cannot_say_is_not_taken(
    story: Story, watchers: Watchers, state: str
) -> None:
    """Nothing was sent for four minutes, and Alertmanager took it for over; its true end is found later."""
    asking = job(story, watchers)
    await story.arrive(alert(story, SignalStatus.FIRING))
    watchers.active, watchers.began = [held()], BEGINNING
    assert await asking.run() == 0
    story.clock.move(300)
    watchers.state, watchers.prometheus = state, state != "away"
    await resolve(story, asking)
    assert (await story.incident()).status is IncidentStatus.TRIGGERED
    [said] = [text for text in await story.told() if "goes on" in text]
    why = "whose alert it is, does not answer" if state == "away" else "holds it still"
    assert said.startswith("BotFrozen on bot1 goes on: Alertmanager takes it for over, and Prometheus")
    assert said.endswith(why)
    watchers.active, watchers.prometheus, watchers.firing = [], True, False
    if state == "away":
        story.clock.move(60)
        assert await asking.run() == 0, "it is back, and may not have scraped yet"
    story.clock.move(60)
    assert await asking.run() == 1
    await story.sort()
    assert (await story.incident()).status is IncidentStatus.RESOLVED


@pytest.mark.parametrize("why", ["over", "another episode", "no rule of Prometheus"])
async def test_any_other_resolve_is_taken_at_once(story: Story, watchers: Watchers, why: str) -> None:
    """Prometheus bears it out, or has nothing to say of it."""
    asking = job(story, watchers)
    await story.arrive(alert(story, SignalStatus.FIRING))
    watchers.active, watchers.began = [held()], BEGINNING
    watchers.rule = why != "no rule of Prometheus"
    assert await asking.run() == 0
    story.clock.move(300)
    watchers.firing = why != "over"
    if why == "another episode":
        watchers.began = BEGINNING + timedelta(seconds=1)
    await resolve(story, asking)
    assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_without_a_rule_only_an_end_long_past_counts(story: Story, watchers: Watchers) -> None:
    """An alert that somebody posted ends when the end that Alertmanager gave has long passed."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    watchers.rule = watchers.firing = False
    watchers.active = [held()]
    story.clock.move(60)
    await reconcile(story, watchers)
    watchers.active = []
    story.clock.move(60)
    assert await reconcile(story, watchers) == 0
    story.clock.move(1200)
    assert await reconcile(story, watchers) == 1
    assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_where_one_cannot_be_read_no_end_is_taken_for_passed(story: Story, watchers: Watchers) -> None:
    """It may be the one that we hold, with a later end; once all can be read, the end counts."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    watchers.active, watchers.rule = [held()], False
    await reconcile(story, watchers)
    watchers.active = [replace(held(), fingerprint="beef", state="suppressed"), UNREADABLE_ALERT]
    story.clock.move(1800)
    assert await reconcile(story, watchers) == 0
    assert (await story.incident()).is_open
    del watchers.active[1]
    assert await reconcile(story, watchers) == 1
    assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_what_we_learned_after_asking_is_newer_than_the_answer(
    story: Story, watchers: Watchers
) -> None:
    """It begins to fire while the answers are on their way: they do not end it."""
    watchers.firing = False
    watchers.meanwhile = [alert(story, SignalStatus.FIRING)]
    await reconcile(story, watchers)
    assert (await story.incident()).status is IncidentStatus.TRIGGERED


async def test_a_resolve_that_comes_after_asking_is_not_taken_back(story: Story, watchers: Watchers) -> None:
    """It ends while the answers are on their way: they do not fire it again."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    story.clock.move(60)
    watchers.active = [held()]
    watchers.meanwhile = [alert(story, SignalStatus.RESOLVED)]
    assert await reconcile(story, watchers) == 0
    assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_fired_again_with_the_same_start_is_found_and_ends_with_the_next_resolve(
    story: Story, watchers: Watchers
) -> None:
    """Prometheus was cut off, Alertmanager took it for resolved, and it fires on with the startsAt it had."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    story.clock.move(60)
    await story.arrive(alert(story, SignalStatus.RESOLVED))
    story.clock.move(60)
    await story.arrive(alert(story, SignalStatus.FIRING))
    assert not (await story.incident()).is_open, "the webhook alone cannot be told from one that is late"
    watchers.active = [held()]
    assert await reconcile(story, watchers) == 1
    assert (await story.incident()).reopened == 1
    story.clock.move(60)
    assert await reconcile(story, watchers) == 0
    await story.arrive(alert(story, SignalStatus.RESOLVED))
    assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_another_episode_in_alertmanager_ends_the_older_one_alone(
    story: Story, watchers: Watchers
) -> None:
    """Its resolve and the next firing were both missed: the old one ends, the new one fires."""
    await story.arrive(alert(story, SignalStatus.FIRING))
    story.clock.move(120)
    watchers.active = [held(began="2026-02-20T03:01:00.000Z")]
    assert await reconcile(story, watchers) == 2
    incident = await story.incident()
    assert incident.is_open
    assert await story.store.read(lambda tx: tx.incidents.counts(1)) == (1, 2)


class Away:
    """An Alertmanager that cannot be asked."""

    def __init__(self, error: SourceError) -> None:
        self.error = error

    async def alerts(self) -> tuple[ActiveAlert, ...]:
        """Give no answer."""
        raise self.error


@pytest.mark.parametrize(
    "error", [SourceNotConfigured("Alertmanager"), SourceUnreachable("Alertmanager", "no connection")]
)
async def test_firing_again_with_the_same_start_reopens_where_alertmanager_cannot_be_asked(
    sqlite_store: SqlStore, error: SourceError
) -> None:
    """A late copy does not; what goes on being sent does, once; and its resolve ends it for good."""
    story = Story(sqlite_store)
    sources = Sources(*(Away(error),) * 5)  # type: ignore[arg-type]
    reconciliation = ReconcileJob(
        store=sqlite_store, desk=story.desk, sources=sources, clock=story.clock, stored=lambda: None
    )

    async def look() -> int:
        found = await reconciliation.run()
        await story.sort()
        return found

    await story.fire("BotFrozen")
    story.clock.move(60)
    await story.clear("BotFrozen")
    story.clock.move(20)
    await story.fire("BotFrozen")
    assert await look() == 0, "a late copy"
    story.clock.move(300)
    await story.fire("BotFrozen")
    assert await look() == 1
    assert await look() == 0
    incident = await story.incident()
    assert (incident.status, incident.reopened) == (IncidentStatus.TRIGGERED, 1)
    story.clock.move(300)
    await story.fire("BotFrozen")
    assert await look() == 0, "it fires already"
    story.clock.move(30)
    await story.clear("BotFrozen")
    assert (await story.incident()).status is IncidentStatus.RESOLVED
    story.clock.move(10)
    assert await look() == 0, "nothing was sent since its end"
    assert len(await story.incidents()) == 1


async def test_a_clock_set_back_between_an_alert_and_its_end_lets_nothing_fire_again(store: SqlStore) -> None:
    """By the times it was sent ten minutes after its end. It was not, and nobody would ever send its end again."""
    story = Story(store)
    sources = Sources(*(Away(SourceNotConfigured("Alertmanager")),) * 5)  # type: ignore[arg-type]
    reconciliation = ReconcileJob(
        store=store, desk=story.desk, sources=sources, clock=story.clock, stored=lambda: None
    )
    await story.fire("BotFrozen")
    story.clock.move(-600)
    await story.clear("BotFrozen")
    story.clock.move(30)
    assert await reconciliation.run() == 0
    await story.sort()
    assert (await story.incident()).status is IncidentStatus.RESOLVED

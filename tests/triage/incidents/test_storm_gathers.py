"""A storm tells of the incidents that came with it: its card and its list name them, one line tells what they got."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

import pytest

from bot.slack.blocks.storm import LEADING_MAX
from bot.slack.renderers import incident_renderers
from bot.store import SqlStore
from tests.bot.slack.blocks.samples import incident
from tests.bot.slack.blocks.test_blocks import text_of
from tests.fakes.clock import START
from tests.triage.incidents.desk_story import Story
from triage.desk_sections.triage import CorrelationSettings
from triage.drill_alert import ALERTNAME as DRILL
from triage.incidents.notifications import IN_CHANNEL, LINE_URGENCY, STORM_URGENCY
from triage.incidents.storm import GATHERS, QUIET_FOLD_SECONDS, gathers
from triage.model import Incident, IncidentShape, Severity, SignalStatus
from triage.ports.store import Message, MessageKind, Tx

T = TypeVar("T")
MADE = 8
"""So many incidents of a minute make a storm of what comes then."""


@pytest.fixture
def story(store: SqlStore) -> Story:
    """Begin a story on an empty store."""
    return Story(store)


async def storm_after(story: Story, *, severity: Severity = Severity.SEV3, first: int = MADE) -> Incident:
    """Let incidents about hosts and then a storm come in one webhook; INC-1 is about host0."""
    signals = [
        story.signal(
            f"Noise{n}", f"host{n}", SignalStatus.FIRING, severity=severity if n < first else Severity.SEV3
        )
        for n in range(MADE + 2)
    ]
    await story.arrive(*signals)
    return next(one for one in await story.incidents() if one.shape is IncidentShape.STORM)


async def shown(story: Story, kind: MessageKind, ref: str) -> str:
    """Return all that a message says."""

    def read(tx: Tx) -> str:
        message = tx.outbox.find(kind, ref)
        assert message is not None
        rendered = incident_renderers()[kind](tx, message, story.clock.now())
        assert rendered is not None
        return text_of(rendered)

    return await story.store.read(read)


async def asked(story: Story, ask: Callable[[Tx], T]) -> T:
    """Ask the store."""
    return await story.store.read(ask)


async def card_of(story: Story, incident_id: int) -> Message:
    """Return the message of an incident's card."""
    found = await asked(story, lambda tx: tx.outbox.find(MessageKind.CARD, str(incident_id)))
    assert found is not None
    return found


async def test_the_card_and_the_list_of_a_storm_name_what_came_before_it(story: Story) -> None:
    """Slack takes a post a second: the cards of eight come later than the storm's, which says what is in them."""
    storm = await storm_after(story, severity=Severity.SEV1, first=2)
    card = await shown(story, MessageKind.CARD, str(storm.id))
    assert "10 alerts, 10 firing now: 2 Sev-1, 8 Sev-3 · 2 of them page" in card
    assert "Noise0 on host0" in card
    assert "· INC-1" in card
    assert "With cards of their own INC-1, INC-2, INC-3, INC-4, INC-5, INC-6, INC-7, INC-8" in card
    page = await shown(story, MessageKind.ROLL, f"{storm.id}/0")
    assert [f"Noise{n}: host{n}" in page for n in range(MADE + 2)] == [True] * (MADE + 2)


async def test_the_cards_of_what_came_before_a_storm_wait_for_what_tells_of_all(story: Story) -> None:
    """They are on its card; those that ask for nobody at once also wait until most of it is told."""
    storm = await storm_after(story, severity=Severity.SEV1, first=1)
    now, later = story.clock.now(), story.clock.now() + timedelta(seconds=QUIET_FOLD_SECONDS)
    cards = [await card_of(story, number) for number in (1, 2, storm.id)]
    assert [one.urgency for one in cards] == [LINE_URGENCY, LINE_URGENCY, STORM_URGENCY]
    assert [one.next_at for one in cards] == [now, later, now]
    await story.fire("MoreNoise", "host1", severity=Severity.SEV1)
    assert (await card_of(story, 2)).urgency == LINE_URGENCY, "what joins is told by the storm too"


async def test_a_card_of_its_own_in_a_storm_goes_at_once_and_is_on_the_storms_card(story: Story) -> None:
    """A Sev-1 that comes while it goes on."""
    storm = await storm_after(story)
    await story.fire("Grave", "host-x", severity=Severity.SEV1)
    own = (await story.incidents())[-1]
    assert own.name == "Grave"
    assert (await card_of(story, own.id)).urgency == 1
    assert f"· {own.number}" in await shown(story, MessageKind.CARD, str(storm.id))


async def test_what_must_be_noticed_of_such_an_incident_is_one_line_of_the_storm(story: Story) -> None:
    """Lines of many threads, each shown in the channel, would take a second each."""
    storm = await storm_after(story)
    for number in (1, 2):
        await story.fire("Stopped", f"host{number - 1}", severity=Severity.SEV1)
    assert await story.told(1) == await story.told(2) == []
    lines = [text for text in await story.told(storm.id) if text.startswith("INC-")]
    assert lines == [f"INC-{n}: Stopped on host{n - 1} joined, now Sev-1" for n in (1, 2)]

    def read(tx: Tx) -> list[tuple[bool, int]]:
        entries = [one for one in tx.timeline.of(storm.id) if one.text in lines]
        owed = [(one, tx.outbox.find(MessageKind.LINE, str(one.id))) for one in entries]
        return [(bool(one.data.get(IN_CHANNEL)), line.urgency) for one, line in owed if line is not None]

    assert await asked(story, read) == [(True, STORM_URGENCY)] * 2
    assert any(
        "Stopped on host0 joined" in one.text for one in await asked(story, lambda tx: tx.timeline.of(1))
    )


async def test_who_has_acknowledged_such_an_incident_reads_in_its_thread_that_it_is_worse(
    story: Story,
) -> None:
    """They follow that thread, and not the storm's."""
    storm = await storm_after(story)
    await story.acknowledge(1)
    await story.fire("Stopped", "host0", severity=Severity.SEV1)
    assert "Stopped on host0 joined, now Sev-1" in await story.told(1)
    assert not any(text.startswith("INC-") for text in await story.told(storm.id))


async def test_what_need_not_be_noticed_waits_for_others_in_its_own_thread(story: Story) -> None:
    """The storm's list has it at once."""
    storm = await storm_after(story)
    await story.fire("Aside", "host0", severity=Severity.SEV3)
    [line] = [one for one in await asked(story, lambda tx: tx.timeline.of(1)) if "Aside" in one.text]
    owed = await asked(story, lambda tx: tx.outbox.find(MessageKind.LINE, str(line.id)))
    assert owed is not None
    assert owed.next_at == story.clock.now() + timedelta(seconds=QUIET_FOLD_SECONDS)
    assert "Aside: host0" in await shown(story, MessageKind.ROLL, f"{storm.id}/0")


async def test_the_end_of_such_an_incident_is_said_by_its_card_and_the_storms(story: Story) -> None:
    """Who has acknowledged one follows its thread, and reads it there."""
    storm = await storm_after(story)
    await story.acknowledge(2)
    before = await asked(story, lambda tx: tx.outbox.find(MessageKind.ROLL, f"{storm.id}/0"))
    await story.clear("Noise0", "host0")
    await story.clear("Noise1", "host1")
    after = await asked(story, lambda tx: tx.outbox.find(MessageKind.ROLL, f"{storm.id}/0"))
    assert before is not None
    assert after is not None
    assert after.wanted_revision > before.wanted_revision
    assert "Noise0: over: host0" in await shown(story, MessageKind.ROLL, f"{storm.id}/0")
    assert await story.told(1) == []
    assert any("resolved" in text for text in await story.told(2))


async def test_a_storm_that_is_long_over_does_not_go_on_saying_that_something_fires(story: Story) -> None:
    """One of its incidents lasts for hours; when that ends, the storm's card is edited once more."""
    storm = await storm_after(story)
    for number in range(1, MADE + 2):
        await story.clear(f"Noise{number}", f"host{number}")
    assert not (await story.incident(storm.id)).is_open
    assert "10 alerts, 1 firing now" in await shown(story, MessageKind.CARD, str(storm.id))
    story.clock.move(hours=3)
    before = (await card_of(story, storm.id)).wanted_revision
    await story.clear("Noise0", "host0")
    assert (await card_of(story, storm.id)).wanted_revision > before
    assert "10 alerts, 0 firing now" in await shown(story, MessageKind.CARD, str(storm.id))
    assert any("resolved" in text for text in await story.told(1)), (
        "its thread says so: the storm is long over"
    )


@pytest.mark.parametrize("later", [4, MADE + 1])
async def test_a_storm_to_which_nothing_came_for_long_takes_no_more(story: Story, later: int) -> None:
    """It is open for hours by its last alert: it would tell of all that began meanwhile, and hide its ends."""
    storm = await storm_after(story)
    story.clock.move(hours=1)
    await story.fire("Alone", "elsewhere")
    alone = (await story.incidents())[-1]
    story.clock.move(hours=3)
    for number in range(later):
        await story.fire(f"Later{number}", f"node{number}")
    assert "Alone" not in await shown(story, MessageKind.CARD, str(storm.id))
    storms = [one.id for one in await story.incidents() if one.shape is IncidentShape.STORM]
    assert len(storms) == (1 if later < MADE else 2)
    assert "Later0" not in await shown(story, MessageKind.CARD, str(storm.id))
    assert ("Later0" in await shown(story, MessageKind.CARD, str(storms[-1]))) is (later > MADE)
    await story.clear("Alone", "elsewhere")
    assert any("resolved" in text for text in await story.told(alone.id))


async def test_what_trickles_in_behind_a_full_incident_makes_one_storm(story: Story) -> None:
    """An alert about more and more bots that nobody named, the later ones minutes apart, each with the last one's."""
    for number in range(MADE + 1):
        await story.fire("BotFrozen", f"bot-x{number}")
    for number in range(MADE + 1, MADE + 5):
        story.clock.move(minutes=4)
        await story.fire("BotFrozen", f"bot-x{number}")
    shapes = Counter(one.shape for one in await story.incidents())
    assert shapes[IncidentShape.STORM] == 1
    assert len(await story.incidents()) == 2 + 4


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, True),
        ({"opened_at": START - GATHERS}, True),
        ({"opened_at": START - GATHERS - timedelta(seconds=1)}, False),
        ({"opened_at": START + timedelta(seconds=30)}, True),
        ({"opened_at": START + timedelta(seconds=31)}, False),
        ({"resolved_at": START - timedelta(seconds=1)}, False),
        ({"resolved_at": START}, True),
        ({"name": DRILL}, False),
        ({"shape": IncidentShape.STORM}, False),
    ],
)
def test_a_storm_tells_of_what_came_shortly_before_it_until_nothing_came(
    changes: dict[str, object],
    told: bool,  # noqa: FBT001 - of a table
) -> None:
    """Not of what was over by then, nor of a drill."""
    storm = incident(shape=IncidentShape.STORM, opened_at=START, last_seen_at=START + timedelta(seconds=30))
    other = replace(incident(), opened_at=START - timedelta(seconds=60), resolved_at=None)
    assert gathers(storm, replace(other, **changes)) is told  # type: ignore[arg-type] # of several types


async def test_the_card_counts_what_there_is_no_room_for(story: Story) -> None:
    """Twelve numbers of incidents, and how many more there are."""
    storm = await storm_after(story, severity=Severity.SEV1)
    for number in range(6):
        story.clock.move(11)
        await story.fire(f"Grave{number}", f"node{number}", severity=Severity.SEV1)
    card = await shown(story, MessageKind.CARD, str(storm.id))
    assert "INC-13 and 2 more" in card
    assert card.count("🔴") == LEADING_MAX + ("🔴 Sev-1" in card.split("INC-9")[0])


async def test_each_page_of_the_list_of_a_long_storm_is_told(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when what came with it has been over for so long that sorting does not read it any more."""
    monkeypatch.setattr("triage.incidents.storm.PAGE", 5)
    story.desk = story.desk.model_copy(update={"correlation": CorrelationSettings(reopen_within_seconds=0)})
    storm = await storm_after(story)
    await story.arrive(*(story.signal(f"Noise{n}", f"host{n}", SignalStatus.RESOLVED) for n in range(MADE)))
    for number in range(10):
        story.clock.move(12)
        await story.fire(f"Late{number}", f"node{number}")
        total = MADE + 2 + number + 1
        ref = f"{storm.id}/{(total - 1) // 5}"
        page = await asked(story, partial(_list_page, ref=ref))
        assert page is not None, f"no page for the last of {total} alerts"


def _list_page(tx: Tx, *, ref: str) -> Message | None:
    return tx.outbox.find(MessageKind.ROLL, ref)

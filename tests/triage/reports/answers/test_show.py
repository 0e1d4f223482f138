"""An incident's story as ``/triage show`` tells it: what repeats is one line, whoever did something stands first."""

from datetime import timedelta

from bot.store import SqlStore
from tests.fakes.sources import FakeSources
from tests.triage.incidents.desk_story import Story
from triage.model import Severity, TimelineEntry, TimelineKind
from triage.ports.chat import Answer
from triage.ports.store import Tx
from triage.reports.answers.context import AnswerContext
from triage.reports.answers.incidents import show
from triage.reports.checklists.model import ChecklistContext
from triage.reports.incident_view import IncidentView


async def no_checklist() -> ChecklistContext:
    """No checklist is asked for here."""
    raise NotImplementedError


async def shown(story: Story) -> Answer:
    """Ask for the first incident's story."""
    ctx = AnswerContext(
        store=story.store,
        desk=story.desk,
        sources=FakeSources().port,
        clock=story.clock,
        view=lambda tx, incident: IncidentView(incident, "h", tuple(tx.incidents.episodes([incident.id]))),
        checklist=no_checklist,
    )
    return await show(ctx, 1)


async def test_a_restart_loop_is_one_line_and_peoples_lines_stand_out(sqlite_store: SqlStore) -> None:
    """Thirty deaths and starts do not drown who was refused and who took it."""
    story = Story(sqlite_store)
    await story.fire("ContainerRestartLoop", "hbot-redis", severity=Severity.SEV1)
    began = story.clock.now()

    def loop(tx: Tx) -> None:
        for turn in range(30):
            at = began + timedelta(seconds=10 * turn)
            tx.timeline.add(
                TimelineEntry(
                    incident_id=1,
                    at=at,
                    recorded_at=at,
                    kind=TimelineKind.EVENT,
                    text="hbot-redis died by itself (exit code 1)",
                    source="container",
                    key=f"die/{turn}",
                )
            )

    await sqlite_store.write(loop)
    await story.acknowledge(1)
    [section] = [part for part in (await shown(story)).sections if part.title.startswith("What happened")]
    lines = [line.text for line in section.lines]
    assert [line for line in lines if "died by itself" in line] == [
        "hbot-redis died by itself (exit code 1): 30 times 03:00\u201303:04 [container]"
    ]
    assert any(line.endswith("acknowledged") and "[" not in line for line in lines)
    assert len(lines) < 6

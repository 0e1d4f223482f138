"""What a storm's card says of its alerts, and what is left out where they are many."""

import pytest

from bot.slack.blocks.storm import LEADING_MAX, ROLL, StormRoll, roll_page, with_storm
from bot.slack.rendered import Rendered
from tests.bot.slack.blocks.samples import NOW, incident
from tests.bot.slack.blocks.test_blocks import text_of
from triage.incidents.storm import PAGE
from triage.model import Severity, Subject, SubjectKind
from triage.ports.store import RollCount, RollEntry


def told(counts: list[RollCount], leading: list[RollEntry], *paging: str) -> Rendered:
    """Return the card of a storm."""
    return with_storm(Rendered(text="storm"), StormRoll(counts, leading, paging), NOW)


def entry(name: str, subject: Subject, severity: Severity, *, incident_id: int = 42) -> RollEntry:
    """Return an alert that fires."""
    return RollEntry(
        incident_id=incident_id,
        name=name,
        subject=subject,
        severity=severity,
        word="",
        firing=True,
        starts_at=NOW,
    )


def stop(number: int) -> RollEntry:
    """Return a bot that stopped."""
    about = Subject(SubjectKind.BOT, f"bot{number}")
    return entry("Stop", about, Severity.SEV1)


def test_what_is_grave_is_named_and_the_rest_of_it_counted_by_name() -> None:
    """Sev-1, and what a label asks a person for; each of them is on the card, by name or in the count."""
    counts = [
        RollCount("Load", Severity.SEV3, "warning", firing=True, bot="", count=40),
        RollCount("Stop", Severity.SEV1, "", firing=True, bot="bot1", count=LEADING_MAX + 3),
        RollCount("Disk", Severity.SEV2, "page", firing=False, bot="bot2", count=2),
        RollCount("Disk", Severity.SEV2, "", firing=True, bot="bot2", count=1),
    ]
    card = told(counts, [stop(number) for number in range(LEADING_MAX)], "page")
    said = text_of(card)
    assert "58 alerts, 56 firing now: 15 Sev-1, 3 Sev-2, 40 Sev-3 · 17 of them page" in said
    assert "and 5 more that page: Stop ×3, Disk ×2" in said  # noqa: RUF001 - the sign for times
    assert "Load ×40, Stop ×15, Disk ×3" in said  # noqa: RUF001 - as above
    assert "bot1 ×15, bot2 ×3 · 40 about none of the bots" in said  # noqa: RUF001 - as above
    assert card.text.endswith("58 alerts, 56 firing; 17 page: Stop on bot0, Stop on bot1, Stop on bot2")


def test_a_storm_of_nothing_grave_names_nobody() -> None:
    """Its counts are all there is to say."""
    card = told([RollCount("Load", Severity.SEV3, "warning", firing=True, bot="", count=2)], [])
    assert card.text.endswith("2 alerts, 2 firing")
    assert "grave" not in text_of(card)


@pytest.mark.parametrize("name", ["worker-{:04}", "a-rather-long-name-of-a-container-{:04}", "{:04}"])
def test_a_page_of_one_kind_names_each_of_its_alerts(name: str) -> None:
    """All of them stand on one line, which is longer than a client takes in one piece."""
    names = [name.format(number) for number in range(PAGE)]
    entries = [
        entry("ContainerHighCpu", Subject(SubjectKind.CONTAINER, each), Severity.SEV3) for each in names
    ]
    page = roll_page(incident(), entries, 0)
    assert page is not None
    said = text_of(page)
    for each in names:
        assert each[-6:] in said, f"{each} is not told"
    assert "…" not in said or name.startswith("a-"), "nothing is cut but a long name"
    assert len(said) < ROLL + 200

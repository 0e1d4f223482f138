"""Which of the posts that wait for Slack's pace goes first."""

from datetime import UTC, datetime

from bot.slack.rate_limits import RANKS
from bot.slack.sender import follows_many, rank_of
from triage.incidents.notifications import LINE_URGENCY, STORM_URGENCY
from triage.ports.store import Message, MessageKind

NOW = datetime(2026, 2, 20, 3, tzinfo=UTC)


def waiting(kind: MessageKind, urgency: int) -> Message:
    """Return a message of a kind that was not posted yet."""
    return Message(
        id=1,
        delivery_id="1",
        kind=kind,
        ref="1",
        channel="incidents",
        incident_id=1,
        parent_id=None,
        wanted_revision=1,
        sent_revision=0,
        post_id="",
        attempts=0,
        next_at=NOW,
        created_at=NOW,
        urgency=urgency,
    )


def test_of_one_urgency_what_nobody_knows_yet_goes_first() -> None:
    """A storm's card tells of many; a Sev-1's summary waits for the cards of the others, and for those of no Sev-2."""
    in_order = [
        waiting(MessageKind.CARD, STORM_URGENCY),
        waiting(MessageKind.CARD, 1),
        waiting(MessageKind.LINE, 1),
        waiting(MessageKind.TRIAGE, 1),
        waiting(MessageKind.CARD, 2),
        waiting(MessageKind.ROLL, 2),
        waiting(MessageKind.CARD, 3),
        waiting(MessageKind.LINE, LINE_URGENCY),
        waiting(MessageKind.TRIAGE, 2),
    ]
    ranks = [rank_of(message) for message in in_order]
    assert ranks == sorted(set(ranks))
    assert ranks[-2] <= RANKS < ranks[-1]


def test_the_list_of_a_storm_is_edited_as_seldom_as_its_card() -> None:
    """Slack takes fifty edits a minute of all: pages that change with each alert would use up those of the ends."""
    often = [kind for kind in MessageKind if not follows_many(waiting(kind, 2))]
    assert set(MessageKind) - set(often) == {MessageKind.CARD, MessageKind.ROLL}

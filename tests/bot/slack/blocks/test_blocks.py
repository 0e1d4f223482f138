"""What is seen in Slack: every state says what it must, and no foreign text breaks or commands anything."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.blocks.card import incident_card
from bot.slack.blocks.thread import timeline_lines, triage_summary
from bot.slack.rendered import Rendered
from demo.slack.blockkit.surfaces import check_message
from tests.bot.slack.blocks.samples import (
    ENTRIES,
    NOW,
    OPENED,
    RUN,
    RUNS,
    STATES,
    VIEWS,
    episode,
    incident,
    names,
    view,
)
from triage.incidents.view import IncidentView, Offer
from triage.model import ActionProposal, Cause, TimelineEntry, TimelineKind, TriageRun, Verdict

SECRETS = ("hunter2hunter2", "1234567890-abcdefghij")
COMMANDS = ("<!", "<@", "<#", "<https://evil", "\x00", "\u202e", "\u2066")
PATIENT = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def leaves(part: object) -> list[str]:
    """Return every text in blocks."""
    if isinstance(part, dict):
        own = [part["text"]] if isinstance(part.get("text"), str) else []
        return own + [leaf for value in part.values() for leaf in leaves(value)]
    return [leaf for item in part for leaf in leaves(item)] if isinstance(part, list | tuple) else []


def text_of(rendered: Rendered) -> str:
    """Return what a reader sees."""
    return "".join(leaves(rendered.blocks))


def buttons_of(rendered: Rendered) -> list[str]:
    """Return the ids of the buttons."""
    rows = [block["elements"] for block in rendered.blocks if block["type"] == "actions"]
    return [element["action_id"] for row in rows for element in row]


def assert_harmless(rendered: Rendered) -> None:
    """Check Slack's limits, and that nothing in it commands, hides or tells a secret."""
    check_message(list(rendered.blocks))
    assert len(rendered.blocks) <= 50
    assert len(json.dumps(rendered.blocks, ensure_ascii=False)) < 30_000
    assert 0 < len(rendered.text) <= 3000
    seen = [rendered.text, *leaves([block for block in rendered.blocks if block["type"] != "context"])]
    for text in seen:
        assert [command for command in COMMANDS if command in text] == [], text
    everything = rendered.text + json.dumps(rendered.blocks, ensure_ascii=False)
    assert not any(secret in everything for secret in SECRETS)
    assert not any(sign in rendered.text for sign in ("*", "`", "~", "<", ">"))


@PATIENT
@given(VIEWS)
def test_no_incident_makes_a_card_that_slack_refuses(any_view: IncidentView) -> None:
    """Whatever labels, titles and annotations hold, the card passes Slack's rules and does nothing but show."""
    assert_harmless(incident_card(any_view, NOW, names))


@PATIENT
@given(RUNS)
def test_no_triage_makes_a_summary_that_slack_refuses(run: TriageRun) -> None:
    """Log lines and reasons are foreign text too."""
    assert_harmless(triage_summary(run, NOW))


@PATIENT
@given(st.lists(ENTRIES, min_size=1, max_size=20))
def test_no_timeline_makes_lines_that_slack_refuses(entries: list[TimelineEntry]) -> None:
    """Twenty lines in one message keep the limits too."""
    assert_harmless(timeline_lines(entries, NOW, names))


@pytest.mark.parametrize("state", STATES)
def test_every_state_names_what_where_since_when_and_which(state: str) -> None:
    """Title, number, place and begin are in every form of the card, and in its preview what matters."""
    rendered = incident_card(STATES[state], NOW, names)
    seen = text_of(rendered)
    assert_harmless(rendered)
    assert STATES[state].incident.title in seen
    assert "INC-42" in seen
    assert "03:12 UTC" in seen
    assert "bot1" in seen
    assert "INC-42" in rendered.text


def test_a_new_incident_says_that_triage_is_running() -> None:
    """The first post goes out before triage and says so."""
    rendered = incident_card(STATES["new"], NOW, names)
    assert "Triage is running" in text_of(rendered)
    assert buttons_of(rendered) == [
        "incident.acknowledge",
        "incident.silence",
        "incident.retriage",
        "incident.resolve",
    ]


def test_a_triaged_incident_says_cause_confidence_reasons_unknowns_and_next() -> None:
    """All that the sketch shows, in words."""
    seen = text_of(incident_card(STATES["triaged"], NOW, names))
    for word in (
        "Likely cause",
        "(92 %)",
        "drawdown_hard_limit",
        "Not known",
        "Redis not configured",
        "Next",
        "Or ",
    ):
        assert word in seen
    assert "triaged 03:12 UTC in 1.2 s" in seen
    assert "acknowledged by nobody yet" in seen


def test_degraded_mode_is_not_advised_while_it_is_on() -> None:
    """What was advised and done is past: the next step is to mend what is down and to leave it again."""
    proposal = ActionProposal("degraded_mode", "desk", "Redis is down")
    cause = Cause(
        "redis_down", "Redis is down", 0.9, ("no ping",), "Degraded mode: go on without it.", (proposal,)
    )
    shown = STATES["triaged"]
    assert shown.run is not None
    run = replace(shown.run, verdict=Verdict((cause,), (proposal,)))
    before = text_of(incident_card(replace(shown, run=run, offers=()), NOW, names))
    assert "Degraded mode: go on without it." in before
    assert "Fits Degraded mode" in before
    after = text_of(
        incident_card(replace(shown, run=run, offers=(), banner="Degraded mode is on"), NOW, names)
    )
    assert "then Exit degraded mode brings the external stack back" in after
    assert "go on without it" not in after
    assert "Fits" not in after


def test_a_resolved_incident_keeps_its_firing_facts_and_loses_its_buttons() -> None:
    """What fired, how long, who took it, which actions: one still sees it a week later."""
    rendered = incident_card(STATES["resolved"], NOW, names)
    seen = text_of(rendered)
    for word in (
        "✅ Resolved",
        "after 19 min",
        "Sev-1",
        "drawdown 2.6 %",
        "by @ana",
        "after 2 min",
        "actions: none",
    ):
        assert word in seen
    assert buttons_of(rendered) == []
    assert rendered.text.startswith("✅ INC-42 resolved 03:31 UTC after 19 min")


def test_a_wide_incident_names_all_its_bots_and_offers_each_action_in_a_row_of_its_own() -> None:
    """An action id may stand once in a block: the same action for three bots takes three rows."""
    rendered = incident_card(STATES["wide"], NOW, names)
    assert "3 bots: bot1, bot2, bot3" in text_of(rendered)
    assert buttons_of(rendered).count("action.restart") == 3
    assert "Restart bot2…" in text_of(rendered)


def test_a_storm_counts_and_cuts_with_how_many_more() -> None:
    """A storm is one message that counts."""
    seen = text_of(incident_card(STATES["storm"], NOW, names))
    assert "37 signals, 24 firing now" in seen
    assert "and 2 more kinds of signal" in seen


def test_a_quiet_incident_says_that_it_still_fires() -> None:
    """Closed by hand is not over."""
    assert "closed by hand, still firing" in text_of(incident_card(STATES["quiet"], NOW, names))


def test_a_long_title_keeps_its_number() -> None:
    """The header is cut in the title, never in the number."""
    rendered = incident_card(view(incident(title="x" * 500)), NOW, names)
    assert rendered.blocks[0]["text"]["text"].endswith("… · INC-42")


def test_many_offers_are_shown_in_rows_of_five() -> None:
    """Five fit on a row of a phone."""
    offers = tuple(
        Offer(kind, "bot1", f"h-{kind}")
        for kind in ("rollback", "restart", "recreate", "resume", "clear_cache", "kill_switch")
    )
    rendered = incident_card(view(offers=offers), NOW, names)
    rows = [len(block["elements"]) for block in rendered.blocks if block["type"] == "actions"]
    assert rows == [4, 5, 1]


def test_a_summary_gives_each_finding_its_word_and_the_worst_first() -> None:
    """Colour is never the only sign, and a phone shows the first lines only."""
    seen = text_of(triage_summary(RUN, NOW))
    for word in (
        "5 checks in 1.2 s",
        "🔴 Bot state critical",
        "🟠 Error logs warning",
        "⚪ Streams unknown",
        "🟢 Host",
    ):
        assert word in seen or word == "🟢 Host"
    assert seen.index("critical") < seen.index("warning") < seen.index("unknown · ") < seen.index("🟢")
    assert "Redis not configured" in seen
    assert "Order book stream disconnected" in seen


def test_a_line_says_when_who_and_what_and_when_it_was_learned() -> None:
    """A change that was learned late says so; nobody is pinged."""
    entry = TimelineEntry(42, OPENED, NOW, TimelineKind.ACKNOWLEDGED, "acknowledged", actor="U1")
    assert text_of(timeline_lines([entry], NOW, names)) == "03:12 UTC · @ana acknowledged (learned 03:16 UTC)"


def test_a_day_is_named_only_when_it_is_another_one() -> None:
    """Times are UTC, short today, with the day otherwise."""
    entry = TimelineEntry(
        42, OPENED - timedelta(days=3), OPENED - timedelta(days=3), TimelineKind.NOTE, "note"
    )
    assert text_of(timeline_lines([entry], NOW, names)) == "17 Feb 03:12 UTC · note"


def test_code_that_looks_like_markup_is_shown_as_it_is() -> None:
    """Underscores, stars and angle brackets of ordinary text survive in the message itself."""
    odd = episode(annotations={"summary": "a < b & c * d in __init__ of <err>"})
    assert "a < b & c * d in __init__ of <err>" in text_of(incident_card(view(episodes=(odd,)), NOW, names))

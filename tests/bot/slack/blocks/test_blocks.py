"""What is seen in Slack: every state says what it must, and no untrusted text breaks or commands anything."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.blocks import kit
from bot.slack.blocks.action import action_message, row_matters
from bot.slack.blocks.card import incident_card
from bot.slack.blocks.report import report_view
from bot.slack.blocks.thread import timeline_lines
from bot.slack.blocks.triage import triage_message
from bot.slack.blocks.verdict import copyable
from bot.slack.rendered import Rendered
from demo.slack.blockkit import walk
from demo.slack.blockkit.surfaces import check_message, check_view
from tests.bot.slack.blocks.samples import (
    ENTRIES,
    NOW,
    OPENED,
    RUN,
    RUNS,
    STATES,
    TRADING,
    VIEWS,
    episode,
    incident,
    names,
    view,
)
from triage.actions.view import ActionView
from triage.memory.degraded_mode import Degraded
from triage.model import (
    Cause,
    Finding,
    FindingStatus,
    IncidentStatus,
    Subject,
    SubjectKind,
    TimelineEntry,
    TimelineKind,
    TriageRun,
    Verdict,
)
from triage.plans.record import ActionRecord, ActionStatus
from triage.plans.verification import Compared, Verification, VerificationOutcome
from triage.reports.incident_view import IncidentView, Offer, Waiting
from triage.untrusted_text import cut

SECRETS = ("hunter2hunter2", "1234567890-abcdefghij")
TRADES = "2 of 3 bots · bot1 stopped (drawdown limit) since 03:12"
DAY = "today −1.9 % (limit −1.5 %)"  # noqa: RUF001 - a minus
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


def phone_lines(rendered: Rendered) -> int:
    """Return how many lines of text a phone shows of it, buttons left out."""
    lines = 0
    for block in rendered.blocks:
        if block["type"] == "header":
            lines += kit.rows(len(block["text"]["text"]), kit.PHONE_HEADER)
        elif block["type"] == "context":
            text = re.sub(r"<[^|>]*\|([^>]*)>", r"\1", " ".join(one["text"] for one in block["elements"]))
            lines += kit.rows(len(text), kit.PHONE_SMALL)
        elif block["type"] == "rich_text":
            text = "".join(leaves(block))
            lines += sum(kit.rows(len(line), kit.PHONE) for line in text.split("\n"))
    return lines


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


@pytest.mark.slow
@PATIENT
@given(VIEWS)
def test_no_incident_makes_a_card_that_slack_refuses(any_view: IncidentView) -> None:
    """Whatever labels, titles and annotations hold, the card passes Slack's rules and does nothing but show."""
    assert_harmless(incident_card(any_view, NOW, names))


@pytest.mark.slow
@PATIENT
@given(RUNS)
def test_no_triage_makes_a_summary_that_slack_refuses(run: TriageRun) -> None:
    """Log lines and reasons are untrusted text too."""
    assert_harmless(triage_message([run, run], NOW, "h" * 32))
    check_view(report_view(incident(), run, NOW), "modal")


@PATIENT
@given(st.lists(ENTRIES, min_size=1, max_size=20))
def test_no_timeline_makes_lines_that_slack_refuses(entries: list[TimelineEntry]) -> None:
    """Twenty lines in one message keep the limits too."""
    assert_harmless(timeline_lines(entries, NOW, names))


@pytest.mark.parametrize("state", STATES)
def test_every_state_names_what_how_grave_and_which(state: str) -> None:
    """Title and number are in every form of the card and in its preview; no state is refused by Slack."""
    rendered = incident_card(STATES[state], NOW, names)
    seen = text_of(rendered)
    assert_harmless(rendered)
    assert STATES[state].incident.title in seen
    assert "INC-42" in seen
    assert "bot1" in seen
    assert "INC-42 " in rendered.text


def test_a_new_incident_says_that_triage_is_running_and_what_the_alert_says() -> None:
    """The first post goes out before triage: the alert's own words are all that is known."""
    rendered = incident_card(STATES["new"], NOW, names)
    assert "triage is running" in text_of(rendered)
    assert "bot1 hard_stop for 3 min, drawdown 2.6 %" in text_of(rendered)
    assert "not known yet, asking" in text_of(rendered)
    assert buttons_of(rendered) == ["incident.acknowledge", "incident.silence", "incident.more"]


def test_the_card_answers_in_the_order_of_the_questions() -> None:
    """What and how grave, does the desk trade, why, what to do, its button, the rest."""
    rendered = incident_card(view(trading=TRADING, daily_loss={"bot1": 0.015}), NOW, names)
    seen = text_of(rendered)
    parts = [
        "🔴 Sev-1 · bot1 hard_stop: drawdown limit · INC-42",
        f"Trading: {TRADES} · 0 open orders · {DAY} · holds 31 % BTC · as of 03:15 UTC",
        "Almost certain: Drawdown 2.6 % passed the hard limit 2.5 %",
        "Do: Rollback on bot1…",
        "Rollback on bot1…",
        "Acknowledge",
        "Silence…",
        "since 03:12 UTC · nobody has acknowledged · BotHardStopActive, BotDailyPnlDrawdown",
    ]
    places = [seen.index(part) for part in parts[:4]]
    last = places[-1] + len("Do: Rollback on bot1…")
    for part in parts[4:]:
        last = seen.index(part, last)
        places.append(last)
    assert places == sorted(places)
    assert buttons_of(rendered)[:4] == [
        "action.rollback",
        "incident.acknowledge",
        "incident.silence",
        "incident.more",
    ]
    row = next(block for block in rendered.blocks if block["type"] == "actions")
    assert [one.get("style") for one in row["elements"]] == ["primary", None, None, None]
    assert phone_lines(rendered) <= 14


def test_the_evidence_takes_the_lines_that_are_left() -> None:
    """For it, against it, unknown; the whole of it is in the thread."""
    cause = replace(RUN.verdict.causes[0], headline="bot1's drawdown passed its limit.")
    run = replace(RUN, verdict=replace(RUN.verdict, causes=(cause,)))
    rendered = incident_card(view(incident(title="bot1 stopped"), run=run), NOW, names)
    assert "for it: risk reason drawdown_hard_limit at 03:09" in text_of(rendered)
    assert "unknown: audit stream: Redis not configured" in text_of(rendered)
    assert phone_lines(rendered) <= 14


def test_the_preview_says_what_whether_it_trades_and_what_to_do() -> None:
    """A push notification shows no blocks: its line has the same three answers."""
    text = incident_card(view(trading=TRADING, daily_loss={"bot1": 0.015}), NOW, names).text
    assert text.startswith(
        "🔴 Sev-1 · bot1 hard_stop: drawdown limit · INC-42 · Trading: 2 of 3 bots · bot1 stopped"
    )
    assert "Do: Rollback on bot1…" in text


def test_no_card_says_a_pair_of_percentages() -> None:
    """How sure we are is said in words; what is less likely is no second figure."""
    seen = text_of(incident_card(STATES["triaged"], NOW, names))
    assert "92 %" not in seen
    assert "31 %" not in seen


def test_what_no_button_can_mend_is_said_with_a_command_to_copy() -> None:
    """The advice is the thing to do; with none at all there is a command that looks and harms nothing."""
    cause = Cause(
        cause="disk_full",
        headline="The disk of the host is full.",
        confidence=0.9,
        because=("100 % of / used",),
        advice="Free space on the host.",
    )
    shown = view(run=replace(RUN, verdict=Verdict((cause,))), offers=())
    assert "Do: Free space on the host." in text_of(incident_card(shown, NOW, names))
    for by_hand, says in (
        ("docker stats --no-stream hbot-bot1", "Do: look with docker stats"),
        ("docker unpause hbot-redis", "Do: docker unpause"),
        ("docker exec hbot-bot1 rm -rf /x/__pycache__, then recreate it", "Do: docker exec hbot-bot1 rm"),
        ("/triage do resume bot1, once whoever paused it agrees", "Do: /triage do resume"),
    ):
        told = replace(cause, by_hand=by_hand)
        shown = view(run=replace(RUN, verdict=Verdict((told,))), offers=())
        assert says in text_of(incident_card(shown, NOW, names))
    unknown = view(run=replace(RUN, verdict=Verdict()), offers=())
    seen = text_of(incident_card(unknown, NOW, names))
    assert "Cause not known" in seen
    assert "Do: look with docker ps -a" in seen
    ours = replace(unknown.incident, subjects=(Subject(SubjectKind.DESK, "hbot-triage"),))
    assert "Do: look with hbot-triage doctor" in text_of(
        incident_card(replace(unknown, incident=ours), NOW, names)
    )


def test_only_commands_are_code_and_no_command_is_cut() -> None:
    """What can be copied is told apart from what must be done; half a command would be a wrong one."""
    logs, start = "docker logs --tail 50 hbot-bot1", "docker start hbot-bot1"
    leaves_of = [(part["text"], "style" in part) for part in copyable(f"{logs}; then {start}")]
    assert leaves_of == [(logs, True), ("; then ", False), (start, True)]
    assert [part["text"] for part in copyable("free or add funds at the exchange")] == [
        "free or add funds at the exchange"
    ]
    long = copyable(f"docker logs {'x' * 90}; docker start {'y' * 90}")
    assert [part["text"] for part in long] == [f"docker logs {'x' * 90}"]


def test_an_event_and_an_alert_of_one_name_are_one() -> None:
    """One kill for memory that Docker and Prometheus both tell of is no second one."""
    kill = episode("ContainerOomKilled", firing=False, is_event=True)
    both = (kill, episode("ContainerOomKilled"))
    seen = text_of(incident_card(view(episodes=both, tallies={"ContainerOomKilled": (2, 1)}), NOW, names))
    assert "· ContainerOomKilled" in seen
    assert "×" not in seen  # noqa: RUF001 - the sign for times
    assert "still firing" not in seen


def test_causes_that_stand_together_are_both_said() -> None:
    """Two independent things are broken: one of them alone would leave the other broken."""
    causes = (
        Cause("a", "Redis is down.", 0.95, ("no ping",), strength="certain", stands=True),
        Cause("b", "The exchange refuses bot1's key.", 0.8, ("40006",), strength="likely", stands=True),
        Cause("c", "The host is saturated.", 0.6, ("CPU",), strength="likely"),
    )
    seen = text_of(incident_card(view(run=replace(RUN, verdict=Verdict(causes))), NOW, names))
    assert "Almost certain: Redis is down.\nAnd likely: The exchange refuses bot1's key." in seen
    assert "saturated" not in seen


EXIT = Offer("exit_degraded_mode", "desk", "h-exit", "the way out, once Redis is well again")
ON = Degraded(NOW - timedelta(minutes=2), 1, sure=True, incident_id=42)


def test_degraded_mode_is_no_second_cause_beside_its_banner() -> None:
    """It is said once; where it is the only cause it stands as one."""
    mode = Cause(
        cause="degraded_mode", headline="Degraded mode is on since 03:02", confidence=0.96, because=()
    )
    both = replace(RUN, verdict=Verdict((*RUN.verdict.causes, mode)))
    seen = text_of(incident_card(view(run=both, degraded=ON), NOW, names))
    assert seen.count("Degraded mode is on since") == 1
    alone = replace(RUN, verdict=Verdict((mode,)))
    assert ": Degraded mode is on since 03:02" in text_of(
        incident_card(view(run=alone, degraded=ON), NOW, names)
    )


def test_the_way_out_of_degraded_mode_is_the_thing_to_do_only_once_redis_is_well() -> None:
    """Before, it waits in the menu of every incident, and what the verdict advises is the thing to do."""
    before = incident_card(view(offers=(EXIT,), degraded=ON), NOW, names)
    assert "⚠ Degraded mode is on since 03:14 UTC" in text_of(before)
    assert "Do: Exit" not in text_of(before)
    assert "action.exit_degraded_mode" not in buttons_of(before)
    [menu] = [one for _, _, one in walk(list(before.blocks)) if one["action_id"] == "incident.more"]
    assert menu["options"][-1]["text"]["text"] == "Exit degraded mode…"
    assert menu["options"][-1]["value"] == "action:h-exit"
    after = incident_card(view(offers=(EXIT,), degraded=ON, redis_well=True), NOW, names)
    assert "Do: Exit degraded mode… · Redis is well again" in text_of(after)
    assert buttons_of(after)[0] == "action.exit_degraded_mode"
    [menu] = [one for _, _, one in walk(list(after.blocks)) if one["action_id"] == "incident.more"]
    assert "Exit degraded mode…" not in str(menu)


NOTHING = replace(
    RUN,
    verdict=Verdict(
        (
            Cause(
                cause="nothing_is_wrong",
                headline="Nothing is wrong now.",
                confidence=0.97,
                because=("x",),
                advice="Nothing to do.",
                stands=True,
            ),
        )
    ),
)


def test_no_card_says_that_there_is_nothing_to_do_while_degraded_mode_is_on() -> None:
    """On another incident too: Redis is to be mended, then degraded mode is to be left."""
    elsewhere = replace(ON, incident_id=7)
    assert "Do: Nothing to do." in text_of(incident_card(view(run=NOTHING, offers=()), NOW, names))
    stands = incident_card(view(run=NOTHING, offers=(EXIT,), degraded=elsewhere), NOW, names)
    assert "Do: mend Redis, then Exit degraded mode… in the menu" in text_of(stands)
    well = incident_card(view(run=NOTHING, offers=(EXIT,), degraded=elsewhere, redis_well=True), NOW, names)
    assert buttons_of(well)[0] == "action.exit_degraded_mode"
    by_hand = incident_card(view(run=NOTHING, offers=(), degraded=None, redis_well=False), NOW, names)
    assert "degraded" not in text_of(by_hand)
    without = incident_card(view(run=NOTHING, offers=(), degraded=elsewhere, redis_well=True), NOW, names)
    assert "Do: leave degraded mode: /triage do exit_degraded_mode" in text_of(without)


def test_an_incident_that_only_degraded_mode_keeps_open_says_so_and_how_it_ends() -> None:
    """Its alerts are over: what it was is past, no cause of then is told as now, and the way out is the thing to do."""
    over = view(episodes=(episode(firing=False, ends_at=NOW),), offers=(EXIT,), degraded=ON)
    card = incident_card(over, NOW, names)
    seen = text_of(card)
    assert "🟠 Degraded mode still on · was Sev-1 · " in seen
    assert "Its alerts are over: open until degraded mode is left" in seen
    assert "Almost certain" not in seen
    assert "Do: Exit degraded mode…" in seen
    assert buttons_of(card)[0] == "action.exit_degraded_mode"
    assert "Degraded mode still on" in card.text


def test_an_incident_whose_alerts_are_over_tells_no_cause_of_then_when_degraded_mode_was_left() -> None:
    """Where it was not seen that the bots trade it stays open, and is not about Redis any more."""
    over = view(episodes=(episode(firing=False, ends_at=NOW),), degraded=None)
    card = incident_card(over, NOW, names)
    seen = text_of(card)
    assert "🟠 Alerts over · was Sev-1 · " in seen
    assert "Its alerts are over: open until it is seen that the bots trade" in seen
    assert "Do: see whether the bots trade; then Resolve in the menu" in seen
    assert "Almost certain" not in seen
    assert buttons_of(card)[0] == "incident.acknowledge"


def test_what_helped_leaves_nothing_to_do_but_to_wait_for_the_alerts() -> None:
    """What a triage of before proposes is past; a triage of after it counts again."""
    mitigated = incident(status=IncidentStatus.MITIGATED, mitigated_at=NOW)
    helped = incident_card(view(mitigated, recovered_at=NOW), NOW, names)
    assert "Do: nothing now: it is over once its alerts are" in text_of(helped)
    assert "Then almost certain: " in text_of(helped)
    assert buttons_of(helped)[0] != "action.rollback"
    looked = incident_card(view(mitigated, recovered_at=OPENED), NOW, names)
    assert "Do: Rollback on bot1…" in text_of(looked)


def test_a_second_incident_of_one_cause_says_so() -> None:
    """Who is woken twice sees that it is one thing, in the notification too."""
    card = incident_card(view(as_in="INC-7"), NOW, names)
    assert "Almost certain, as in INC-7: Drawdown 2.6 %" in text_of(card)
    assert "same cause as INC-7" in card.text


def test_a_card_that_waits_for_a_second_person_says_so_on_top_with_their_button() -> None:
    """It is above the trading line, and the button is that person's."""
    waiting = Waiting(
        kind="rollback",
        target="bot1",
        handle="h-rollback",
        by="U1",
        at=NOW,
        until=NOW + timedelta(minutes=13),
    )
    rendered = incident_card(view(waiting=(waiting,), offers=()), NOW, names)
    seen = text_of(rendered)
    words = "Rollback on bot1 waits for a second person: @ana confirmed 03:16 UTC, open until 03:29 UTC"
    assert words in seen
    assert words in rendered.text
    assert seen.index(words) < seen.index("Trading")
    assert buttons_of(rendered)[:2] == ["action.rollback", "action_reject"]
    assert "Do: Confirm as second…" in seen
    coloured = [one["action_id"] for _, _, one in walk(list(rendered.blocks)) if one.get("style")]
    assert coloured == ["action.rollback"]


def test_while_the_remedy_runs_there_is_nothing_to_press() -> None:
    """And when it has ended the card says how."""
    seen = text_of(incident_card(view(offers=(), under_way=("Clear cache on bot1",)), NOW, names))
    assert "Do: nothing now: Clear cache on bot1 is under way" in seen
    done = "Clear cache on bot1 by @ana: did what it should, trading is not back: bot1 paused (edge gate)"
    assert f"Done: {done}" in text_of(incident_card(view(done=done), NOW, names))


def test_a_resolved_incident_keeps_its_firing_facts_and_loses_its_buttons() -> None:
    """What fired, how long, who took it, which actions: one still sees it a week later."""
    rendered = incident_card(STATES["resolved"], NOW, names)
    seen = text_of(rendered)
    for word in (
        "✅ Resolved 03:31 (19 min)",
        "Sev-1",
        "drawdown 2.6 %",
        "by @ana",
        "after 2 min",
        "actions: none",
    ):
        assert word in seen
    assert buttons_of(rendered) == []
    assert rendered.text.startswith("✅ INC-42 resolved 03:31 UTC after 19 min")


def test_a_wide_incident_offers_each_action_in_a_row_of_its_own() -> None:
    """An action id may stand once in a block: the same action for three bots takes three rows."""
    rendered = incident_card(STATES["wide"], NOW, names)
    assert buttons_of(rendered).count("action.restart") == 3
    assert "Restart on bot2…" in text_of(rendered)


def test_a_quiet_incident_says_that_it_still_fires() -> None:
    """Closed by hand is not over."""
    assert "closed by hand, still firing" in text_of(incident_card(STATES["quiet"], NOW, names))


def test_a_long_title_keeps_its_number() -> None:
    """The header is cut in the title, never in the number."""
    rendered = incident_card(view(incident(title="x" * 500)), NOW, names)
    assert rendered.blocks[0]["text"]["text"].endswith("… · INC-42")


def test_many_offers_are_shown_in_rows_of_five() -> None:
    """Five fit on a row of a phone; the remedy stands apart from them."""
    offers = tuple(
        Offer(kind, "bot1", f"h-{kind}")
        for kind in ("rollback", "restart", "recreate", "resume", "clear_cache", "kill_switch", "soft_pause")
    )
    rendered = incident_card(view(offers=offers), NOW, names)
    rows = [len(block["elements"]) for block in rendered.blocks if block["type"] == "actions"]
    assert rows == [4, 5, 1]


def test_the_triage_says_its_verdict_first_then_what_is_not_ok_and_folds_the_rest() -> None:
    """On a phone all of it is at most eighteen lines; the whole report is behind its button."""
    rendered = triage_message([RUN], NOW, "h-42")
    seen = text_of(rendered)
    parts = [
        "Triage · 03:12 UTC",
        "Almost certain: Drawdown 2.6 %",
        "🔴 Bot state: hard_stop for 4 min",
        "🟠 Error logs: 14 in 15 min",
        "🟢 2 more checks ok: fee source, container",
        "⚪ Unknown: Streams: Redis not configured",
        "Full report",
    ]
    places = [seen.index(part) for part in parts]
    assert places == sorted(places)
    assert phone_lines(rendered) <= 18
    assert "Order book stream disconnected" not in seen
    report = str(report_view(incident(), RUN, NOW))
    assert "Order book stream disconnected" in report
    assert "risk reason drawdown_hard_limit at 03:09" in report


def test_what_is_unknown_says_why_where_its_checks_are_many() -> None:
    """The reason of the most, two of their names, and how many more are unknown."""
    checks = ("bot_state", "fee_source", "error_logs", "container", "changes", "host", "scope")
    unknown = [Finding(name, FindingStatus.UNKNOWN, "", "", why="no answer within 4 s") for name in checks]
    other = Finding(
        "streams", FindingStatus.UNKNOWN, "", "", why="no answer 3 times in a row, so it is not asked"
    )
    seen = text_of(triage_message([replace(RUN, findings=(other, *unknown))], NOW, "h-42"))
    assert "⚪ Unknown: Bot state, Fee source and 5 more: no answer within 4 s; and 1 more" in seen


def test_checks_that_find_no_room_are_named() -> None:
    """``and 2 more`` of nothing says nothing."""
    long = "several words that fill a line of a phone and a second one"
    causes = tuple(
        replace(RUN.verdict.causes[0], headline=f"{long} {each}", follows=(long,)) for each in "ab"
    )
    verdict = replace(RUN.verdict, causes=causes, unexplained=(long,))
    fine = replace(RUN.findings[1], headline=long)
    bad = tuple(replace(RUN.findings[0], name=name, headline=long) for name in ("streams", "error_logs"))
    run = replace(RUN, verdict=verdict, findings=(*bad, fine, RUN.findings[4]))
    rendered = triage_message([run], NOW, "h-42")
    assert "🔴 2 checks not ok: streams, error logs" in text_of(rendered)
    assert phone_lines(rendered) <= 18


def test_a_later_triage_adds_one_line_with_what_changed() -> None:
    """The first line says that it was asked again; a triage that found the same adds nothing."""
    warning = Finding("error_logs", FindingStatus.WARNING, "too many", "Loki")
    counts = [replace(warning, data={"bots": {"bot1": {"count": count}}}) for count in (14, 61)]
    state = Finding("bot_state", FindingStatus.OK, "running", "Prometheus")
    worse = replace(state, status=FindingStatus.CRITICAL, headline="hard_stop")
    first = replace(RUN, findings=(state, counts[0]))
    later = replace(RUN, id=8, findings=(worse, counts[1]), finished_at=NOW)
    seen = text_of(triage_message([first, later], NOW, "h-42"))
    assert "Triage · 03:12 UTC, again 03:16 UTC" in seen
    assert "03:16 UTC changed: bot state: hard_stop, error logs 14 → 61" in seen
    assert "changed" not in text_of(triage_message([first, first], NOW, "h-42"))
    again = triage_message([later, replace(first, finished_at=NOW)], NOW, "h-42")
    assert "changed: bot state ok now, error logs 61 → 14" in text_of(again)


@pytest.mark.parametrize("length", range(20, 90, 7))
def test_nothing_is_cut_inside_a_word(length: int) -> None:
    """What does not fit ends between two words."""
    text = "Redis does not answer: the external signal and risk stack cannot work, the bots keep their safeguards"
    short = cut(text, length)
    assert len(short) <= length
    assert set(short.removesuffix("…").split()) <= {
        *text.split(),
        *(word.strip(",:") for word in text.split()),
    }


def test_a_line_says_when_who_and_what_and_when_it_was_learned() -> None:
    """A change that was learned late says so; nobody is pinged."""
    entry = TimelineEntry(
        incident_id=42,
        at=OPENED,
        recorded_at=NOW,
        kind=TimelineKind.ACKNOWLEDGED,
        text="acknowledged",
        actor="U1",
    )
    assert text_of(timeline_lines([entry], NOW, names)) == "03:12 UTC · @ana acknowledged (learned 03:16 UTC)"


@pytest.mark.parametrize("did", ["joined", "resolved", "fires again"])
def test_what_one_alert_did_on_many_places_at_once_is_one_line_that_counts(did: str) -> None:
    """Ten containers that follow one another are one change; what came later is another one."""
    entries = [
        TimelineEntry(
            incident_id=42,
            at=OPENED,
            recorded_at=OPENED,
            kind=TimelineKind.JOINED,
            text=f"ContainerDown on {name} {did}",
        )
        for name in ("bot1", "bot2", "bot3", "redis", "loki", "grafana")
    ]
    other = replace(entries[0], text="BotFrozen on bot1 joined")
    late = OPENED + timedelta(minutes=3)
    later = replace(entries[0], at=late, recorded_at=late, text="BotFrozen on bot2 joined")
    seen = text_of(timeline_lines([*entries, other, later], NOW, names))
    assert seen.splitlines() == [
        f"03:12 UTC · ContainerDown on bot1, bot2, bot3, redis and 2 more {did}",
        "03:12 UTC · BotFrozen on bot1 joined",
        "03:15 UTC · BotFrozen on bot2 joined",
    ]


def test_a_day_is_named_only_when_it_is_another_one() -> None:
    """Times are UTC, short today, with the day otherwise."""
    entry = TimelineEntry(
        incident_id=42,
        at=OPENED - timedelta(days=3),
        recorded_at=OPENED - timedelta(days=3),
        kind=TimelineKind.NOTE,
        text="note",
    )
    assert text_of(timeline_lines([entry], NOW, names)) == "17 Feb 03:12 UTC · note"


def test_code_that_looks_like_markup_is_shown_as_it_is() -> None:
    """Underscores, stars and angle brackets of ordinary text survive in the message itself."""
    odd = episode(annotations={"summary": "a < b & c * d in __init__ of <err>"})
    assert "a < b & c * d in __init__ of <err>" in text_of(
        incident_card(view(episodes=(odd,), run=None), NOW, names)
    )


def test_who_has_acknowledged_stays_on_a_card_with_a_long_title() -> None:
    """What gives way is since when, which the links' line tells too."""
    long = incident(
        title="bot1 " + "a long story " * 6,
        status=IncidentStatus.ACKNOWLEDGED,
        acknowledged_at=NOW,
        acknowledged_by="U1",
    )
    seen = text_of(incident_card(view(long, trading=TRADING), NOW, names))
    assert f"acknowledged by {names('U1')} after" in seen


def test_a_row_whose_age_alone_moved_is_no_change_of_it() -> None:
    """The streams are older or younger at each look; an image, a count, and what is not well are told."""

    def matters(before: str, after: str, *, good: bool | None = True) -> bool:
        return row_matters(Compared("Streams", before, after, good))

    assert not matters(
        "market data 4 s old · audit 2 h 5 min old", "market data 11 s old · audit 2 h 6 min old"
    )
    assert not matters("Redis up, memory 12 % of 1 GiB", "Redis up, memory 13.5 % of 1 GiB")
    assert matters("market data 4 s old", "market data 40 min old", good=None)
    assert matters("runs, image hummingbot:2.4", "runs, image hummingbot:2.5")
    assert matters("3 dead letters in 1 h", "9 dead letters in 1 h")
    assert matters("market data 4 s old", "market data 4 s old", good=False)


def test_a_warning_that_decides_nothing_is_no_question_mark_under_what_recovered() -> None:
    """``?`` says that it is not known whether it helped."""
    row = Compared("Container", "up 31 min, 1 exit in 1 h", "up 77 s, restarted by us, 1 exit in 1 h", None)
    record = ActionRecord(
        kind="restart",
        target="bot1",
        why="",
        proposed_by="verdict",
        proposed_at=OPENED,
        expires_at=NOW,
        changed_at=NOW,
        status=ActionStatus.SUCCEEDED,
    )

    def shown(outcome: VerificationOutcome) -> str:
        verified = replace(record, verification=Verification(outcome, NOW, (row,)))
        return text_of(action_message(ActionView(verified, ()), NOW, names))

    assert "· Container: up 77 s" in shown(VerificationOutcome.RECOVERED)
    assert "? Container: up 77 s" in shown(VerificationOutcome.INCONCLUSIVE)


def test_a_cause_that_does_not_explain_the_card_s_own_alert_says_so() -> None:
    """It explains another alert of the incident; where it explains both, or is of what is over, nothing is said."""
    cause = replace(RUN.verdict.causes[0], explains=("BotFrozen bot1",), stands=True)

    def told(unexplained: tuple[str, ...], *explains: str) -> str:
        verdict = replace(RUN.verdict, causes=(replace(cause, explains=explains),), unexplained=unexplained)
        return text_of(incident_card(view(run=replace(RUN, verdict=verdict)), NOW, names))

    assert "Almost certain, but not for BotHardStopActive: " in told(
        ("BotHardStopActive bot1",), "BotFrozen bot1"
    )
    assert "not for" not in told((), "BotHardStopActive bot1")
    assert "not for" not in told(("BotHardStopActive bot2",), "BotHardStopActive bot1")
    assert "not for" not in told(("BotFrozen bot1",), "BotHardStopActive bot1")

"""Every word of ``/triage``, typed into Slack: who sees the answer, how soon, and what it says."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from demo.slack import Fault, Message
from tests.flows.desk_files import write_desk, write_minutes
from tests.flows.harness import CHANNEL, Harness, running_harness, shown

Require = Callable[..., Path]
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("commands")]
BOTS = ("bot1", "bot2", "bot3")
FIRST_WORD_SECONDS = 3.0
"""What Slack allows until a person must have seen something."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(require: Require, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Harness]:
    """Run the harness once for all commands, with the desk's files and a hard stop on bot1."""
    folder = tmp_path_factory.mktemp("commands")
    paths = write_desk(folder / "desk", BOTS)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    write_minutes(folder / "desk" / "data", "bot1", now - timedelta(hours=50), now)
    write_minutes(folder / "desk" / "data", "bot2", now - timedelta(hours=3), now)
    desk = {
        "paths": paths,
        "bots": [{"name": bot} for bot in BOTS],
        "drill": {"hold_seconds": 4, "hop_seconds": 30, "resolve_seconds": 30},
    }
    async with running_harness(require, folder, desk=desk) as running:
        running.exporter.set("bot1", state="hard_stop")
        card = await running.card(lambda card: "hard stop" in card.text)
        await running.until(lambda: any("Triage" in line for line in running.thread(card)), "the triage")
        yield running


async def card_of(harness: Harness) -> Message:
    """Return bot1's incident."""
    return await harness.card(lambda card: "bot1" in card.text and "hard stop" in card.text)


async def ask(harness: Harness, line: str, user: str = "ana", *, seconds: float = 20) -> str:
    """Type a command; return what only this person sees, once it is more than Looking…."""
    before = {message.ts for message in harness.slack.ephemerals(CHANNEL, user)}
    clock = asyncio.get_running_loop().time
    began = clock()
    outcome = await harness.slack.member(user).command(line, CHANNEL)
    assert outcome.acked
    assert outcome.seconds < FIRST_WORD_SECONDS

    def answers() -> list[Message]:
        return [message for message in harness.slack.ephemerals(CHANNEL, user) if message.ts not in before]

    await harness.until(answers, f"a first word to {line}")
    assert clock() - began < FIRST_WORD_SECONDS
    await harness.until(
        lambda: "Looking…" not in answers()[-1].text, f"the answer to {line}", seconds=seconds
    )
    assert len(answers()) == 1, "the answer replaces the waiting word"
    return " ".join(shown(answers()[-1]).split())


async def test_help_lists_every_command(harness: Harness) -> None:
    """Help names each command with its usage and what it is for."""
    text = await ask(harness, "/triage help")
    for usage in (
        "status [bot]",
        "run <bot>",
        "kpi [bot]",
        "checklist [startup",
        "do <action> <target>",
        "drill",
    ):
        assert f"/triage {usage}" in text


async def test_no_word_at_all_is_help(harness: Harness) -> None:
    """An empty command answers with the help instead of an error."""
    assert "What I can do" in await ask(harness, "/triage")


async def test_status_is_the_desk_at_a_glance(harness: Harness) -> None:
    """Each bot has its state, edge and fees; the open incident and what is not known stand below."""
    text = await ask(harness, "/triage status")
    assert "stopped" in text
    assert "running" in text
    assert "net edge +0.020 %" in text
    assert "fees api" in text
    assert re.search(r"INC-\d+", text)
    assert "not configured" in text, "Docker is not there, and that is said"


async def test_status_of_one_bot_leaves_the_others_out(harness: Harness) -> None:
    """A bot's name narrows it down."""
    text = await ask(harness, "/triage status BOT2")
    assert "bot2" in text
    assert "bot3" not in text


async def test_run_triages_without_an_alert(harness: Harness) -> None:
    """The findings come with a likely cause, and nothing is stored."""
    text = await ask(harness, "/triage run bot1")
    assert "Triage of bot1" in text
    assert "bot state" in text
    assert "nothing was stored" in text


async def test_run_without_a_bot_says_how(harness: Harness) -> None:
    """A missing argument is answered with an example."""
    assert "Which bot? For instance: /triage run bot1" in await ask(harness, "/triage run")


async def test_an_unknown_bot_is_answered_with_the_known_ones(harness: Harness) -> None:
    """A wrong argument names the right ones."""
    assert "There is no bot 'bot9'; the desk has bot1, bot2, bot3." in await ask(
        harness, "/triage status bot9"
    )
    assert "There is no bot 'Bot-3'; did you mean bot3?" in await ask(harness, "/triage kpi Bot-3 7d")


async def test_nothing_that_was_typed_is_left_out_silently(harness: Harness) -> None:
    """A second bot is not dropped, an action without a target is not done to the desk, a pasted slash is understood."""
    assert "'bot2' is too much here" in await ask(harness, "/triage run bot1 bot2")
    assert "'bot2' is too much here" in await ask(harness, "/triage kpi bot3 24h bot2")
    assert "'bot3' is too much here" in await ask(harness, "/triage do restart bot1 bot3")
    assert "restart to what? For instance: /triage do restart bot1" in await ask(
        harness, "/triage do restart"
    )
    assert "did you mean risk-service?" in await ask(harness, "/triage do restart risk_service")
    assert "1 open incident" in await ask(harness, "/triage /triage incidents")


async def test_incidents_lists_what_is_open(harness: Harness) -> None:
    """The open one stands there with its severity and age."""
    text = await ask(harness, "/triage incidents")
    assert "1 open incident" in text
    assert "Sev-1" in text


async def test_show_tells_an_incidents_story(harness: Harness) -> None:
    """State, causes, findings, and what happened when."""
    text = await ask(harness, "/triage show INC-1")
    assert "stopped" in text
    assert "Findings" in text
    assert "What happened (UTC)" in text
    assert re.search(r"\d\d:\d\d:\d\d", text)


async def test_show_of_an_unknown_incident_says_where_to_look(harness: Harness) -> None:
    """A number nobody knows is no crash."""
    assert "There is no incident INC-4711" in await ask(harness, "/triage show 4711")


async def test_show_of_no_number_says_what_one_looks_like(harness: Harness) -> None:
    """Words that are no number are answered with an example."""
    assert "write for instance INC-42 or 42" in await ask(harness, "/triage show seven")


async def test_acknowledging_by_command_changes_the_card(harness: Harness) -> None:
    """Ack is the button, typed."""
    assert "INC-1 is yours." in await ask(harness, "/triage ack 1")
    card = await card_of(harness)
    await harness.until(lambda: any("@ana acknowledged" in line for line in harness.thread(card)), "the line")


async def test_a_viewer_is_denied_and_that_is_recorded(harness: Harness) -> None:
    """No role: a private no, and a line in the incident's story."""
    assert "may not resolve incidents" in await ask(harness, "/triage resolve 1", "vik")
    assert "denied: resolve incidents" in await ask(harness, "/triage show 1")


async def test_silence_opens_the_form(harness: Harness) -> None:
    """The command opens the very form of the button, for the incident it names."""
    ana = harness.slack.member("ana")
    outcome = await ana.command("/triage silence inc-1", CHANNEL)
    assert outcome.acked
    modal = await ana.sees_modal("incident_silence")
    assert "BotHardStopActive" in str(modal.body)
    await ana.close()


async def test_silence_of_a_viewer_is_refused(harness: Harness) -> None:
    """No role, no form."""
    assert "may not silence alerts" in await ask(harness, "/triage silence 1", "vik")


async def test_kpi_measures_a_window_and_gives_a_verdict(harness: Harness) -> None:
    """The verdict comes first, then a line a KPI with its limit, the result, the coverage."""
    text = await ask(harness, "/triage kpi bot1 24h")
    assert "KPIs of bot1, last 24h: hold" in text
    for name in (
        "Running",
        "Flapping",
        "Turnover",
        "Drawdown",
        "Rejects",
        "Tracking error",
        "Result",
        "Gates",
    ):
        assert name in text
    assert re.search(r"pass · (100|99(\.\d+)?) % \(≥ 65 %\)", text), "a minute may have begun since the rows"
    assert re.search(r"1,4[34]\d of 1,440 minutes", text)
    assert "unresolved: INC-1" in text


async def test_kpi_of_the_whole_desk_says_what_is_missing(harness: Harness) -> None:
    """A bot that wrote nothing is said to have written nothing."""
    text = await ask(harness, "/triage kpi")
    assert "bot3 hold: not a single minute was written" in text
    assert "A bot's figures for instance: /triage kpi bot1 24h" in text, "three bots are too long for a phone"
    assert re.search(r"bot1 hold: .* · PnL", text)


async def test_a_window_that_is_none_is_refused_with_an_example(harness: Harness) -> None:
    """Nobody guesses what 5x may mean."""
    assert "write for instance 24h, 7d or 30d" in await ask(harness, "/triage kpi bot1 5x")


async def test_the_pictures_of_a_private_kpi_are_in_the_persons_direct_messages(harness: Harness) -> None:
    """A file cannot be for one person in a channel: the answer says where the pictures are, and there they are."""
    text = await ask(harness, "/triage kpi bot1 24h", "ben")
    assert "the pictures are in your direct messages with me" in text
    direct = harness.slack.workspace.direct("U0BEN00001").id
    await harness.until(
        lambda: any(one.files for one in harness.slack.messages(direct)), "the picture", seconds=40
    )
    first, second = harness.slack.messages(direct)
    assert first.text.startswith("KPIs of bot1, last 24h")
    assert [file["title"] for file in second.files] == ["bot1, last 24h"]


async def test_pictures_that_cannot_be_sent_are_said_to_be_missing(harness: Harness) -> None:
    """Who waits for a picture is told that it will not come, and how to get it."""
    harness.slack.faults.add(Fault.error("files.getUploadURLExternal", "storage_limit_reached"))
    before = len(harness.slack.ephemerals(CHANNEL, "ana"))
    await harness.slack.member("ana").command("/triage kpi bot1 24h", CHANNEL)

    def said() -> bool:
        return any(
            "could not be sent (storage_limit_reached). Add share" in message.text
            for message in harness.slack.ephemerals(CHANNEL, "ana")[before:]
        )

    await harness.until(said, "the failure")


async def test_a_shared_kpi_comes_with_its_picture(harness: Harness) -> None:
    """Share posts the answer for everybody and the picture with its alt text behind it."""
    outcome = await harness.slack.member("ana").command("/triage kpi bot1 24h share", "desk-digest")
    assert outcome.acked
    await harness.until(
        lambda: any("KPIs of bot1" in shown(one) for one in harness.slack.messages("desk-digest")),
        "the answer",
    )
    await harness.until(
        lambda: any(one.files for one in harness.slack.messages("desk-digest")), "the picture", seconds=40
    )
    [picture] = [file for one in harness.slack.messages("desk-digest") for file in one.files]
    stored = harness.slack.workspace.files[picture["id"]]
    assert (stored.content or b"").startswith(b"\x89PNG")
    assert stored.alt_text.startswith("bot1,")


async def test_only_an_operators_pictures_go_into_a_channel(harness: Harness) -> None:
    """Whoever may not write gets them in private, and is told so."""
    before = [one.ts for one in harness.slack.messages("desk-digest") if one.files]
    await harness.slack.member("vik").command("/triage kpi bot1 24h share", "desk-digest")

    def told() -> bool:
        said = [one.text for one in harness.slack.ephemerals("desk-digest", "vik")]
        return any("pictures are in your direct messages" in text and "operator" in text for text in said)

    await harness.until(told, "where the pictures are", seconds=40)
    assert [one.ts for one in harness.slack.messages("desk-digest") if one.files] == before


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("startup", ("env/.env is complete pass ·", "services are up could not be checked · Docker")),
        ("dashboard", ("Grafana datasources are healthy could not be checked · Grafana: not configured",)),
        ("paper", ("controllers trade on paper pass ·", "paper balances are realistic pass ·", "bot1 ")),
        ("health", ("connectors are ready", "audit stream is populated could not be checked · Redis")),
    ],
)
async def test_a_checklist_says_each_item(harness: Harness, name: str, items: tuple[str, ...]) -> None:
    """Passed, failed, or could not be checked and why."""
    text = await ask(harness, f"/triage checklist {name}")
    for item in items:
        assert item in text


async def test_all_checklists_in_one_answer(harness: Harness) -> None:
    """Without a name all four are run."""
    text = await ask(harness, "/triage checklist", seconds=30)
    for title in ("Start-up", "Dashboards and alerting", "Paper trading", "Health"):
        assert title in text


async def test_a_misspelt_checklist_gets_the_nearest(harness: Harness) -> None:
    """Startpu is startup."""
    assert "did you mean startup?" in await ask(harness, "/triage checklist startpu")


async def test_actions_lists_the_catalogue(harness: Harness) -> None:
    """Each kind with what it does, who may, and how many confirm."""
    text = await ask(harness, "/triage actions")
    for kind in ("degraded_mode", "clear_cache <bot>", "rollback <bot>", "kill_switch", "stop_desk"):
        assert kind in text


async def test_do_opens_the_form_of_a_button(harness: Harness) -> None:
    """Do is the button, typed: the same confirm form."""
    ana = harness.slack.member("ana")
    assert (await ana.command("/triage do soft_pause bot2", CHANNEL)).acked
    modal = await ana.sees_modal()
    assert "bot2" in str(modal.body)
    await ana.close()


async def test_do_of_an_unknown_action_gets_the_nearest(harness: Harness) -> None:
    """A misspelt kind is answered with the nearest one."""
    assert "did you mean restart?" in await ask(harness, "/triage do restrat bot1")


async def test_do_on_an_unknown_target_names_the_possible_ones(harness: Harness) -> None:
    """A wrong target is answered with the right ones."""
    assert "bot1" in await ask(harness, "/triage do clear_cache bot9")


async def test_an_unknown_word_gets_the_nearest_command_and_the_help(harness: Harness) -> None:
    """A typing error costs nothing."""
    text = await ask(harness, "/triage staus")
    assert "I do not know 'staus'. Did you mean /triage status [bot]?" in text
    assert "/triage incidents" in text


async def test_hostile_words_are_shown_as_letters(harness: Harness) -> None:
    """What was typed comes back as text: it pings nobody and opens no link."""
    text = await ask(harness, "/triage <!channel> <https://evil.example|click>")
    assert "!channel>'" in text
    blocks = str(harness.slack.ephemerals(CHANNEL, "ana")[-1].blocks)
    assert "mrkdwn" not in blocks


async def test_share_shows_it_to_everybody(harness: Harness) -> None:
    """Share posts the answer where the command was typed."""
    outcome = await harness.slack.member("ben").command("/triage incidents share", "desk-digest")
    assert outcome.acked
    await harness.until(
        lambda: any("open incident" in shown(one) for one in harness.slack.messages("desk-digest")),
        "the answer",
    )
    assert not harness.slack.ephemerals("desk-digest", "ben")


async def test_a_mention_in_a_thread_means_its_incident(harness: Harness) -> None:
    """@app show, in an incident's thread, needs no number and answers there."""
    card = await card_of(harness)
    harness.slack.member("ana").say(CHANNEL, f"<@{harness.slack.app.bot_user}> show", thread_ts=card.ts)
    await harness.until(
        lambda: any("What happened (UTC)" in line for line in harness.thread(card)), "the story in the thread"
    )


async def test_a_refusal_is_for_who_asked_alone_and_names_nobody_by_an_id(harness: Harness) -> None:
    """By a mention, and by a command that was to be shared: the channel sees nothing, nobody is pinged."""
    card, vik = await card_of(harness), harness.slack.member("vik")
    public = {message.ts for message in harness.slack.messages(CHANNEL)}
    vik.say(CHANNEL, f"<@{harness.slack.app.bot_user}> resolve", thread_ts=card.ts)
    await harness.until(lambda: len(_refused(harness)) >= 1, "the refusal of the mention")
    assert (await vik.command("/triage resolve 1 share", CHANNEL)).acked
    await harness.until(lambda: len(_refused(harness)) >= 2, "the refusal of the command")
    assert {message.ts for message in harness.slack.messages(CHANNEL)} == public
    assert not any("may not resolve" in line for line in harness.thread(card))
    for message in _refused(harness):
        bare = re.sub(r"<[@!][^>]*>", "", shown(message))
        assert not re.search(r"\b[US]0[A-Z0-9]{6,}", bare), "names, no ids"


def _refused(harness: Harness) -> list[Message]:
    return [one for one in harness.slack.ephemerals(CHANNEL, "vik") if "may not resolve" in one.text]


async def test_somebody_is_put_on_call_by_the_name_that_is_typed(harness: Harness) -> None:
    """As Slack sends a name that was chosen from its list; by whom, until when, and taken back."""
    assert "is on call until" in await ask(harness, "/triage oncall @ben 2 h")
    shown_now = await ask(harness, "/triage oncall")
    assert "is on call until" in shown_now
    assert "override by @ana" in shown_now
    assert "may not change who is on call" in await ask(harness, "/triage oncall clear", "vik")
    assert "The override is over" in await ask(harness, "/triage oncall clear")
    assert "There was no override" in await ask(harness, "/triage oncall clear")
    assert "Choose the name from Slack's list" in await ask(harness, "/triage oncall @nobody")


async def test_a_mention_outside_a_thread_answers_in_one(harness: Harness) -> None:
    """A question at the top is answered below itself."""
    asked = harness.slack.member("ana").say(CHANNEL, f"<@{harness.slack.app.bot_user}> status bot2")
    await harness.until(
        lambda: any("bot2" in line for line in harness.thread(asked)), "the answer in its thread"
    )


async def test_postmortem_comes_as_files_in_the_thread(harness: Harness) -> None:
    """Markdown and JSON, with the timeline, the causes and the audit trail."""
    card = await card_of(harness)
    assert await harness.choose("ana", card, "retriage")
    await harness.until(lambda: any(", again " in line for line in harness.thread(card)), "another triage")
    assert "on its way into its thread" in await ask(harness, "/triage postmortem 1")

    def files() -> list[str]:
        return [file["id"] for message in harness.slack.thread(card) for file in message.files]

    await harness.until(lambda: len(files()) >= 3, "both files and the chart", seconds=40)
    stored = {harness.slack.workspace.files[one].name: harness.slack.workspace.files[one] for one in files()}
    text = (stored["postmortem-INC-1.md"].content or b"").decode()
    for part in ("# Postmortem INC-1", "## Timeline", "## Root cause", "## Impact", "## Corrective action"):
        assert part in text
    assert "](chart-INC-1.png)" in text
    assert (stored["chart-INC-1.png"].content or b"").startswith(b"\x89PNG")
    assert "incident.retriage" in text, "the audit trail is in it"
    assert b'"number": "INC-1"' in (stored["postmortem-INC-1.json"].content or b"")


async def test_a_drill_comes_the_whole_way_and_is_told_hop_by_hop(harness: Harness) -> None:
    """A real Alertmanager carries the marked alert to its webhook; the report is edited until it is over."""
    assert "Drill: under way" in await ask(harness, "/triage drill")

    def report() -> str:
        return next((shown(one) for one in harness.cards() if "Drill: " in one.text and one.blocks), "")

    def told() -> str:
        found = [shown(one) for one in harness.cards() if "Alertmanager took the test alert" in shown(one)]
        return found[-1] if found else ""

    await harness.until(lambda: "an alert reaches Slack in" in told(), "the whole way", seconds=60)
    assert "failed" not in told()
    assert "its webhook reached us and was stored" in told()
    [drill] = [one for one in harness.cards() if "nothing is wrong" in one.text]
    assert "Sev-3" in shown(drill)
    assert "action." not in str(drill.blocks), "a drill proposes nothing"
    assert report()
    assert "the last one came through" in await ask(harness, "/triage checklist dashboard")


async def test_a_viewer_may_not_drill(harness: Harness) -> None:
    """Firing a test alert is for those who hold a role."""
    assert "may not fire a drill" in await ask(harness, "/triage drill", "vik")


async def test_the_home_tab_shows_the_desk_and_its_buttons_act(harness: Harness) -> None:
    """Home has the glance and the incident's buttons; a press there is the press on the card."""
    ben = harness.slack.member("ana")
    ben.open_home()
    await harness.until(lambda: ben.home is not None and "bot3" in str(ben.home.body), "the Home tab")
    assert ben.home is not None
    assert "1 open incident" in str(ben.home.body)
    assert (await ben.click(ben.home, "incident.retriage")).acked
    card = await card_of(harness)
    await harness.until(lambda: any(", again " in line for line in harness.thread(card)), "another triage")
    assert sum("Triage ·" in line for line in harness.thread(card)) == 1, "one message, edited"


async def test_the_home_tab_follows_the_incidents(harness: Harness) -> None:
    """Who has it open sees an incident end without opening it again."""
    ana = harness.slack.member("ana")
    ana.open_home()
    await harness.until(
        lambda: ana.home is not None and "open incident" in str(ana.home.body), "the Home tab"
    )
    harness.exporter.set("bot1", state="running")
    await harness.until(
        lambda: ana.home is not None and "No open incidents" in str(ana.home.body),
        "Home to follow",
        seconds=40,
    )

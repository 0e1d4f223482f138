"""People press buttons: what they may is done once and stored first, what they may not is said and recorded."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from demo.slack import Fault, Message, SlackServer
from demo.slack.blockkit import walk
from handlers.slack.buttons import NOT_STORED
from tests.bot.slack.workbench import CHANNEL, until
from tests.fakes.episodes import firing as firing_alert
from tests.handlers.slack.conftest import Desk, private_answer
from triage.actions.confirmation import UNKNOWN_BUTTON
from triage.errors import NotStored, SourceError, SourceNotConfigured, SourceTimeout
from triage.model import (
    Incident,
    IncidentStatus,
    Subject,
    SubjectKind,
    TimelineKind,
)
from triage.ports.sources import ActiveAlert
from triage.ports.store import AuditEntry, Tx


async def opened(desk: Desk, *bots: str) -> tuple[Incident, Message]:
    """Open an incident whose alert fires for each bot, and wait for its card."""
    incident = await desk.bench.open()

    def fire(tx: Tx) -> None:
        for bot in bots or ("bot1",):
            now = datetime.now(UTC)
            labels = {"alertname": "BotHardStopActive", "bot": bot, "regime": "trend"}
            tx.incidents.put_episode(
                firing_alert(
                    "BotHardStopActive",
                    Subject(SubjectKind.BOT, bot),
                    now,
                    incident_id=incident.id,
                    episode=f"{bot}/{now.isoformat()}",
                    labels=labels,
                )
            )

    await desk.bench.store.write(fire)
    await desk.bench.settled()
    return incident, desk.bench.cards()[-1]


async def now_of(desk: Desk, incident: Incident) -> Incident:
    """Return the incident as it is stored."""
    found = await desk.bench.store.read(lambda tx: tx.incidents.get(incident.id))
    assert found is not None
    return found


async def choose(desk: Desk, user: str, card: Message, what: str) -> None:
    """Choose from the menu of a card."""
    [menu] = [one for _, _, one in walk(card.blocks) if one["action_id"] == "incident.more"]
    [option] = [one for one in menu["options"] if one["value"].startswith(f"{what}:")]
    await desk.bench.slack.member(user).click(card, "incident.more", option["value"])


async def test_an_acknowledge_is_stored_shown_and_told(desk: Desk) -> None:
    """Ana presses: her name is on the card and in the thread, and nobody is pinged by it."""
    incident, card = await opened(desk)
    outcome = await desk.bench.slack.member("ana").click(card, "incident.acknowledge")
    assert outcome.acked
    assert (await now_of(desk, incident)).acknowledged_by == "U0ANA00001"
    await desk.bench.settled()
    card = desk.bench.cards()[-1]
    assert "acknowledged by @ana" in str(card.blocks)
    assert "@ana acknowledged" in str(desk.bench.slack.thread(card)[0].blocks)
    assert "U0ANA00001" not in str(card.blocks)
    assert incident.number in await private_answer(desk, "ana")


async def test_a_viewer_is_told_privately_and_it_is_recorded(desk: Desk) -> None:
    """Vik has no role: nothing changes, he is told so, the timeline and the audit trail know."""
    incident, card = await opened(desk)
    await choose(desk, "vik", card, "resolve")
    assert "You may not resolve incidents" in await private_answer(desk, "vik")
    assert (await now_of(desk, incident)).status is IncidentStatus.TRIGGERED
    kinds = await desk.bench.store.read(lambda tx: [entry.kind for entry in tx.timeline.of(incident.id)])
    assert TimelineKind.DENIED in kinds
    trail = await desk.bench.store.read(lambda tx: tx.audit.entries())
    assert trail[-1].event == "denied"
    assert trail[-1].actor == "U0VIK00001"


async def test_of_two_racing_clicks_the_first_wins_and_the_second_is_told(desk: Desk) -> None:
    """Ana and Ben press at once: one of them has it, the other is told so."""
    _, card = await opened(desk)
    slack = desk.bench.slack
    await asyncio.gather(*(slack.member(name).click(card, "incident.acknowledge") for name in ("ana", "ben")))
    answers = [await private_answer(desk, "ana"), await private_answer(desk, "ben")]
    assert sum("is yours" in answer for answer in answers) == 1
    assert sum("already" in answer for answer in answers) == 1
    trail = await desk.bench.store.read(lambda tx: tx.audit.entries())
    assert [entry.event for entry in trail] == ["incident.acknowledge"]


async def test_a_forged_button_is_answered_politely(desk: Desk) -> None:
    """A value that stands for nothing finds nothing, and nothing breaks."""
    _, card = await opened(desk)
    for block in card.blocks:
        for element in block.get("elements", []):
            if element.get("action_id") == "incident.acknowledge":
                element["value"] = "'; DROP TABLE incidents; --"
    outcome = await desk.bench.slack.member("ana").click(card, "incident.acknowledge")
    assert outcome.acked
    assert await private_answer(desk, "ana") == UNKNOWN_BUTTON


async def test_an_old_button_of_a_resolved_incident_is_answered_politely(desk: Desk) -> None:
    """A click on a message that somebody scrolled back to changes nothing."""
    incident, card = await opened(desk)
    old = replace(card)
    await desk.bench.change(replace(incident, status=IncidentStatus.RESOLVED, resolved_at=datetime.now(UTC)))
    await desk.bench.settled()
    desk.bench.slack.workspace.channel(CHANNEL).messages[card.ts].blocks = old.blocks
    await desk.bench.slack.member("ana").click(old, "incident.acknowledge")
    assert "resolved already" in await private_answer(desk, "ana")


async def test_a_store_that_is_away_is_said_and_the_click_is_still_answered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was stored, so nothing was done, and the person knows."""
    _, card = await opened(desk)

    async def away(_work: object) -> object:
        raise NotStored("disk full")

    monkeypatch.setattr(desk.services.store, "write", away)
    outcome = await desk.bench.slack.member("ana").click(card, "incident.acknowledge")
    monkeypatch.undo()
    assert outcome.acked
    assert await private_answer(desk, "ana") == NOT_STORED


async def test_triage_again_queues_a_run(desk: Desk) -> None:
    """The button asks for another triage."""
    incident, card = await opened(desk)
    await choose(desk, "ben", card, "retriage")
    run = await desk.bench.store.read(lambda tx: tx.runs.latest(incident.id))
    assert run is not None
    assert "under way" in await private_answer(desk, "ben")


async def test_a_silence_is_written_to_alertmanager_and_on_the_timeline(desk: Desk) -> None:
    """The modal shows what is matched; submitting it silences exactly that, and the thread says until when."""
    incident, card = await opened(desk, "bot1", "bot2")
    ana = desk.bench.slack.member("ana")
    await ana.click(card, "incident.silence")
    view = await ana.sees_modal("incident_silence")
    assert 'bot=~"bot1|bot2"' in str(view.body)
    outcome = await ana.submit({"custom": "90m", "comment": "planned <!channel> restart"})
    assert outcome.acked
    assert not outcome.errors
    ((matchers, start, end, who, comment),) = desk.alertmanager.written
    assert [str(matcher) for matcher in matchers] == ['alertname="BotHardStopActive"', 'bot=~"bot1|bot2"']
    assert end - start == timedelta(minutes=90)
    assert who == "ana"
    assert comment.startswith(incident.number)
    await desk.bench.settled()
    thread = str([message.blocks for message in desk.bench.slack.thread(desk.bench.cards()[-1])])
    assert "silenced until" in thread
    assert "<!channel>" not in thread


@pytest.mark.parametrize(
    ("custom", "said"),
    [
        ("soon", "is no duration"),
        ("0m", "between 1 minute"),
        ("99w", "between 1 minute"),
        ("1e9", "is no duration"),
    ],
)
async def test_a_wrong_length_is_said_in_the_form(desk: Desk, custom: str, said: str) -> None:
    """The form stays open and says what is wrong with the field."""
    _, card = await opened(desk)
    ana = desk.bench.slack.member("ana")
    await ana.click(card, "incident.silence")
    await ana.sees_modal("incident_silence")
    outcome = await ana.submit({"custom": custom, "comment": "why not"})
    assert said in outcome.errors["custom"]
    assert desk.alertmanager.written == []


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (SourceNotConfigured("Alertmanager"), "not configured"),
        (SourceTimeout("Alertmanager", "no answer within 2 s"), "not known"),
    ],
)
async def test_an_alertmanager_that_fails_is_said_in_the_form(
    desk: Desk, trouble: SourceTimeout, said: str
) -> None:
    """Nothing is recorded as silenced that is not."""
    incident, card = await opened(desk)
    desk.alertmanager.trouble = trouble
    ana = desk.bench.slack.member("ana")
    await ana.click(card, "incident.silence")
    await ana.sees_modal("incident_silence")
    outcome = await ana.submit({"comment": "why not"})
    assert said in outcome.errors["comment"]
    kinds = await desk.bench.store.read(lambda tx: [entry.kind for entry in tx.timeline.of(incident.id)])
    assert TimelineKind.SILENCED not in kinds
    asked, failed = await silence_trail(desk)
    assert (asked.event, failed.event) == ("incident.silence_asked", "incident.silence_failed")
    assert asked.actor == failed.actor == "U0ANA00001"
    assert 'alertname="BotHardStopActive"' in str(asked.detail["matchers"])
    assert failed.detail["sure"] is not isinstance(trouble, SourceTimeout)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (SourceError("Alertmanager", "HTTP 500"), "Not silenced"),
        (SourceTimeout("Alertmanager", "no answer within 2 s"), "not known"),
    ],
)
async def test_a_silence_that_was_half_written_is_in_the_trail_and_in_the_thread(
    desk: Desk, trouble: SourceError, said: str
) -> None:
    """One set of matchers was taken, the other not: the form, the thread and the trail say which stands there."""
    incident, card = await opened(desk)
    first = (await desk.bench.store.read(lambda tx: tx.incidents.episodes([incident.id])))[0]
    second = replace(first, episode="second", labels={"alertname": "BotFrozen", "bot": "bot1"})
    await desk.bench.store.write(lambda tx: tx.incidents.put_episode(second))
    desk.alertmanager.trouble, desk.alertmanager.takes = trouble, 1
    ana = desk.bench.slack.member("ana")
    await ana.click(card, "incident.silence")
    await ana.sees_modal("incident_silence")
    outcome = await ana.submit({"comment": "why not"})
    assert said in outcome.errors["comment"]
    assert "1 of 2 silences were written" in outcome.errors["comment"]
    asked, failed = await silence_trail(desk)
    assert asked.event == "incident.silence_asked"
    assert "BotFrozen" in str(asked.detail["matchers"])
    assert "BotHardStopActive" in str(asked.detail["matchers"])
    assert (failed.detail["silence_id"], failed.detail["written"]) == ("silence-1", 1)
    await desk.bench.settled()
    [card] = desk.bench.cards()
    thread = str([message.blocks for message in desk.bench.slack.thread(card)])
    assert "1 of 2 silences were written" in thread
    assert "silenced until" not in str(card.blocks), "that would be too much said"


async def silence_trail(desk: Desk) -> list[AuditEntry]:
    """Return what the audit trail says of silences."""
    entries = await desk.bench.store.read(lambda tx: tx.audit.entries())
    return [entry for entry in entries if entry.event.startswith("incident.silence")]


async def test_alerts_that_changed_since_the_form_was_opened_are_not_silenced_unseen(desk: Desk) -> None:
    """Only what was shown may be silenced."""
    _, card = await opened(desk)
    ana = desk.bench.slack.member("ana")
    await ana.click(card, "incident.silence")
    await ana.sees_modal("incident_silence")
    episodes = await desk.bench.store.read(lambda tx: tx.incidents.episodes([1]))
    other = replace(episodes[0], episode="other", labels={"alertname": "BotFrozen", "bot": "bot1"})
    await desk.bench.store.write(lambda tx: tx.incidents.put_episode(other))
    outcome = await ana.submit({"comment": "why not"})
    assert "changed since" in outcome.errors["comment"]
    assert desk.alertmanager.written == []


def firing(fingerprint: str, **labels: str) -> ActiveAlert:
    """Return an alert as Alertmanager holds it."""
    return ActiveAlert(
        fingerprint=fingerprint,
        starts_at="",
        ends_at="",
        updated_at="",
        state="active",
        labels=labels,
        annotations={},
    )


async def test_the_form_names_what_fires_in_alertmanager_alone_and_would_be_hidden(desk: Desk) -> None:
    """Not only what this bot knows: a webhook may be late, a route may not lead here."""
    await opened(desk)
    episodes = await desk.bench.store.read(lambda tx: tx.incidents.episodes([1]))
    mine = replace(
        episodes[0],
        fingerprint="f-mine",
        labels={"alertname": "Stuck", "job": "desk-exporter"},
    )
    await desk.bench.store.write(lambda tx: tx.incidents.put_episode(mine))
    desk.alertmanager.holds = (
        firing("f-mine", alertname="Stuck", job="desk-exporter"),
        firing("f-1", alertname="Stuck", job="desk-exporter", queue="orchid"),
        firing("f-2", alertname="Stuck", job="another"),
        firing("f-4", alertname="Stuck", job="desk-exporter", instance="orchid:9100"),
        firing("f-3", alertname="Slow", job="desk-exporter"),
    )
    card, ana = desk.bench.cards()[-1], desk.bench.slack.member("ana")
    await ana.click(card, "incident.silence")
    view = str((await ana.sees_modal("incident_silence")).body)
    assert "Stuck on desk-exporter (in no incident that is open here)" in view
    assert view.count("in no incident") == 1


async def test_a_form_that_could_not_ask_alertmanager_says_so(desk: Desk) -> None:
    """What it would hide besides is then not known, and not told to be nothing."""
    _, card = await opened(desk)
    desk.alertmanager.trouble = SourceTimeout("Alertmanager", "no answer")
    ana = desk.bench.slack.member("ana")
    await ana.click(card, "incident.silence")
    assert "may hide more alerts than are known" in str((await ana.sees_modal("incident_silence")).body)


async def test_a_group_that_cannot_be_read_is_a_no_that_says_so(desk: Desk) -> None:
    """When Slack does not say who is in the group, ana is asked to try again."""
    _, card = await opened(desk)
    desk.bench.slack.faults.add(Fault.http("usergroups.users.list", 500))
    await desk.bench.slack.member("ana").click(card, "incident.acknowledge")
    assert "could not check" in await private_answer(desk, "ana")


async def test_two_connections_receive_and_a_silent_one_is_replaced(desk: Desk) -> None:
    """A click arrives after one connection went away, and soon there are two again."""
    assert desk.sockets.connected == 2
    assert desk.sockets.announced == 2
    session = desk.sockets._connections[0].handler.client.current_session
    assert session is not None
    await session.close()
    _, card = await opened(desk)
    outcome = await desk.bench.slack.member("ana").click(card, "incident.acknowledge")
    assert outcome.acked
    await until(lambda: desk.sockets.connected == 2, 8)


async def test_no_event_is_dropped_when_the_first_auth_test_would_be_refused(
    desk: Desk, slack: SlackServer
) -> None:
    """Bolt asks for nothing of its own before an event: a 429 there would cost a click."""
    slack.faults.add(Fault.rate_limited("auth.test", 5, times=10))
    _, card = await opened(desk)
    assert (await slack.member("ana").click(card, "incident.acknowledge")).acked
    assert slack.faults.pending == 10


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.error("views.open", "expired_trigger_id"), "in time. Please press again."),
        (
            Fault.error("views.open", "missing_scope"),
            "missing_scope; compare the app with deploy/slack-manifest",
        ),
        (Fault.error("views.open", "a_new_word_of_slack"), "a_new_word_of_slack; compare the app"),
        (Fault.http("views.open", 500), "in time. Please press again."),
        (Fault.raw("views.open", "5"), "in time. Please press again."),
        (Fault.raw("views.open", '["ok"]'), "in time. Please press again."),
        (Fault.raw("views.open", "[" * 100_000), "in time. Please press again."),
        (replace(Fault.raw("views.open", "ok"), content_type="text/plain"), "in time. Please press again."),
        (Fault.raw("views.open", '{"ok": true, "view": "text"}'), "in time. Please press again."),
    ],
    ids=lambda value: getattr(value, "code", None) or getattr(value, "kind", "said"),
)
async def test_a_form_that_slack_does_not_open_is_said_with_what_helps(
    desk: Desk, fault: Fault, said: str
) -> None:
    """To press again helps where it was too late, and does not where Slack refuses it."""
    _, card = await opened(desk)
    desk.bench.slack.faults.add(replace(fault))
    await desk.bench.slack.member("ana").click(card, "incident.silence")
    assert said in await private_answer(desk, "ana")
    assert ("press again" in said) != ("views.open" in desk.refused.problems), "a mend is an operator's"
    await desk.bench.slack.member("ana").click(card, "incident.silence")
    await until(lambda: not desk.refused.problems)

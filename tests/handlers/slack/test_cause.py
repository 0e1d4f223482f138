"""The thread's question: asked once, answered by a button or a form, by whoever may, and edited to the answer."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.slack.renderers import incident_renderers
from demo.slack import Message, SlackServer
from demo.slack.blockkit import walk
from tests.bot.slack.workbench import CHANNEL
from tests.handlers.slack.conftest import Desk, private_answer
from triage.incidents import feedback, lifecycle
from triage.incidents.feedback import ask, asked_again
from triage.incidents.notifications import tell_triage
from triage.incidents.traits import note_traits
from triage.model import Cause, Incident, RunStatus, Subject, SubjectKind, Verdict
from triage.ports.answers import CauseAnswer
from triage.ports.store import MessageKind, Tx

DRAWDOWN = Cause(
    "drawdown_limit", "bot1 stopped: the drawdown passed 2.5 %.", 0.95, (), strength="certain", stands=True
)
NONE = Cause("no_cause_found", "No cause found by the checks.", 0.3, (), strength="possible")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the question here."""
    monkeypatch.setattr(feedback, "ASK_AFTER_SECONDS", 0.0)


async def over(desk: Desk, *causes: Cause, **changes: Any) -> Incident:  # noqa: ANN401 - any field of the model
    """Open an incident, triage it and end it, as the service does; wait for what the thread says."""
    incident = await desk.bench.open(**changes)

    def end(tx: Tx) -> Incident:
        now = datetime.now(UTC)
        run = tx.runs.get(tx.runs.queue(incident.id, "opened", now))
        assert run is not None
        done = replace(
            run, status=RunStatus.DONE, finished_at=now, verdict=Verdict(causes=causes or (DRAWDOWN,))
        )
        tx.runs.finish(done)
        note_traits(tx, incident, done)
        change = lifecycle.resolve(incident, now=now)
        assert change is not None
        tx.incidents.save(change.incident)
        ask(tx, change.incident, now)
        return change.incident

    await desk.bench.settled()
    ended = await desk.bench.store.write(end)
    desk.bench.bell.ring()
    await desk.bench.settled()
    return ended


def question(slack: SlackServer) -> Message:
    """Return the one question in the newest thread."""
    found = [
        one
        for one in slack.thread(slack.messages(CHANNEL)[-1])
        if "over" in one.text or "says that" in one.text or "came back" in one.text
    ]
    assert len(found) == 1, [one.text for one in found]
    return found[0]


def buttons(message: Message) -> list[str]:
    """Return what its buttons say."""
    return [one["text"]["text"] for _, _, one in walk(message.blocks) if one["type"] == "button"]


async def answer_of(desk: Desk, incident: Incident) -> CauseAnswer | None:
    """Return the answer that counts."""
    return await desk.bench.store.read(lambda tx: tx.answers.of(incident.id))


async def test_yes_is_stored_and_the_question_becomes_its_answer(desk: Desk) -> None:
    """One line in the thread, that mentions nobody and is not shown in the channel."""
    incident = await over(desk)
    slack = desk.bench.slack
    asked = question(slack)
    assert "Was this the cause? bot1 stopped: the drawdown passed 2.5 %." in asked.text
    assert buttons(asked) == ["Yes", "No, it was…"]
    assert not any(
        element.get("type") in {"user", "usergroup"} for element in asked.blocks[0]["elements"][0]["elements"]
    )
    assert len(slack.messages(CHANNEL)) == 1
    assert (await slack.member("ana").click(asked, "incident.cause_right")).acked
    answer = await answer_of(desk, incident)
    assert answer is not None
    assert (answer.right, answer.cause, answer.actor) == (True, "drawdown_limit", "U0ANA00001")
    assert "Thank you" in await private_answer(desk, "ana")
    await desk.bench.settled()
    now = question(slack)
    assert now.ts == asked.ts
    assert "@ana says that the verdict was right: drawdown limit" in now.text
    assert buttons(now) == ["Change…"]


async def test_no_opens_a_form_whose_answer_counts(desk: Desk) -> None:
    """Every known cause can be chosen, in no more options than Slack takes; then it can be changed back."""
    incident = await over(desk)
    slack, ben = desk.bench.slack, desk.bench.slack.member("ben")
    await ben.click(question(slack), "incident.cause_wrong")
    modal = await ben.sees_modal("incident_cause")
    [select] = [one for _, _, one in walk(modal.body["blocks"]) if one["type"] == "static_select"]
    assert 50 < len(select["options"]) <= 100
    assert select["options"][0]["text"]["text"] == "drawdown limit (the verdict was right)"
    outcome = await ben.submit({"cause": "something else", "text": ""})
    assert "text" in outcome.errors
    outcome = await ben.submit({"cause": "edge_gate", "text": "spreads were <b>thin</b> <!channel>"})
    assert not outcome.errors
    answer = await answer_of(desk, incident)
    assert answer is not None
    assert (answer.right, answer.said, answer.cause) == (False, "drawdown_limit", "edge_gate")
    await desk.bench.settled()
    told = question(slack)
    assert "@ben says that it was not drawdown limit but edge gate: spreads were" in told.text
    assert "<!channel>" not in str(told.blocks)
    await ben.click(told, "incident.cause_wrong")
    await ben.sees_modal("incident_cause")
    await ben.submit({"cause": "drawdown_limit"})
    answer = await answer_of(desk, incident)
    assert answer is not None
    assert answer.right


async def test_where_no_cause_was_found_it_asks_what_it_was(desk: Desk) -> None:
    """There is nothing to say yes to."""
    await over(desk, NONE)
    asked = question(desk.bench.slack)
    assert "no cause was found. What was it?" in asked.text
    assert buttons(asked) == ["It was…"]
    ana = desk.bench.slack.member("ana")
    await ana.click(asked, "incident.cause_wrong")
    await ana.sees_modal("incident_cause")
    await ana.submit({"cause": "not known"})
    await desk.bench.settled()
    assert "@ana does not know what it was either" in str(
        desk.bench.slack.thread(desk.bench.cards()[-1])[-1].blocks
    )


async def test_who_may_not_acknowledge_may_not_answer(desk: Desk) -> None:
    """Told privately and recorded, at the button and at the form."""
    incident = await over(desk)
    vik = desk.bench.slack.member("vik")
    asked = question(desk.bench.slack)
    await vik.click(asked, "incident.cause_right")
    assert "You may not say what the cause was" in await private_answer(desk, "vik")
    await vik.click(asked, "incident.cause_wrong")
    assert vik.modal is None
    assert await answer_of(desk, incident) is None
    trail = await desk.bench.store.read(lambda tx: tx.audit.entries())
    assert [(each.event, each.target) for each in trail[-2:]] == [("denied", incident.number)] * 2


async def test_what_came_back_has_no_buttons_until_it_is_over(desk: Desk) -> None:
    """The same message says so; an old form is refused."""
    incident = await over(desk)
    slack, ana = desk.bench.slack, desk.bench.slack.member("ana")
    await ana.click(question(slack), "incident.cause_wrong")
    await ana.sees_modal("incident_cause")

    def reopen(tx: Tx) -> None:
        now = datetime.now(UTC)
        change = lifecycle.reopen(incident, why="it fires again", now=now)
        assert change is not None
        tx.incidents.save(change.incident)
        asked_again(tx, change.incident, now)

    await desk.bench.store.write(reopen)
    desk.bench.bell.ring()
    await desk.bench.settled()
    assert "asked again when it is over" in question(slack).text
    assert buttons(question(slack)) == []
    outcome = await ana.submit({"cause": "edge_gate"})
    assert "came back" in str(outcome.errors)


async def test_the_triage_message_names_what_was_like_it(desk: Desk) -> None:
    """With a link to its card, what is known of its end, and no more."""
    first = await over(desk)
    ana = desk.bench.slack.member("ana")
    await ana.click(question(desk.bench.slack), "incident.cause_right")
    other = await over(desk, subjects=(Subject(SubjectKind.BOT, "bot2"),))

    def tell(tx: Tx) -> str:
        tell_triage(tx, other, datetime.now(UTC))
        message = tx.outbox.find(MessageKind.TRIAGE, str(other.id))
        assert message is not None
        render = incident_renderers(workspace=lambda: "https://desk.slack.com/")[MessageKind.TRIAGE]
        rendered = render(tx, message, datetime.now(UTC))
        assert rendered is not None
        return str(rendered.blocks)

    shown = await desk.bench.store.write(tell)
    card = desk.bench.cards()[0]
    assert f"https://desk.slack.com/archives/{card.channel}/p{card.ts.replace('.', '')}" in shown
    assert f"'text': '{first.number}'" in shown
    assert "bot1" in shown
    assert "same verdict, confirmed: over after" in shown
    assert "nothing run" in shown


async def test_it_is_asked_once_however_often_it_is_owed(desk: Desk) -> None:
    """Two replicas and a restart owe the same message."""
    incident = await over(desk)
    for _ in range(3):
        await desk.bench.store.write(lambda tx: ask(tx, incident, datetime.now(UTC)))
        desk.bench.bell.ring()
    await desk.bench.settled()
    await asyncio.sleep(0.1)
    question(desk.bench.slack)


async def test_a_desk_that_does_not_want_to_be_asked_is_not(desk: Desk) -> None:
    """``feedback.ask: false``: what is owed is looked up, and nothing is sent."""
    incident = await over(desk)

    def rendered(tx: Tx, *, asks: bool) -> object:
        message = tx.outbox.find(MessageKind.FEEDBACK, str(incident.id))
        assert message is not None
        return incident_renderers(asks=asks)[MessageKind.FEEDBACK](tx, message, datetime.now(UTC))

    assert await desk.bench.store.read(lambda tx: rendered(tx, asks=True)) is not None
    assert await desk.bench.store.read(lambda tx: rendered(tx, asks=False)) is None

"""After it is over the thread asks once whether the verdict was right; what was answered counts and is found again."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.store import SqlStore
from tests.contracts.store_samples import finding
from tests.triage.incidents.desk_story import Story
from triage.drill_alert import ALERTNAME as DRILL
from triage.errors import Refused
from triage.incidents.cause_answers import NOT_KNOWN, SOMETHING_ELSE, confirm, correct
from triage.incidents.feedback import Question, QuestionState, ask, question_of
from triage.incidents.traits import note_traits
from triage.model import Cause, Finding, IncidentShape, RunStatus, SignalStatus, Verdict
from triage.plans.record import ActionRecord, ActionStatus
from triage.plans.verification import Verification, VerificationOutcome
from triage.ports.store import MessageKind, Tx
from triage.reports.incident_view import view_incident
from triage.reports.similar_incidents import SimilarIncident, similar_incidents

UNKNOWN = Cause("no_cause_found", "No cause found by the checks.", 0.3, (), strength="possible")


def named(cause: str = "exchange_down", strength: str = "likely") -> Cause:
    """Make a cause that stands."""
    return Cause(cause, f"{cause} on bot1.", 0.8, (), strength=strength, stands=True)


class Answered(Story):
    """A story with triages and answers."""

    async def triage(self, incident_id: int = 1, *causes: Cause, findings: Sequence[Finding] = ()) -> None:
        """Finish a triage of an incident, as the runner does."""
        now = self.clock.now()

        def work(tx: Tx) -> None:
            incident = tx.incidents.get(incident_id)
            assert incident is not None
            run_id = tx.runs.queue(incident_id, "opened", now)
            run = tx.runs.get(run_id)
            assert run is not None
            verdict = Verdict(causes=causes or (named(),))
            done = replace(
                run, status=RunStatus.DONE, finished_at=now, findings=tuple(findings), verdict=verdict
            )
            tx.runs.finish(done)
            note_traits(tx, incident, done)
            ask(tx, incident, now)

        await self.store.write(work)

    async def over(self, name: str, bot: str = "bot1", *causes: Cause, began: str = "t0") -> None:
        """An alert fires, is triaged, and resolves."""
        await self.fire(name, bot, began=began)
        newest = (await self.incidents())[-1].id
        await self.triage(newest, *causes)
        self.clock.move(300)
        await self.clear(name, bot, began=began)
        self.clock.move(3600)

    async def asked(self, incident_id: int = 1) -> bool:
        """Say whether the question is owed, or was sent."""
        found = await self.store.read(lambda tx: tx.outbox.find(MessageKind.FEEDBACK, str(incident_id)))
        return found is not None

    async def question(self, incident_id: int = 1) -> Question | None:
        """Return what the question shows."""
        return await self.store.read(lambda tx: question_of(tx, incident_id))

    async def key(self, incident_id: int = 1) -> str:
        """Return what the question's buttons carry."""
        question = await self.question(incident_id)
        assert question is not None
        return question.key

    async def yes(self, incident_id: int = 1, actor: str = "U0ANA") -> str:
        """Somebody says that the verdict was right."""
        key = await self.key(incident_id)
        done = await self.store.write(lambda tx: confirm(tx, key, actor=actor, now=self.clock.now()))
        return done.text

    async def no(self, cause: str, text: str = "", *, incident_id: int = 1, actor: str = "U0ANA") -> str:
        """Somebody says what it was."""
        key = await self.key(incident_id)
        done = await self.store.write(
            lambda tx: correct(tx, key, actor=actor, cause=cause, text=text, now=self.clock.now())
        )
        return done.text

    async def shown_as_in(self, incident_id: int) -> str:
        """Return the open incident of the same cause that its card names."""

        def read(tx: Tx) -> str:
            incident = tx.incidents.get(incident_id)
            assert incident is not None
            return view_incident(tx, incident).as_in

        return await self.store.read(read)

    async def similar(self, incident_id: int) -> tuple[SimilarIncident, ...]:
        """Return past incidents like one."""

        def read(tx: Tx) -> tuple[SimilarIncident, ...]:
            incident = tx.incidents.get(incident_id)
            assert incident is not None
            return similar_incidents(tx, incident)

        return await self.store.read(read)


@pytest.fixture
def story(sqlite_store: SqlStore) -> Answered:
    """Begin a story."""
    return Answered(sqlite_store)


async def test_it_is_asked_when_it_is_over_and_not_before(story: Answered) -> None:
    """Whether its alerts resolve or a person closes it."""
    await story.fire("BotFrozen")
    await story.triage()
    assert not await story.asked()
    await story.clear("BotFrozen")
    assert await story.asked()
    question = await story.question()
    assert question is not None
    assert (question.state, [each.cause for each in question.causes]) == (
        QuestionState.ASKED,
        ["exchange_down"],
    )


async def test_closing_what_does_not_fire_asks_too(story: Answered) -> None:
    """Events have no resolve of their own."""
    await story.happen("kill_switch")
    await story.triage()
    await story.resolve()
    assert await story.asked()


async def test_closed_while_it_fires_it_is_not_over(story: Answered) -> None:
    """It is quiet, and asked about when the alerts end."""
    await story.fire("BotFrozen")
    await story.triage()
    await story.resolve()
    assert not await story.asked()
    await story.clear("BotFrozen")
    assert await story.asked()


async def test_no_verdict_no_question_until_there_is_one(story: Answered) -> None:
    """It ended before triage did: the question comes with the verdict."""
    await story.fire("BotFrozen")
    await story.clear("BotFrozen")
    assert not await story.asked()
    await story.triage()
    assert await story.asked()


async def test_where_no_cause_was_found_it_asks_what_it_was(story: Answered) -> None:
    """Nothing named: nothing to say yes to."""
    await story.over("BotFrozen", "bot1", UNKNOWN)
    question = await story.question()
    assert question is not None
    assert question.causes == ()
    with pytest.raises(Refused, match="No cause was named"):
        await story.yes()
    await story.no("dns_failure")
    assert await story.store.read(lambda tx: tx.answers.tally()) == {"": (1, 0)}


async def test_a_drill_is_not_asked_about(story: Answered) -> None:
    """Nothing was wrong, as everybody knows."""
    await story.over(DRILL)
    assert not await story.asked()


async def test_a_storm_is_asked_about_once(story: Answered) -> None:
    """Not the incidents that made it, nor those of grave alerts beside it."""
    bots = [f"hbot-x{number}" for number in range(14)]
    await story.arrive(*(story.signal(f"Alert{bot}", bot, SignalStatus.FIRING) for bot in bots))
    count = len(await story.incidents())
    for number in range(1, count + 1):
        await story.triage(number)
    story.clock.move(600)
    await story.arrive(*(story.signal(f"Alert{bot}", bot, SignalStatus.RESOLVED) for bot in bots))
    assert [one.is_open for one in await story.incidents()] == [False] * count
    assert sum([await story.asked(number) for number in range(1, count + 1)]) == 1
    story.clock.move(3600)
    await story.over("BotFrozen")
    assert await story.asked(count + 1), "the next day's incident is asked about again"


async def test_what_begins_while_a_storm_is_only_open_is_asked_about(story: Answered) -> None:
    """One of its alerts may fire for days: what comes meanwhile is no part of it."""
    bots = [f"hbot-x{number}" for number in range(14)]
    await story.arrive(*(story.signal(f"Alert{bot}", bot, SignalStatus.FIRING) for bot in bots))
    storms = [one for one in await story.incidents() if one.shape is IncidentShape.STORM]
    story.clock.move(3600)
    await story.over("BotFrozen")
    assert [(await story.incident(one.id)).is_open for one in storms] == [True]
    assert await story.asked((await story.incidents())[-1].id)


async def test_yes_counts_and_is_audited(story: Answered) -> None:
    """With who and when; the message is owed anew, a second press changes nothing."""
    await story.over("BotFrozen")
    before = await story.store.read(lambda tx: tx.outbox.find(MessageKind.FEEDBACK, "1"))
    assert "Thank you" in await story.yes()
    assert "already" in await story.yes()
    answer = await story.store.read(lambda tx: tx.answers.of(1))
    assert answer is not None
    assert (answer.right, answer.cause, answer.actor, answer.at) == (
        True,
        "exchange_down",
        "U0ANA",
        story.clock.now(),
    )
    after = await story.store.read(lambda tx: tx.outbox.find(MessageKind.FEEDBACK, "1"))
    assert before is not None
    assert after is not None
    assert after.wanted_revision == before.wanted_revision + 1
    question = await story.question()
    assert question is not None
    assert question.state is QuestionState.ANSWERED
    entries = await story.store.read(
        lambda tx: [each for each in tx.audit.entries() if each.event == "incident.cause"]
    )
    assert [(each.actor, each.target, each.detail["right"]) for each in entries] == [("U0ANA", "INC-1", True)]


async def test_one_may_change_ones_mind_and_the_last_word_counts(story: Answered) -> None:
    """Every answer stands in the audit trail."""
    await story.over("BotFrozen")
    await story.yes()
    await story.no(SOMETHING_ELSE, "a cable\nwas loose", actor="U0BEN")
    answer = await story.store.read(lambda tx: tx.answers.of(1))
    assert answer is not None
    assert (answer.right, answer.cause, answer.text) == (False, "", "a cable was loose")
    assert await story.store.read(lambda tx: tx.answers.tally()) == {"likely": (1, 0)}
    await story.no("exchange_down", actor="U0BEN")
    assert await story.store.read(lambda tx: tx.answers.tally()) == {"likely": (1, 1)}
    entries = await story.store.read(
        lambda tx: [each for each in tx.audit.entries() if each.event == "incident.cause"]
    )
    assert len(entries) == 3


async def test_what_cannot_be_an_answer_is_refused(story: Answered) -> None:
    """A cause that nobody knows, nothing where a text is needed, a key of another incident, one that is open."""
    await story.over("BotFrozen")
    for cause in ("", "made_up", "no_cause_found"):
        with pytest.raises(Refused, match="Choose"):
            await story.no(cause)
    with pytest.raises(Refused, match="write what it was"):
        await story.no(SOMETHING_ELSE, "  ")
    await story.no(NOT_KNOWN)
    await story.over("BotFrozen", "bot2", began="t1")
    own, other = await story.key(1), await story.key(2)
    mixed = f"{own.partition(':')[0]}:{other.partition(':')[2]}"
    for key in ("", ":1", "x:1", mixed, f"{own}9", own.replace(":", ":x")):

        def press(tx: Tx, key: str = key) -> None:
            confirm(tx, key, actor="U0ANA", now=story.clock.now())

        with pytest.raises(Refused, match="do not know this question"):
            await story.store.write(press)


async def test_what_came_back_is_asked_about_when_it_is_over_again(story: Answered) -> None:
    """The same message; with another verdict it asks anew, with the same one the answer stands."""
    await story.fire("BotFrozen")
    await story.triage()
    await story.clear("BotFrozen")
    assert await story.question() is not None
    key = await story.key()
    story.clock.move(30)
    await story.fire("BotFrozen", began="t1")
    assert not (await story.incident()).resolved_at
    assert await story.question() is None, "not sent yet: it says nothing"
    with pytest.raises(Refused, match="came back"):
        await story.store.write(lambda tx: confirm(tx, key, actor="U0ANA", now=story.clock.now()))
    await story.clear("BotFrozen", began="t1")
    await story.yes()
    await story.fire("BotFrozen", began="t2")
    await story.triage(1, named())
    await story.clear("BotFrozen", began="t2")
    question = await story.question()
    assert question is not None
    assert question.state is QuestionState.ANSWERED, "the same verdict again"
    await story.fire("BotFrozen", began="t3")
    await story.triage(1, named("edge_gate"))
    await story.clear("BotFrozen", began="t3")
    question = await story.question()
    assert question is not None
    assert question.state is QuestionState.ASKED, "another verdict"
    assert question.answer is not None


async def test_a_sent_question_says_that_it_came_back(story: Answered) -> None:
    """Its buttons would be about what is not over."""
    await story.fire("BotFrozen")
    await story.triage()
    await story.clear("BotFrozen")

    def sent(tx: Tx) -> None:
        message = tx.outbox.find(MessageKind.FEEDBACK, "1")
        assert message is not None
        tx.outbox.posted(message.id, post_id="5.5", channel_id="C1", revision=1, now=story.clock.now())

    await story.store.write(sent)
    await story.fire("BotFrozen", began="t1")
    message = await story.store.read(lambda tx: tx.outbox.find(MessageKind.FEEDBACK, "1"))
    assert message is not None
    assert message.owed
    question = await story.question()
    assert question is not None
    assert question.state is QuestionState.CAME_BACK


async def test_past_incidents_with_the_same_cause_are_found_the_same_bot_first(story: Answered) -> None:
    """At most three, the newest ones; another kind of thing is not like it, nor another cause."""
    await story.over("BotFrozen", "bot1", began="a")
    for number, bot in enumerate(("bot2", "bot2", "bot3", "hbot-redis")):
        await story.over("BotFrozen", bot, began=f"b{number}")
    await story.over("BotFrozen", "bot1", named("edge_gate"), began="c")
    await story.fire("BotHardStopActive", "bot1")
    await story.triage(7)
    found = await story.similar(7)
    assert [(each.incident.id, each.same_subject) for each in found] == [(1, True), (4, False), (3, False)]
    assert {each.shared for each in found} == {"cause:exchange_down"}


async def test_what_a_person_said_counts_for_similarity_not_what_the_verdict_was(story: Answered) -> None:
    """Wrong then: it is like what it really was."""
    await story.over("BotFrozen", "bot1")
    await story.no("dns_failure")
    await story.fire("BotFrozen", "bot1", began="t1")
    await story.triage(2)
    assert await story.similar(2) == ()
    await story.triage(2, named("dns_failure"))
    [past] = await story.similar(2)
    assert past.answer is not None
    assert past.answer.cause == "dns_failure"


async def test_what_is_open_or_a_drill_is_no_past_incident(story: Answered) -> None:
    """Nothing is known yet of how it ends; a drill has nothing to be like."""
    await story.fire("BotFrozen", "bot1")
    await story.triage(1)
    story.clock.move(3600)  # else the same alert on another bot is part of it
    await story.over("BotFrozen", "bot2", began="x")
    await story.over("BotHardStopActive", "bot3", began="y")
    ids = [one.id for one in await story.incidents()]
    assert [each.incident.id for each in await story.similar(ids[-1])] == [ids[1]], "not the open one"
    await story.over(DRILL, "bot4", began="z")
    assert await story.similar((await story.incidents())[-1].id) == ()


async def test_without_a_cause_the_same_log_line_makes_it_alike(story: Answered) -> None:
    """One alert alone does not on another bot: it has many causes."""

    def logged(text: str) -> Finding:
        template = {"text": text, "count": 5, "kind": "new"}
        return finding(name="error_logs", data={"bots": {"bot1": {"count": 5, "templates": [template]}}})

    await story.fire("BotLogErrorSpike", "bot2")
    await story.triage(1, UNKNOWN, findings=[logged("cannot frob <n>")])
    await story.clear("BotLogErrorSpike", "bot2")
    story.clock.move(7200)
    await story.fire("BotLogErrorSpike", "bot1")
    await story.triage(2, UNKNOWN, findings=[logged("something else <n>")])
    assert await story.similar(2) == ()
    await story.triage(2, UNKNOWN, findings=[logged("cannot frob <n>")])
    [past] = await story.similar(2)
    assert past.shared.startswith("line:")


async def test_what_cured_it_is_only_what_was_verified(story: Answered) -> None:
    """An action that ended, and one that helped."""
    await story.over("BotFrozen", "bot1")
    now = story.clock.now()

    def acted(kind: str, outcome: VerificationOutcome | None) -> ActionRecord:
        verification = None if outcome is None else Verification(outcome, now, ())
        return ActionRecord(
            kind=kind, target="bot1", why="why", proposed_by="verdict", proposed_at=now, expires_at=now, changed_at=now,
            incident_id=1, status=ActionStatus.SUCCEEDED, verification=verification,
        )  # fmt: skip

    await story.store.write(
        lambda tx: [tx.actions.add(acted("restart", each)) for each in (None, VerificationOutcome.PERSISTING)]
    )
    await story.fire("BotFrozen", "bot1", began="t1")
    await story.triage(2)
    [past] = await story.similar(2)
    assert (past.remedy, past.acted, past.seconds) == ("", True, 300.0)
    await story.store.write(lambda tx: tx.actions.add(acted("clear_cache", VerificationOutcome.RECOVERED)))
    [past] = await story.similar(2)
    assert past.remedy == "Clear cache on bot1"
    story.clock.move(3600)
    await story.clear("BotFrozen", "bot1", began="t1")
    story.clock.move(3600)
    await story.fire("BotFrozen", "bot1", began="t2")
    await story.triage(3)
    assert [each.incident.id for each in await story.similar(3)] == [1, 2], "what helped comes first"


async def test_a_second_incident_of_one_cause_is_shown_as_that(story: Answered) -> None:
    """For as long as the first is open; what another cause made is not."""
    await story.fire("BotFrozen", "bot1")
    await story.triage(1, named("disk_full"))
    story.clock.move(600)
    await story.fire("ExecErrors", "bot2")
    await story.triage(2, named("disk_full"))
    await story.fire("OrderRejects", "bot3")
    await story.triage(3, named("exchange_down"))
    assert [await story.shown_as_in(number) for number in (1, 2, 3)] == ["", "INC-1", ""]
    await story.clear("BotFrozen", "bot1")
    assert await story.shown_as_in(2) == ""

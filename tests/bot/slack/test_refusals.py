"""A refusal binds the place of the message that was refused; everything else goes on, and the mend is said."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from loguru import logger

from bot.slack import directory, errors, failure_handling, probes
from bot.slack.failure_handling import DELETE
from bot.slack.probes import Probes
from bot.slack.problems import said_together
from bot.store import SqlStore
from demo.slack import AppConfig, Fault, SlackServer
from demo.slack.settings import BOT_SCOPES
from tests.bot.slack.workbench import CHANNEL, Bench, bench_on, until
from tests.fakes.clock import ManualClock
from triage.model import Incident, Severity
from triage.ports.store import Message, MessageKind, Tx

pytestmark = pytest.mark.slow

POST, EDIT, HISTORY = "chat.postMessage", "chat.update", "conversations.history"
REPLIES = "conversations.replies"
UNUSUAL = (
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_non_threadable_channel",
    "team_access_not_granted",
    "access_denied",
    "messages_tab_disabled",
    "not_allowed_token_type",
    "org_login_required",
    "no_permission",
    "is_archived",
    "restricted_action",
    "ekm_access_denied",
    "not_in_channel",
    "missing_scope",
    "app_access_restricted",
    "posting_to_general_channel_denied",
    "channel_is_archived",
    "is_inactive",
    "method_deprecated",
)


def said(bench: Bench) -> str:
    """Return what the operator is told to mend."""
    return " | ".join(bench.sender.problems.values())


@pytest.mark.parametrize("code", UNUSUAL)
def test_a_refusal_that_a_person_must_mend_says_how_and_binds_its_place_alone(code: str) -> None:
    """None of them is tried for ever with all looking well."""
    failure = errors.refusal(POST, code)
    assert isinstance(failure, errors.Misconfigured)
    assert len(failure.detail) > 20
    assert not failure.whole_app


def test_a_locked_thread_is_of_its_thread_alone_and_says_the_mend() -> None:
    """Other threads of the channel take lines as before."""
    failure = errors.refusal(POST, "restricted_action_thread_locked")
    assert isinstance(failure, errors.NotDone)
    assert "unlock it" in failure.detail


def test_a_network_that_is_not_allowed_concerns_the_whole_app() -> None:
    """No call of it gets through from here."""
    failure = errors.refusal(POST, "accesslimited")
    assert isinstance(failure, errors.Misconfigured)
    assert failure.whole_app


@pytest.mark.parametrize("method", ["views.publish", "usergroups.users.list"])
def test_a_person_who_is_not_there_is_no_fault_of_the_channels_setting(method: str) -> None:
    """The same word means a person's tab here, and our channel in a post."""
    assert "TRIAGE_CHANNEL" not in errors.refusal(method, "user_not_found").detail
    assert "TRIAGE_CHANNEL" in errors.refusal(POST, "user_not_found").detail


@pytest.mark.parametrize("code", ["restricted_action_read_only_channel", "is_archived", "no_permission"])
async def test_an_edit_that_is_refused_holds_no_other_message(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """A resolved card in a place that takes nothing must not hold a new Sev-1."""
    monkeypatch.setattr(probes, "PROBE_SECONDS", 3.0)
    old = await bench.open("an old one")
    await bench.settled()
    ts = bench.cards()[0].ts
    refusal = Fault.error(EDIT, code, times=1000)
    refusal.where = lambda args: args["ts"] == ts
    bench.slack.faults.add(refusal)
    await bench.change(replace(old, title="resolved by now"))
    await until(lambda: said(bench))
    assert code in said(bench)
    await bench.open("a new Sev-1", severity=Severity.SEV1)
    await until(lambda: len(bench.cards()) == 2, 2)
    assert code in said(bench), "what is refused still shows"
    bench.slack.faults.clear()
    await bench.store.write(lambda tx: tx.outbox.defer(1, until=old.opened_at))
    bench.bell.ring()
    await bench.settled(25)
    assert bench.sender.problems == {}
    assert "resolved by now" in bench.cards()[0].text


async def test_a_channel_archived_and_made_anew_is_found_again_without_a_restart(bench: Bench) -> None:
    """Under its name it has another id: new cards go there, and so does an open one whose place is gone."""
    old = await bench.open("an old one")
    await bench.line(old, "before")
    await bench.settled()
    gone = bench.slack.workspace.channel(CHANNEL)
    new = bench.slack.workspace.make_anew(CHANNEL)
    await bench.open("a new one")
    await bench.change(replace(old, title="an old one, changed"))
    await bench.line(old, "after")
    await bench.settled(15)
    texts = [message.text for message in new.messages.values() if not message.is_reply]
    assert len(texts) == 2
    assert any("an old one, changed" in text for text in texts)
    assert "after" in str([message.blocks for message in new.messages.values() if message.is_reply])
    assert bench.sender.problems == {}
    assert len(gone.messages) == 2


async def test_it_is_found_again_by_name_where_the_app_may_not_list_channels(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A post by name tells the new id."""
    monkeypatch.setattr(probes, "PROBE_SECONDS", 3.0)
    async with SlackServer() as slack, bench_on(sqlite_store, slack) as bench, asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.sender.run())
        await bench.open("an old one")
        await bench.settled()
        new = slack.workspace.make_anew(CHANNEL)
        await bench.open("a new one")
        await bench.settled(15)
        assert [message.text for message in new.messages.values()]
        bench.sender.stop()


async def test_a_missing_history_scope_holds_looks_and_not_posts(sqlite_store: SqlStore) -> None:
    """What is in doubt waits and says why; whatever else there is to say is said."""
    scopes = tuple(scope for scope in BOT_SCOPES if not scope.endswith(":history"))
    config = AppConfig(scopes=(*scopes, "channels:read", "groups:read"))
    async with (
        SlackServer(config) as slack,
        bench_on(sqlite_store, slack) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(bench.sender.run())
        slack.faults.add(Fault.lost_answer(POST))
        await bench.open("in doubt")
        await until(lambda: "history" in said(bench))
        for number in range(3):
            await bench.open(f"new {number}")
        await until(lambda: len(bench.cards()) == 4, 3)
        async with asyncio.timeout(3):
            while await bench.pending() != 1:  # noqa: ASYNC110 - a database rings no bell
                await asyncio.sleep(0.02)
        assert "history" in said(bench)
        bench.sender.stop()


async def test_a_word_nobody_knows_is_said_when_it_comes_again(bench: Bench) -> None:
    """Repeated with all looking well it would never be noticed."""
    refusal = Fault.error(POST, "a_new_word_of_slack", times=1000)
    refusal.where = lambda args: "stopped" in args["text"]
    bench.slack.faults.add(refusal)
    await bench.open("bot1 stopped")
    await bench.open("another trouble")
    await until(lambda: said(bench), 8)
    assert "INC-1" in said(bench)
    assert "a_new_word_of_slack" in said(bench)
    assert len(bench.cards()) == 1
    bench.slack.faults.clear()
    await bench.settled(25)
    assert bench.sender.problems == {}


async def test_what_was_done_though_refused_with_an_unknown_word_stands_once(bench: Bench) -> None:
    """A new word may mean that it was done in part: it is looked for before it is sent again."""
    bench.slack.faults.add(Fault.error(POST, "a_new_word_of_slack", times=2, processed=True))
    incident = await bench.open()
    await bench.line(incident, "a line")
    await bench.settled()
    (card,) = bench.cards()
    assert "a line" in str([each.blocks for each in bench.slack.thread(card)])
    assert len(bench.slack.thread(card)) == 1
    assert len(bench.slack.calls.of(POST)) == 2


async def test_a_look_refused_with_an_unknown_word_says_nothing_of_what_is_looked_for(bench: Bench) -> None:
    """It may stand there: until that is known its thread does not go on without it."""
    incident = await bench.open()
    await bench.settled()
    refusal = Fault.error(REPLIES, "a_new_word_of_slack", times=1000)
    bench.slack.faults.add(Fault.lost_answer(POST), refusal)
    await bench.line(incident, "first")
    await until(lambda: refusal.used > 1, 10)
    looked_for = await bench.store.read(lambda tx: tx.outbox.get(2))
    assert looked_for is not None
    assert not looked_for.aside
    assert looked_for.attempted_at is not None
    await bench.line(incident, "second")
    bench.slack.faults.clear()
    await bench.settled(25)
    (card,) = bench.cards()
    there = str([each.blocks for each in bench.slack.thread(card)])
    assert there.count("first") == there.count("second") == 1


async def test_a_long_wait_that_slack_asks_for_is_said(bench: Bench) -> None:
    """People would wonder for minutes why nothing comes."""
    bench.slack.faults.add(Fault.raw(POST, "{}", status=429, retry_after="86400"))
    await bench.open()
    await until(lambda: "wait 300 s" in said(bench))


async def test_a_channel_that_takes_threads_only_still_gets_the_threads(bench: Bench) -> None:
    """New cards wait for the mend; what goes on in threads is told."""
    old = await bench.open("an old one")
    await bench.settled()
    refusal = Fault.error(POST, "restricted_action_thread_only_channel", times=1000)
    refusal.where = lambda args: not args.get("thread_ts")
    bench.slack.faults.add(refusal)
    await bench.open("a new one")
    await until(lambda: said(bench))
    await bench.line(old, "still told")
    await until(lambda: len(bench.slack.messages(CHANNEL, replies=True)) == 2, 3)


async def test_after_the_mend_what_waited_is_sent_within_seconds(bench: Bench) -> None:
    """The operator invites the bot: nothing waits for minutes."""
    refusal = Fault.error(POST, "not_in_channel", times=1000)
    bench.slack.faults.add(refusal)
    for number in range(3):
        await bench.open(f"incident {number}")
    await until(lambda: said(bench))
    await asyncio.sleep(0.5)
    assert len(bench.slack.calls.of(POST)) < 8, "a place that refuses is tried now and then"
    bench.slack.faults.clear()
    await bench.settled(12)
    assert len(bench.cards()) == 3


@pytest.mark.parametrize("code", ["missing_scope", "token_revoked"])
async def test_what_is_tried_seldom_is_sent_as_soon_as_another_edit_shows_the_mend(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Refused again and again it waits for a minute: so long the card of what is over said after the mend that it fires."""
    monkeypatch.setattr(probes, "PROBE_SECONDS", 0.3)
    opened = [await bench.open(f"incident {number}") for number in range(2)]
    await bench.settled()
    bench.slack.faults.add(Fault.error(EDIT, code, times=1000))
    for number, incident in enumerate(opened):
        await bench.change(replace(incident, title=f"changed {number}"))
    await until(lambda: code in said(bench), 8)
    [probe] = bench.sender._failures._probes._probes.values()
    [error] = probe.errors
    (other,) = {1, 2} - {probe.message_id}
    far = datetime.now(UTC) + timedelta(seconds=60)
    await until(lambda: other not in bench.sender._under_way)
    await bench.store.write(lambda tx: tx.outbox.defer(other, until=far, error=error))
    bench.slack.faults.clear()
    await bench.settled(8)
    assert sum("changed" in card.text for card in bench.cards()) == 2
    assert bench.sender.problems == {}


async def test_a_token_that_all_calls_are_refused_for_is_said_once_and_of_no_incident(bench: Bench) -> None:
    """The listener's auth.test and the sender's edit have one mend, which was said twice, and of one card's channel."""
    incident = await bench.open("incident")
    await bench.settled()
    bench.slack.faults.add(
        *(Fault.error(method, "token_revoked", times=1000) for method in (EDIT, "auth.test"))
    )
    await bench.change(replace(incident, title="changed"))
    await until(lambda: said(bench))
    with pytest.raises(errors.Misconfigured) as refused:
        await bench.sender._delivery._client.identity()
    whole = said_together([str(refused.value), *bench.sender.problems.values()])
    assert whole == str(refused.value).replace("auth.test", f"auth.test, {EDIT}")


def refused_message(number: int) -> Message:
    """Return a card whose edit was refused four times."""
    now = datetime.now(UTC)
    return Message(
        id=number,
        delivery_id=f"d{number}",
        kind=MessageKind.CARD,
        ref=str(number),
        channel="incidents",
        incident_id=number,
        parent_id=None,
        wanted_revision=2,
        sent_revision=1,
        post_id="1.1",
        attempts=4,
        next_at=now,
        created_at=now,
    )


def test_one_message_tries_a_place_and_the_others_ever_more_seldom() -> None:
    """It tries again and again; where it does not come any more another one takes its place."""
    clock = ManualClock()
    trying = Probes(clock)
    first, second = refused_message(1), refused_message(2)
    assert [trying.wait("C1", first, "no scope") for _ in range(3)] == [probes.PROBE_SECONDS] * 3
    assert trying.wait("C1", second, "no room") == probes.LONGEST_PROBE_SECONDS
    clock.move(4 * probes.PROBE_SECONDS)
    assert trying.wait("C1", second, "no scope") == probes.PROBE_SECONDS
    assert trying.over("C2") == set()
    assert trying.over("C1") == {"no scope", "no room"}
    assert trying.over("C1") == set()


@pytest.fixture
async def old(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Incident:
    """Give an incident whose card stands; what is refused is tried again sooner than in the service."""
    monkeypatch.setattr(probes, "PROBE_SECONDS", 0.3)
    monkeypatch.setattr(directory, "ANEW_SECONDS", 0.3)
    incident = await bench.open("an old one")
    await bench.settled()
    return incident


async def test_a_channel_by_name_that_was_archived_for_a_while_is_posted_to_soon_after(
    bench: Bench, old: Incident
) -> None:
    """Its name is not found meanwhile, which is said of posts and no longer than it is so."""
    channel = bench.slack.workspace.channel(CHANNEL)
    channel.is_archived = True
    await bench.open("a new one")
    await bench.change(replace(old, title="an old one, changed"))
    await until(lambda: said(bench), 8)
    await asyncio.sleep(5)
    channel.is_archived = False
    await bench.settled(4)
    assert bench.sender.problems == {}
    assert len(bench.cards()) == 2


async def test_nothing_is_said_of_a_channel_any_more_that_was_deleted_and_made_anew(
    bench: Bench, old: Incident
) -> None:
    """What was refused at its old place is posted at the new one: the old one would be named for ten minutes."""
    channels = bench.slack.workspace.channels
    gone = channels.pop(bench.slack.workspace.channel(CHANNEL).id)
    await bench.open("a new one")
    await bench.change(replace(old, title="an old one, changed"))
    await bench.line(old, "a line")
    await until(lambda: EDIT in said(bench), 8)
    new = replace(gone, id=bench.slack.workspace.ids.object("C"), messages={}, threads={})
    channels[new.id] = new
    await bench.settled(8)
    assert bench.sender.problems == {}
    assert len([message for message in new.messages.values() if not message.is_reply]) == 2


async def test_waits_of_a_second_that_slack_asks_for_without_end_are_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an answer of 200 with the word alone: no wait is long, and yet nothing comes."""
    monkeypatch.setattr(failure_handling, "LONG_WAIT_SECONDS", 2.0)
    bench.slack.faults.add(Fault.error(POST, "ratelimited", times=1000))
    await bench.open()
    await until(lambda: "ratelimited" in said(bench), 8)
    bench.slack.faults.clear()
    await bench.settled(5)
    assert bench.sender.problems == {}


async def test_a_workspace_that_closes_messages_for_edits_is_said(bench: Bench) -> None:
    """The older text goes on standing there, and each change is a new message: only an admin can mend that."""
    old = await bench.open("an old one")
    await bench.settled()
    bench.slack.faults.add(Fault.error(EDIT, "edit_window_closed", times=1))
    await bench.change(replace(old, title="another title"))
    await until(lambda: len(bench.cards()) == 2)
    assert "edit_window_closed" in said(bench)
    assert "ask an admin" in said(bench)


async def test_what_stays_without_an_answer_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outcome that is unknown again and again is a trouble before the message is late."""
    monkeypatch.setattr(failure_handling, "UNKNOWN_SECONDS", 1.0)
    fault = Fault.error(POST, "fatal_error", times=1000)
    fault.where = lambda args: "stopped" in args["text"]
    bench.slack.faults.add(fault)
    await bench.open("bot1 stopped")
    await bench.open("another trouble")
    await until(lambda: said(bench), 8)
    await asyncio.sleep(1.0)
    assert "INC-1" in said(bench), "a look that finds nothing does not take it back"
    assert "whether it was done is not known" in said(bench)
    assert len(bench.cards()) == 1
    bench.slack.faults.clear()
    await bench.settled(25)
    assert bench.sender.problems == {}


@pytest.mark.parametrize("code", ["no_permission", "missing_scope", "a_new_word_of_slack", "fatal_error"])
async def test_a_copy_that_cannot_be_taken_back_holds_nothing_else(bench: Bench, code: str) -> None:
    """Edits and posts of others go on, and it is said for as long as the copy stands there."""
    bench.slack.faults.add(Fault.error(DELETE, code, times=1000), Fault.late(POST, 1.15))
    await bench.open("posted twice")
    await bench.settled()
    await until(lambda: len(bench.cards()) == 2)
    await until(lambda: bench.slack.calls.of(DELETE), 8)
    other = await bench.open("another trouble")
    await until(lambda: len(bench.cards()) == 3, 2)
    await bench.change(replace(other, title="another trouble, changed"))
    await until(lambda: any("changed" in card.text for card in bench.cards()), 2)
    await asyncio.sleep(1.0)
    assert len(bench.slack.calls.of(DELETE)) <= 6
    if code != "fatal_error":  # that one is said later
        await until(lambda: DELETE in said(bench), 8)


async def file_in_thread(bench: Bench, incident: Incident) -> None:
    """Owe a picture in an incident's thread."""

    def ask(tx: Tx) -> None:
        now = datetime.now(UTC)
        document = tx.notes.save_document("picture", {"name": "a.png"}, made_at=now, content=b"x" * 64)
        tx.outbox.want(
            MessageKind.FILE,
            str(document),
            channel="incidents",
            now=now,
            incident_id=incident.id,
            in_thread=True,
        )

    await bench.store.write(ask)
    bench.bell.ring()


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("files.getUploadURLExternal", "missing_scope"),
        ("files.getUploadURLExternal", "invalid_arguments"),
        ("files.completeUploadExternal", "file_uploads_disabled"),
        ("files.completeUploadExternal", "blocked_file_type"),
    ],
)
async def test_a_refused_file_holds_neither_its_thread_nor_anything_else(
    bench: Bench, method: str, code: str
) -> None:
    """What comes after it in its thread is told, and so is another incident; it is said, and sent after the mend."""
    incident = await bench.open("with a picture")
    await bench.settled()
    bench.slack.faults.add(Fault.error(method, code, times=1000))
    await file_in_thread(bench, incident)
    await bench.line(incident, "told after it")
    await bench.open("another trouble")
    await until(lambda: len(bench.cards()) == 2, 2)
    card = bench.cards()[0]
    await until(lambda: any("told after it" in str(each.blocks) for each in bench.slack.thread(card)), 8)
    await until(lambda: code in said(bench), 8)
    if code == "blocked_file_type":
        bench.slack.faults.clear()
        await bench.settled(20)
        assert [each.files for each in bench.slack.thread(card) if each.files]
        assert bench.sender.problems == {}


@pytest.mark.parametrize("url", ["http://a..b/x", f"http://{'a' * 300}/x", "//x", "ftp://127.0.0.1/x", ""])
async def test_an_upload_address_that_can_be_none_is_a_failure_of_slacks(bench: Bench, url: str) -> None:
    """One that is said and tried again, and no traceback of ours each half minute."""
    incident = await bench.open("with a picture")
    await bench.settled()
    answer = {"ok": True, "file_id": "F1", "upload_url": url}
    bench.slack.faults.add(Fault.raw("files.getUploadURLExternal", json.dumps(answer)))
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message)), level="WARNING")
    try:
        await file_in_thread(bench, incident)
        await bench.settled(40)
    finally:
        logger.remove(sink)
    assert [each.files for each in bench.slack.thread(bench.cards()[0]) if each.files]
    assert not any("Traceback" in line for line in lines)


async def test_a_line_that_is_refused_by_itself_lets_the_later_ones_pass(bench: Bench) -> None:
    """Each of the others once, in their order; the refused one when Slack takes it after all."""
    incident = await bench.open()
    await bench.settled()
    refusal = Fault.error(POST, "a_new_word_of_slack", times=1000)
    refusal.where = lambda args: "refused" in str(args)
    bench.slack.faults.add(refusal)
    await bench.line(incident, "the refused one")
    await bench.line(incident, *(f"later {number}" for number in range(5)))
    thread = partial(bench.slack.thread, bench.cards()[0])
    await until(lambda: "later 4" in str([each.blocks for each in thread()]), 12)
    told = str([each.blocks for each in thread()])
    places = [told.index(f"later {number}") for number in range(5)]
    assert places == sorted(places)
    assert "docs.slack.dev/reference/methods/chat.postMessage" in said(bench)
    bench.slack.faults.clear()
    await bench.settled(25)
    told = str([each.blocks for each in thread()])
    assert [told.count(word) for word in ("the refused one", *(f"later {n}" for n in range(5)))] == [1] * 6


async def test_content_that_slack_takes_after_all_waits_no_minute(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card of which blocks and plain text were refused once is tried again soon, and ever more seldom."""
    monkeypatch.setattr(probes, "PROBE_SECONDS", 0.3)
    bench.slack.faults.add(Fault.error(POST, "invalid_blocks", times=4))
    incident = await bench.open()
    await bench.settled(5)
    assert incident.title in bench.cards()[0].text
    first, second, third = (call.at for call in bench.slack.calls.of(POST)[::2])
    assert third - second > second - first

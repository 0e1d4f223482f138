"""``hbot-triage replay``: what triage recorded, judged by today's rules; exported, judged by the lab."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from bot.command_line.table import app
from bot.store import SqlStore, open_store
from demo.lab.__main__ import main as lab
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeSources
from tests.triage.diagnosis.evidence import bot, box, errors
from tests.triage.incidents.desk_story import Story
from triage.desk import Desk
from triage.diagnosis import weights
from triage.diagnosis.record import SCHEMA
from triage.incidents.cause_answers import confirm, correct
from triage.incidents.feedback import question_of
from triage.model import Finding, RunStatus
from triage.plans.record import ActionRecord, ActionStatus
from triage.plans.verification import Verification, VerificationOutcome
from triage.ports.store import Tx
from triage.runs import runner
from triage.runs.runner import TriageRunner

pytestmark = pytest.mark.slow

DRAWDOWN = (bot(state="hard_stop", reasons=["drawdown_hard_limit"], drawdown=0.026), box(), errors())
NOTHING_SEEN = (bot(state="running"), box(), errors())


class Recorded(Story):
    """A story whose triages are the product's own, but for the checks' answers."""

    async def triage(self, monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
        """Run the triage that waits."""

        async def answer(*_: object, **__: object) -> tuple[Finding, ...]:
            return findings

        monkeypatch.setattr(runner, "run_checks", answer)
        triages = TriageRunner(
            store=self.store,
            desk=Desk(),
            sources=FakeSources().port,
            clock=self.clock,
            owner="me",
            wake_sender=lambda: None,
        )
        run = await triages.take()
        assert run is not None
        await triages.execute(run)

    async def over(self, monkeypatch: pytest.MonkeyPatch, *findings: Finding, began: str = "t0") -> None:
        """A stop that was triaged and is over."""
        await self.fire("BotHardStopActive", began=began)
        await self.triage(monkeypatch, *findings)
        self.clock.move(900)
        await self.clear("BotHardStopActive", began=began)
        self.clock.move(3600)

    async def answered(self, incident_id: int, cause: str = "", text: str = "") -> None:
        """Somebody says that the verdict was right, or what it was."""

        def work(tx: Tx) -> None:
            question = question_of(tx, incident_id)
            assert question is not None
            if cause:
                correct(tx, question.key, actor="U0ANA", cause=cause, text=text, now=self.clock.now())
            else:
                confirm(tx, question.key, actor="U0ANA", now=self.clock.now())

        await self.store.write(work)


@pytest.fixture
async def story(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Recorded]:
    """Begin a story in a database that the command line reads."""
    for name in ("SLACK_BOT_TOKEN", "TRIAGE_DESK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRIAGE_DATABASE_URL", sqlite_url)
    monkeypatch.chdir(tmp_path)
    async with open_store(sqlite_url) as store:
        yield Recorded(store, ManualClock())


async def call(*arguments: object) -> Result:
    """Run a command line."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, [str(one) for one in arguments]))


async def test_by_the_same_rules_it_is_the_same(story: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 0, by number in either form, as text and as JSON."""
    await story.over(monkeypatch, *DRAWDOWN)
    for name in ("INC-1", "inc-1", "1"):
        result = await call("replay", name)
        assert result.exit_code == 0, result.output
        assert "INC-1" in result.stdout
        assert "same: drawdown_limit (certain 0.97, stands)" in result.stdout
    [told] = json.loads((await call("replay", "INC-1", "--json")).stdout)
    assert (told["changed"], told["schema"], told["caveats"], told["differences"]) == (False, SCHEMA, [], [])
    assert told["was"] == told["now"]
    assert told["now"]["causes"][0]["cause"] == "drawdown_limit"


async def test_other_rules_show_what_changed(story: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1; cause, strength, buttons, evidence: each line says what was and what is."""
    await story.over(monkeypatch, *DRAWDOWN)
    monkeypatch.setattr(weights, "PRIORS", {**weights.PRIORS, "drawdown_limit": -12.0})
    result = await call("replay", "1")
    assert result.exit_code == 1, result.output
    assert "cause: drawdown_limit (certain 0.97, stands) -> no cause named" in result.stdout
    assert "drawdown_limit: no longer weighed (certain 0.97, stands)" in result.stdout
    [told] = json.loads((await call("replay", "1", "--json")).stdout)
    assert told["changed"]
    assert told["was"]["causes"][0]["stands"] is True


async def test_the_alerts_and_the_desk_of_then_count_not_those_of_now(
    story: Recorded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The incident went on, and desk.yaml calls the bots otherwise today."""
    await story.over(monkeypatch, *DRAWDOWN)
    await story.fire("BotDailyPnlDrawdown", "bot1")
    (tmp_path / "desk.yaml").write_text("name: other\nbots: [{name: alpha}]\n")
    monkeypatch.setenv("TRIAGE_DESK", str(tmp_path / "desk.yaml"))
    assert (await call("replay", "1")).exit_code == 0


async def test_every_triage_of_an_incident_can_be_judged(
    story: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oldest first, each with its run."""
    await story.fire("BotHardStopActive")
    await story.triage(monkeypatch, *NOTHING_SEEN)
    await story.store.write(lambda tx: tx.runs.queue(1, "asked for", story.clock.now()))
    await story.triage(monkeypatch, *DRAWDOWN)
    result = await call("replay", "1", "--every")
    assert result.exit_code == 0
    assert [line.split(":")[0] for line in result.stdout.splitlines() if line[0] != " "] == [
        "INC-1 run 1",
        "INC-1 run 2",
    ]


async def test_what_an_older_version_left_is_rebuilt_and_said_to_be(
    story: Recorded, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    """No record beside the findings: what the incident still has is taken, plainly."""
    await story.over(monkeypatch, *DRAWDOWN)

    def forget(tx: Any) -> None:  # noqa: ANN401 - the connection behind the port
        tx.connection.execute(sa.text("DELETE FROM triage_evidence"))

    await story.store.write(forget)
    result = await call("replay", "INC-1")
    assert f"recorded by an older version (schema 0, now {SCHEMA})" in result.stdout.lower()
    assert "drawdown_limit" in result.stdout
    [told] = json.loads((await call("replay", "INC-1", "--json")).stdout)
    assert told["schema"] == 0
    assert told["caveats"]


async def test_a_file_is_judged_as_the_incident_is(
    story: Recorded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exported, and read where there is no database."""
    await story.over(monkeypatch, *DRAWDOWN)
    result = await call("replay", "1", "--export", tmp_path / "cases")
    assert result.exit_code == 0
    assert "nobody said what it was" in result.stdout
    monkeypatch.setenv("TRIAGE_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    assert (await call("replay", tmp_path / "cases" / "inc-1.json")).exit_code == 0
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(json.loads((tmp_path / "cases" / "inc-1.json").read_text())["record"]))
    assert (await call("replay", bare)).exit_code == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "INC-42"),
        ("{", "is no JSON"),
        ("[]", "a JSON object was expected"),
        ('{"schema": 99}', "newer version"),
        (f'{{"schema": {SCHEMA}}}', "cannot be read"),
        ('{"record": {"schema": 0}, "truth": {"cause": 7}}', "truth.cause"),
    ],
)
async def test_what_cannot_be_replayed_is_wrong_usage(
    story: Recorded, tmp_path: Path, content: str | None, said: str
) -> None:
    """Exit code 2, in one line that names the file."""
    file = tmp_path / "case.json"
    if content is not None:
        file.write_text(content)
    result = await call("replay", file)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert said in line
    assert "case.json" in line
    assert (await call("replay", "INC-77")).exit_code == 2
    assert "no incident INC-77" in (await call("replay", "INC-77")).stderr


async def test_answers_export_as_cases_that_the_lab_judges(
    story: Recorded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Right, wrong with another cause, in words only, not answered; and what helped."""
    for number in range(4):
        await story.over(monkeypatch, *(DRAWDOWN if number < 3 else NOTHING_SEEN), began=f"t{number}")
    await story.answered(1)
    await story.answered(2, "edge_gate")
    await story.answered(3, "something else", "a cable was loose")
    now = story.clock.now()
    helped = ActionRecord(
        kind="restart",
        target="bot1",
        why="why",
        proposed_by="verdict",
        proposed_at=now,
        expires_at=now,
        changed_at=now,
        incident_id=1,
        status=ActionStatus.SUCCEEDED,
        verification=Verification(VerificationOutcome.RECOVERED, now, ()),
    )
    await story.store.write(lambda tx: tx.actions.add(helped))
    folder = tmp_path / "cases"
    result = await call("replay", "1", "2", "3", "4", "--export", folder)
    assert result.exit_code == 0, result.output
    truths = [json.loads((folder / f"inc-{number}.json").read_text())["truth"] for number in range(1, 5)]
    assert truths[0]["cause"] == "drawdown_limit"
    assert truths[0]["right"] == ["restart bot1"]
    assert (truths[1]["cause"], truths[1]["never"]) == ("edge_gate", ["drawdown_limit"])
    assert (truths[2]["cause"], truths[2]["text"]) == ("", "a cable was loose")
    assert truths[3] is None
    assert await asyncio.to_thread(lab, ["--faults", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "recorded cases: 4, of which 1 have no truth" in out
    assert "right 1 of 3 (33%), believed and wrong 2 of 3 (67%), what helped is offered 0 of 1 (0%)" in out
    assert "INC-2: believed and wrong: says drawdown_limit, was edge_gate" in out
    assert "INC-3: believed and wrong: says drawdown_limit, was not drawdown_limit" in out
    assert "none of what helped is offered" in out
    (folder / "odd.json").write_text("{}")
    assert await asyncio.to_thread(lab, ["--faults", str(folder)]) == 2
    assert "odd.json is no recorded case" in capsys.readouterr().err


async def test_a_triage_whose_evidence_cannot_be_kept_has_its_verdict_all_the_same(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no JSON in a check's data, or far too much of it."""
    story = Recorded(sqlite_store, ManualClock())
    await story.fire("BotHardStopActive")
    odd = replace(DRAWDOWN[1], name="scope", data={"padding": ["x" * 1000] * 1100})
    await story.triage(monkeypatch, *DRAWDOWN, odd)
    run = await sqlite_store.read(lambda tx: tx.runs.latest(1, RunStatus.DONE))
    assert run is not None
    assert run.verdict.causes[0].cause == "drawdown_limit"

"""The record of a triage: what is read back is judged as what was written."""

import json
import math
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.store_samples import BOT1, NOW, finding, incident
from tests.fakes.sources import FakeSources
from tests.triage.diagnosis.checks.context import context
from tests.triage.diagnosis.evidence import alert, bot, box, errors
from triage.actions.remedies import conclude, judged
from triage.desk import Desk
from triage.diagnosis.record import (
    LARGEST,
    REBUILT,
    SCHEMA,
    Record,
    as_json,
    from_json,
    pack,
    record_of,
    unpack,
)
from triage.errors import BadInput
from triage.model import Episode, Finding, Verdict
from triage.playbooks.lookup import playbook_for

SEEN = (bot(state="hard_stop", reasons=["drawdown_hard_limit"], drawdown=0.026), box(), errors())


def record(
    *findings: Finding,
    episodes: tuple[Episode, ...] = (alert("BotHardStopActive"),),
    desk: Desk | None = None,
) -> Record:
    """Record a triage of bot1 with an incident."""
    about = replace(context(FakeSources()), incident=incident(id=7))
    about = replace(about, desk=desk) if desk is not None else about
    return record_of(about, findings or SEEN, episodes, playbook_for(Desk(), "BotHardStopActive"), run=3)


def test_a_record_reads_back_as_it_was_and_gives_the_same_verdict() -> None:
    """Through JSON and compression."""
    one = record()
    back = unpack(pack(one))
    assert back == one
    assert from_json(json.loads(json.dumps(as_json(one)))) == one
    verdict = judged(back)
    assert verdict.causes[0].cause == "drawdown_limit"
    about = replace(context(FakeSources()), incident=incident(id=7))
    assert verdict == conclude(
        SEEN, about, (alert("BotHardStopActive"),), playbook_for(Desk(), "BotHardStopActive")
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.text(), st.lists(st.text(), max_size=3))
def test_whatever_a_check_found_reads_back(data: dict[str, object], text: str, details: list[str]) -> None:
    """Any JSON, any text but half a surrogate pair (hypothesis makes none)."""
    found = finding(data=data, headline=text, why=text, details=tuple(details))
    assert unpack(pack(record(found))).findings == (found,)


def test_a_number_that_is_none_reads_back_as_such() -> None:
    """Rules compare it: null in its place would be another thing."""
    back = unpack(pack(record(finding(data={"x": math.nan, "y": math.inf}))))
    assert math.isnan(back.findings[0].data["x"])
    assert back.findings[0].data["y"] == math.inf


def test_alerts_are_masked_as_findings_are() -> None:
    """A record is kept for long and may be sent to somebody."""
    secret = "postgres://desk:hunter2secret@db/x"
    one = record(
        episodes=(replace(alert("BotHardStopActive"), labels={"dsn": secret}, annotations={"a": secret}),)
    )
    assert "hunter2secret" not in json.dumps(as_json(one))


def test_nothing_of_people_tokens_and_folders_is_in_it() -> None:
    """Only what diagnosis reads of desk.yaml."""
    desk = Desk.model_validate(
        {"roles": {"operator": {"users": ["U0SOMEBODY"]}}, "paths": {"data": "/home/somebody/data"}}
    )
    text = json.dumps(as_json(record(desk=desk)))
    assert "U0SOMEBODY" not in text
    assert "somebody" not in text
    assert from_json(json.loads(text)).desk.bots == desk.bots


def test_a_large_record_loses_first_what_no_rule_reads_and_then_says_what() -> None:
    """Annotations and details cost no verdict; figures do, and are named."""
    wordy = finding(details=tuple("x" * 1000 for _ in range(LARGEST // 900)))
    back = unpack(pack(record(wordy, *SEEN[1:])))
    assert back.findings[0].details == ()
    assert back.findings[0].data == wordy.data
    assert back.cut == () == back.caveats
    huge = finding(name="scope", data={"bots": ["y" * 1000] * (LARGEST // 900)})
    cut = unpack(pack(record(SEEN[0], huge)))
    assert cut.findings[1].data == {}
    assert cut.findings[0].data
    assert "scope" in cut.cut[0]
    assert "not whole" in cut.caveats[0]
    stretched = tuple(replace(alert(f"A{number}"), labels={"x": "z" * 4000}) for number in range(300))
    with pytest.raises(ValueError, match="whatever is left out"):
        pack(record(episodes=stretched))


def test_a_record_of_a_newer_version_is_refused_plainly() -> None:
    """It may hold what this one does not understand."""
    with pytest.raises(BadInput, match="newer version"):
        from_json({**as_json(record()), "schema": SCHEMA + 1})


def test_a_record_that_was_rebuilt_says_so() -> None:
    """An older version kept less."""
    old = from_json({**as_json(record()), "schema": REBUILT})
    assert "older version (schema 0" in old.caveats[0]


def test_settings_that_this_version_does_not_know_are_left_out_and_named() -> None:
    """A setting that was taken out of desk.yaml must not make the past unreadable."""
    data = as_json(record())
    data["facts"]["compose"]["swarm"] = True
    back = from_json(data)
    assert "facts.compose.swarm" in back.cut[0]
    assert back.facts == record().facts
    del data["facts"]["compose"]["command"]
    assert from_json(data).desk.compose.command == ("docker", "compose")


@pytest.mark.parametrize(
    "content", [b"", b"no zlib", zlib.compress(b"{"), zlib.compress(b"[]"), zlib.compress(b'{"schema": 1}')]
)
def test_what_is_no_record_is_said_to_be_none(content: bytes) -> None:
    """Never another error."""
    with pytest.raises(BadInput):
        unpack(content)


def test_times_and_subjects_keep_their_exactness() -> None:
    """Microseconds count where a rule compares moments."""
    odd = replace(alert("BotHardStopActive"), starts_at=NOW - timedelta(microseconds=1))
    back = unpack(pack(replace(record(episodes=(odd,)), verdict=Verdict())))
    assert back.episodes[0].starts_at == odd.starts_at
    assert back.incident is not None
    assert back.incident.subjects == (BOT1,)

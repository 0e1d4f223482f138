"""The faults and the runs that they make, and some of them run on the simulated desk."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from demo.lab.__main__ import main
from demo.lab.breaker import Breaker
from demo.lab.collection import faults_in, mistakes, own_faults
from demo.lab.executor import run_in_turn
from demo.lab.fault import exam_seed, named
from demo.lab.plan import planned, short
from demo.lab.run import Run, RunOutcome, strike
from triage.actions.catalogue import CATALOGUE

FAULTS = {fault.name: fault for fault in own_faults()}


def test_the_lab_has_many_faults_and_keeps_a_third_apart() -> None:
    """A third of the faults and of the seeds are for the exam; no run mixes the halves."""
    exam = [fault for fault in FAULTS.values() if fault.exam]
    assert len(FAULTS) >= 80
    assert 0.2 < len(exam) / len(FAULTS) < 0.45
    development, examined = (
        planned(list(FAULTS.values()), exam=False),
        planned(list(FAULTS.values()), exam=True),
    )
    assert not [run.name for run in development if run.fault.exam or exam_seed(run.seed)]
    assert all(exam_seed(run.seed) for run in examined)
    verdicts = sum(1 + len(run.missing) for run in (*development, *examined))
    assert verdicts >= 400
    assert Counter(run.setting for run in development).keys() == {"plain", "deployed", "noisy", "paired"}


def test_every_truth_names_actions_of_the_catalogue() -> None:
    """A remedy that does not exist could never be offered."""
    for fault in FAULTS.values():
        for pattern in (*fault.truth.right, *fault.truth.tolerated, *fault.truth.forbidden):
            kind, _ = named(pattern, "bot1")
            assert kind in CATALOGUE, fault.name
        assert fault.name.replace("-", "_").isidentifier()


def outcome_of(name: str, **more: object) -> RunOutcome:
    """Play one fault with all evidence."""
    fault = FAULTS[name]
    outcomes = run_in_turn([Run(fault, 1, bot=(fault.bots or ("",))[0], **more)])  # type: ignore[arg-type]
    return outcomes[0]


def test_a_fault_brings_a_signal_by_the_desks_own_rules() -> None:
    """A paused container: its bot's snapshot grows old, and nothing else needs to be said to the lab."""
    outcome = outcome_of("paused-by-docker")
    assert outcome.signal == "BotFrozen"
    assert outcome.signal_after is not None
    assert 300 < outcome.signal_after < 900
    assert outcome.settled is not None
    assert outcome.settled.confidence > 0


def test_a_run_is_the_same_whenever_it_is_played() -> None:
    """Same fault, same seed, same verdicts: a figure that moves has a reason."""
    one, two = outcome_of("key-deleted"), outcome_of("key-deleted")
    assert (one.signal_after, one.signal) == (two.signal_after, two.signal)
    assert one.story == two.story


def test_a_source_that_is_missing_is_judged_on_its_own() -> None:
    """The same desk, looked at without Loki: another outcome of the same run."""
    whole, without = run_in_turn([Run(FAULTS["funds-spent"], 2, bot="bot3", missing=("loki",))])
    assert (whole.missing, without.missing) == ("", "loki")
    assert not [line for line in whole.story if "error_logs unknown" in line]
    assert [line for line in without.story if "error_logs unknown" in line]


FOREIGN = """
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    desk.alert("FanSpeedLow", {"instance": "node-exporter:9100", "severity": "warning"}, "a fan is slow")


FAULT = Fault("fan-slow", "A fan is slow.", Truth("nothing_is_wrong"), strike, bots=())
"""


def test_anybodys_faults_are_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with one file, written against the documented interface."""
    (tmp_path / "fan_slow.py").write_text(FOREIGN)
    assert [fault.name for fault in faults_in(tmp_path)] == ["fan-slow"]
    assert main(["--faults", str(tmp_path), "--tell", "all"]) == 0
    out = capsys.readouterr().out
    assert "FanSpeedLow" in out
    assert "verdicts that offer a harmful action" in out


@pytest.mark.parametrize(
    ("text", "said"), [("", "has no FAULT"), ("1/0", "does not load: ZeroDivisionError")]
)
def test_a_file_that_is_no_fault_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    """Exit code 2, and the file in the message."""
    (tmp_path / "broken.py").write_text(text)
    assert main(["--faults", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


HELPER = (
    "def rotate(desk):\n    desk.after(60, lambda: desk.container('nobody'))\n    desk.container('nobody')\n"
)
SEVERAL = """
from _people import rotate
from demo.lab.fault import Fault, Truth

FAULTS = [
    Fault("rotated", "x", Truth("key_lost", right=("reboot {bot}",)), rotate, bots=("bot9",)),
    Fault("rotated-too", "x", Truth("credentials_refused"), rotate),
]
"""


def test_a_file_may_state_several_faults_and_import_its_neighbour(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can never be met is said at once; which fault could not strike, and why, is said too."""
    (tmp_path / "_people.py").write_text(HELPER)
    (tmp_path / "rotations.py").write_text(SEVERAL)
    found = faults_in(tmp_path)
    assert [fault.name for fault in found] == ["rotated", "rotated-too"]
    said = " ".join(mistakes(found))
    assert "no cause is called key_lost" in said
    assert "no action is called 'reboot'" in said
    assert "no bot is called 'bot9'" in said
    desk = Breaker(world=None, prometheus=None, bus=None, bot="bot1", dice=Random(1))  # type: ignore[arg-type] # noqa: S311 - no secret
    with pytest.raises(ValueError, match="rotated-too cannot strike bot1"):
        strike(found[1], desk)
    (tmp_path / "again.py").write_text(SEVERAL)
    assert main(["--faults", str(tmp_path)]) == 2
    assert "more than one fault called rotated, rotated-too" in capsys.readouterr().err


def test_the_short_form_plays_every_second_development_fault_once() -> None:
    """No exam fault in it, and every source missing in turn."""
    runs = short(list(FAULTS.values()))
    assert [run.fault.name for run in runs] == [name for name, fault in FAULTS.items() if not fault.exam][::2]
    assert {source for run in runs for source in run.missing} == {
        "prometheus",
        "loki",
        "docker",
        "redis",
        "alertmanager",
    }

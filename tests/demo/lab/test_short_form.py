"""The lab's short form: a change that lets one of its figures fall is noticed here. They may rise."""

from collections.abc import Callable, Sequence

import pytest

from demo.lab.collection import own_faults
from demo.lab.executor import run_in_turn
from demo.lab.plan import short
from demo.lab.report import lines, outcome_lines
from demo.lab.score import figures
from triage.actions import remedies
from triage.diagnosis.checks.base import CheckContext
from triage.diagnosis.record import pack, record_of, unpack
from triage.model import Episode, Finding, Verdict
from triage.playbooks.model import Playbook

# A run or two of the fifty-five below what it reached when this was last raised.
TOP1, RIGHT_ACTION, ABSTAINS, FIRST_ACCEPTABLE = 0.96, 0.97, 0.94, 0.96
WRONG, MISSING_WRONG, CALIBRATION_ERROR, HARMFUL = 0.025, 0.03, 0.08, 0


def _also_replayed(differing: list[str]) -> Callable[..., Verdict]:
    """Return what concludes as the lab does, and notes each verdict that the recorded evidence does not lead to again."""

    def conclude(
        findings: Sequence[Finding], ctx: CheckContext, episodes: Sequence[Episode], playbook: Playbook
    ) -> Verdict:
        verdict = remedies.conclude(findings, ctx, episodes, playbook)
        record = record_of(ctx, findings, episodes, playbook)
        if remedies.judged(unpack(pack(record))) != verdict or record.cut:
            differing.append(f"{ctx.incident and ctx.incident.title} at {ctx.now}: {verdict.top}")
        return verdict

    return conclude


@pytest.mark.timeout(600)
def test_no_figure_of_the_short_form_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Right more often, wrong and harmful less often than when this was written."""
    differing: list[str] = []
    monkeypatch.setattr("demo.lab.triage.conclude", _also_replayed(differing))
    outcomes = run_in_turn(short(own_faults()))
    assert differing == [], (
        "recorded evidence, written and read back, gives the same verdict by the same rules"
    )
    score = figures(outcomes)
    story = "\n".join([*lines("short", outcomes), *outcome_lines(outcomes)])
    assert score.without_signal == 0, story
    assert (score.top1 or 0) >= TOP1, story
    assert (score.right_action or 0) >= RIGHT_ACTION, story
    assert (score.abstention or 0) >= ABSTAINS, story
    assert (score.first_acceptable or 0) >= FIRST_ACCEPTABLE, story
    assert (score.wrong or 0) <= WRONG, story
    assert (score.missing_wrong or 0) <= MISSING_WRONG, story
    assert (score.calibration_error or 0) <= CALIBRATION_ERROR, story
    assert score.harmful <= HARMFUL, story

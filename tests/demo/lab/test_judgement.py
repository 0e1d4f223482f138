"""How a verdict is judged beside the truth, without any desk."""

import pytest

from demo.lab.fault import Truth
from demo.lab.judgement import Struck, judge
from triage.model import ActionProposal, Cause, Verdict


def verdict(*causes: tuple[str, float], offers: tuple[str, ...] = ()) -> Verdict:
    """Return a verdict with these causes and actions (``kind target``)."""
    return Verdict(
        causes=tuple(Cause(name, name, confidence, ()) for name, confidence in causes),
        actions=tuple(ActionProposal(offer.split(" ")[0], offer.split(" ")[1], "") for offer in offers),
    )


FROZEN = Struck(((Truth("frozen_bot", right=("restart {bot}",), tolerated=("soft_pause",)), "bot1"),))
REVIEW = Struck(((Truth("drawdown_limit"), "bot1"),))
CALM = Struck(((Truth("nothing_is_wrong"), "bot1"),))


def test_the_right_cause_and_its_remedy_are_right() -> None:
    """The remedy on its own target; what is tolerated may stand beside it."""
    judged = judge(verdict(("frozen_bot", 0.9), offers=("restart bot1", "soft_pause bot1")), FROZEN)
    assert judged.top1
    assert judged.right_action
    assert not judged.wrong
    assert not judged.harmful


def test_a_remedy_on_another_target_does_harm() -> None:
    """Restarting a healthy bot is no remedy for the frozen one."""
    judged = judge(verdict(("frozen_bot", 0.9), offers=("restart bot3",)), FROZEN)
    assert judged.harmful == ("restart bot3",)
    assert not judged.right_action


@pytest.mark.parametrize(("confidence", "wrong"), [(0.8, True), (0.3, False)])
def test_a_wrong_cause_counts_as_wrong_only_when_it_is_believed(confidence: float, *, wrong: bool) -> None:
    """What is said to be unlikely misleads nobody."""
    judged = judge(verdict(("redis_down", confidence), ("frozen_bot", 0.2)), FROZEN)
    assert judged.wrong is wrong
    assert judged.top3
    assert judged.acceptable is not wrong


def test_where_a_person_must_look_a_button_is_no_right_action() -> None:
    """Neither one that harms nor one that nobody wrote down as tolerated."""
    assert judge(verdict(("drawdown_limit", 0.9)), REVIEW).right_action
    assert not judge(verdict(("drawdown_limit", 0.9), offers=("soft_pause bot1",)), REVIEW).right_action
    assert judge(verdict(("drawdown_limit", 0.9), offers=("rollback bot1",)), REVIEW).harmful


@pytest.mark.parametrize("said", ["no_cause_found", "nothing_is_wrong"])
def test_where_nothing_is_wrong_blaming_nothing_is_right(said: str) -> None:
    """To say so, and to say that nothing was found."""
    assert judge(verdict((said, 0.6)), CALM).top1
    assert judge(verdict(("edge_gate", 0.75)), CALM).wrong


def test_to_say_that_nothing_is_wrong_beside_a_fault_is_wrong() -> None:
    """It sends people back to bed."""
    assert judge(verdict(("nothing_is_wrong", 0.8)), FROZEN).wrong

"""The pace that Slack lets us keep."""

from bot.slack.rate_limits import EDIT, POST, RateLimiter, RateLimits
from schedules.trading import LOOK_EVERY_SECONDS
from tests.fakes.clock import ManualClock


def test_posts_go_in_a_short_burst_and_then_one_a_second() -> None:
    """Three at once, the fourth a second later, each next one a second behind."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    assert [pace.post(POST, "C1") for _ in range(5)] == [0, 0, 0, 1, 2]


def test_who_waited_for_a_turn_gets_it() -> None:
    """Coming back at the promised time is not refused."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    waits = [pace.post(POST, "C1") for _ in range(6)]
    for _ in waits[3:]:
        clock.move(1)
        assert pace.post(POST, "C1") == 0


def test_a_graver_post_loses_no_turn_to_a_lesser_one_that_waits() -> None:
    """Both wait for the same turn; the lesser one asks first, and leaves it to the graver one, who comes a moment later."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    assert [pace.post(POST, "C1", rank=3) for _ in range(4)] == [0, 0, 0, 1]
    clock.move(0.75)
    assert pace.post(POST, "C1", rank=1) == 0.25
    clock.move(0.25)
    assert pace.post(POST, "C1", rank=3) == 1
    clock.move(0.0625)
    assert pace.post(POST, "C1", rank=1) == 0
    clock.move(0.9375)
    assert pace.post(POST, "C1", rank=3) == 0


def test_a_turn_is_not_kept_for_one_that_does_not_come() -> None:
    """A graver post that was given up meanwhile costs the others one interval and no more."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    assert [pace.post(POST, "C1", rank=3) for _ in range(4)] == [0, 0, 0, 1]
    assert pace.post(POST, "C1", rank=1) == 1
    clock.move(1)
    assert pace.post(POST, "C1", rank=3) == 1
    clock.move(1)
    assert pace.post(POST, "C1", rank=3) == 0


def test_the_first_word_of_an_incident_does_not_wait_and_the_threads_pay() -> None:
    """An urgent post goes at once; what lines wait longer for it has a bound."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    assert [pace.post(POST, "C1", urgent=True) for _ in range(40)] == [0] * 40
    assert 0 < pace.post(POST, "C1") <= RateLimits().debt_seconds


def test_a_retry_after_binds_its_method_and_channel_alone() -> None:
    """Another channel and another method go on."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    pace.hold(POST, "C1", 30)
    assert pace.post(POST, "C1", urgent=True) == 30
    assert pace.post(POST, "C2") == 0
    assert pace.edit("C1", 7) == 0
    pace.hold("*", "*", 10)
    assert pace.edit("C9", 8) == 10
    clock.move(31)
    assert pace.post(POST, "C1") == 0


def test_behind_a_retry_after_the_graver_post_goes_first() -> None:
    """It was asked for last, while the channel takes nothing; the lesser ones ask before it when that is over."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    pace.limited(POST, "C1", 1)
    assert [pace.post(POST, "C1", urgent=True, rank=9) for _ in range(2)] == [1, 2]
    clock.move(0.5)
    assert pace.post(POST, "C1", urgent=True, rank=1) == 0.5
    clock.move(0.5)
    assert pace.post(POST, "C1", urgent=True, rank=9) > 0
    clock.move(0.0625)
    assert pace.post(POST, "C1", urgent=True, rank=1) == 0
    clock.move(1)
    assert pace.post(POST, "C1", urgent=True, rank=9) == 0


def test_one_message_is_edited_once_a_second_at_most() -> None:
    """Many changes are one edit; another message need not wait."""
    clock = ManualClock()
    pace = RateLimiter(clock, RateLimits(same_edit=1))
    assert pace.edit("C1", 1) == 0
    assert pace.edit("C1", 1) == 1
    assert pace.edit("C1", 2) == 0
    clock.move(1)
    assert pace.edit("C1", 1) == 0


def test_edits_keep_to_fifty_a_minute() -> None:
    """After the burst the whole app waits."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    assert [pace.edit("C1", number) for number in range(20)] == [0] * 20
    assert pace.edit("C1", 99) > 0


def test_the_progress_of_an_action_goes_before_the_cards_that_wait() -> None:
    """Its edits take no turn in the queue; the cards pay, and one message is still not edited without pause."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    for number in range(60):
        pace.edit("C1", number)
    assert pace.edit("C1", 99, urgent=True) == 0
    assert pace.edit("C1", 99, urgent=True) == RateLimits().same_edit
    clock.move(1)
    assert pace.edit("C1", 99, urgent=True) == 0
    assert pace.edit("C1", 60) > 0


def test_a_place_that_works_again_is_held_no_more() -> None:
    """What Slack asked of one method stays held."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    pace.refused("*", "*", 60)
    pace.hold(EDIT, "C1", 5)
    assert pace.post(POST, "C1") == 60
    pace.release(POST, "C1")
    assert pace.post(POST, "C1") == 0
    assert pace.edit("C1", 1) == 5


def test_a_card_is_edited_once_in_three_seconds_at_most() -> None:
    """It follows a whole desk; the progress of an action, which somebody watches, is not held up by that."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    assert pace.edit("C1", 1, card=True) == 0
    clock.move(1)
    assert pace.edit("C1", 1, card=True) == 2
    assert pace.edit("C1", 2, urgent=True) == 0
    clock.move(2)
    assert pace.edit("C1", 1, card=True) == 0


def test_a_card_follows_a_bots_state_within_five_seconds() -> None:
    """A state that changes just after a look and just after an edit waits for both, and half a second is left to answer."""
    clock = ManualClock()
    pace = RateLimiter(clock)
    assert pace.edit("C1", 1, card=True) == 0
    assert pace.edit("C1", 1, card=True) == 3, "at most one edit in three seconds"
    assert LOOK_EVERY_SECONDS + pace.edit("C1", 1, card=True) <= 4.5

"""A source that hangs is not asked again and again, one probe at a time finds out when it is back."""

import asyncio

import pytest

from bot.sources.budget import FREE, MIB, AnswerTooLarge, ByteBudget
from bot.sources.circuit import PROBE_EVERY_SECONDS, PROBE_SECONDS, TIMEOUTS, Circuit
from triage.errors import SourceDenied, SourceTimeout, SourceUnreachable


class Source:
    """A source whose next answers a test sets, asked through a circuit."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.asked: list[float] = []
        self.circuit = Circuit("Prometheus", monotonic=lambda: self.seconds)

    def ask(self, error: BaseException | None = None, *, takes: float = 5.0) -> None:
        """Ask once."""
        with self.circuit.question(10.0) as limit:
            self.asked.append(limit)
            self.seconds += takes
            if error is not None:
                raise error

    def hang(self) -> None:
        """Ask once, in vain."""
        with pytest.raises(SourceTimeout):
            self.ask(SourceTimeout("Prometheus", "no answer within 10 s"))


def test_after_repeated_timeouts_it_is_not_asked_and_says_why() -> None:
    """The first ones wait to their end; the next answer comes at once."""
    source = Source()
    for _ in range(TIMEOUTS):
        source.hang()
    for _ in range(5):
        with pytest.raises(SourceTimeout, match="no answer 3 times in a row, so it is not asked now"):
            source.ask()
    assert len(source.asked) == TIMEOUTS


def test_one_probe_at_a_time_goes_through_and_an_answer_ends_it() -> None:
    """A probe waits less than a question; while it waits nobody else is let through."""
    source = Source()
    for _ in range(TIMEOUTS):
        source.hang()
    source.seconds += PROBE_EVERY_SECONDS
    with source.circuit.question(10.0) as limit:
        assert limit == PROBE_SECONDS
        source.seconds += PROBE_EVERY_SECONDS
        with pytest.raises(SourceTimeout, match="not asked"), source.circuit.question(10.0):
            pytest.fail("two probes at once")
    source.ask()
    assert source.asked[-1] == 10.0


def test_a_probe_in_vain_keeps_it_away() -> None:
    """Until the next probe is due nobody waits."""
    source = Source()
    for _ in range(TIMEOUTS):
        source.hang()
    source.seconds += PROBE_EVERY_SECONDS
    source.hang()
    with pytest.raises(SourceTimeout, match="not asked"):
        source.ask()
    assert len(source.asked) == TIMEOUTS + 1


@pytest.mark.parametrize(
    "error", [SourceDenied("Prometheus", "401"), SourceUnreachable("Prometheus", "refused")]
)
def test_what_answers_or_refuses_quickly_is_asked_each_time(error: Exception) -> None:
    """Nobody waits for it, so nothing is won by not asking."""
    source = Source()
    for _ in range(3 * TIMEOUTS):
        with pytest.raises(type(error)):
            source.ask(error)
    assert len(source.asked) == 3 * TIMEOUTS


def test_one_answer_between_timeouts_keeps_it_near() -> None:
    """A slow question is not a source that hangs."""
    source = Source()
    for _ in range(TIMEOUTS):
        source.hang()
        source.seconds += PROBE_EVERY_SECONDS
        source.ask()
    assert not source.circuit.away


def test_a_check_that_gave_up_after_its_deadline_counts_and_one_cut_at_once_does_not() -> None:
    """A triage's deadline is shorter than the source's; a shutdown says nothing of it."""
    source = Source()
    for _ in range(2 * TIMEOUTS):
        with pytest.raises(asyncio.CancelledError):
            source.ask(asyncio.CancelledError(), takes=0.1)
    assert not source.circuit.away
    for _ in range(TIMEOUTS):
        with pytest.raises(asyncio.CancelledError):
            source.ask(asyncio.CancelledError(), takes=5.0)
    assert source.circuit.away


def test_all_reads_together_are_bounded_and_a_small_one_is_always_read() -> None:
    """What one answer takes beyond its free part is missing for the others, and is given back."""
    budget = ByteBudget(together=10 * MIB)
    with budget.answer(8 * MIB) as one, budget.answer(8 * MIB) as two, budget.answer(8 * MIB) as small:
        one.take(8 * MIB)
        with pytest.raises(AnswerTooLarge, match="answer too large: with the others"):
            two.take(8 * MIB)
        small.take(FREE)
        with pytest.raises(AnswerTooLarge, match="answer too large: larger than 8 MiB"):
            one.take(1)
    assert budget.taken == 0
    with budget.answer(8 * MIB) as again:
        again.take(8 * MIB)

"""What a rule's subquery found before is kept: the answers are those of an evaluator that looks everything up."""

import random
from collections.abc import Iterable, Sequence

import pytest

from demo.servers.promql import Evaluator, RememberingEvaluator
from demo.servers.tsdb import LabelMatcher, Series, Tsdb, labels_of

QUERIES = (
    "resets(sum by (name) (cpu)[10m:15s])",
    "max_over_time((cpu > 50)[5m:])",
    "avg_over_time(sum(cpu)[4m:1m] offset 2m)",
    "sum_over_time(rate(cpu[2m])[6m:30s])",
)


class CountingTsdb(Tsdb):
    """Counts how often it is asked."""

    looks = 0

    def select(self, matchers: Iterable[LabelMatcher]) -> Sequence[Series]:
        """Count, and answer."""
        self.looks += 1
        return super().select(matchers)


@pytest.mark.parametrize("seed", range(5))
def test_remembering_changes_no_answer(seed: int) -> None:
    """Series come, go stale and come back; the rules are asked at even steps, late, twice, and once at an earlier time."""
    dice, tsdb = random.Random(seed), Tsdb()  # noqa: S311 - dice for a test
    plain, remembering = Evaluator(tsdb, 15_000), RememberingEvaluator(tsdb, 15_000)
    now, answered = 1_700_000_000_000, 0
    for _ in range(200):
        now += dice.choice((15_000, 15_000, 15_000, 7_000, 240_000))
        for name in "abcd":
            value = dice.choice((None, dice.uniform(0, 100), dice.uniform(0, 100), dice.uniform(0, 100)))
            if dice.random() < 0.8:
                tsdb.append(labels_of({"__name__": "cpu", "name": name}), now, value)
        for at in dice.choice(((now,), (now, now), (now - 60_000, now))):
            for query in QUERIES:
                expected = sorted(plain.instant(query, at))  # type: ignore[arg-type]
                assert sorted(remembering.instant(query, at)) == expected, query  # type: ignore[arg-type]
                answered += bool(expected)
    assert answered > 400


def test_what_was_found_before_is_not_looked_up_again() -> None:
    """A quarter of an hour in steps of 15 s: asked once more a step later, one moment is looked at, not sixty."""
    tsdb = CountingTsdb()
    remembering = RememberingEvaluator(tsdb)
    remembering.instant("resets(cpu[15m:15s])", 1_700_000_107_000)
    assert tsdb.looks == 60
    remembering.instant("resets(cpu[15m:15s])", 1_700_000_122_000)
    assert tsdb.looks == 61

"""PromQL and LogQL built from hostile text mean what was meant."""

import json
import re

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.queries import logql, promql
from triage.queries.quoting import label_name, one_of, quoted, regex_literal

HOSTILE = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60)


@given(HOSTILE)
def test_a_value_is_one_matcher_in_promql(value: str) -> None:
    """A parser of PromQL finds exactly the matchers that were asked for."""
    parsed = promql_parser.parse(promql.selector("m", bot=value))
    assert isinstance(parsed, promql_parser.VectorSelector)
    (matcher,) = parsed.matchers.matchers
    assert (matcher.name, matcher.value) == ("bot", value)


@given(st.lists(HOSTILE, min_size=1, max_size=4))
def test_one_of_matches_these_values_and_no_other(values: list[str]) -> None:
    """The expression is anchored by Prometheus; each value is literal in it."""
    pattern = re.compile(f"^(?:{one_of(values)})$(?!\n)")
    assert all(pattern.match(value) for value in values)
    assert not pattern.match("|".join([*values, "x"]) + "x")


@given(st.text())
def test_a_quoted_text_reads_back(text: str) -> None:
    """Go's strings know every escape that JSON has; halves of surrogates become U+FFFD."""
    assert json.loads(quoted(text)) == re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert "\n" not in quoted(text)


@given(HOSTILE)
def test_a_selector_of_desk_yaml_is_filled_with_a_value_and_nothing_else(bot: str) -> None:
    """Braces, quotes and newlines in a name stay in the name."""
    filled = logql.from_template('{{job="bot_logs", bot="{bot}"}}', bot=bot)
    assert filled == '{job="bot_logs", bot=' + quoted(bot) + "}"


def test_nothing_to_choose_from_matches_nothing() -> None:
    """An empty expression would match series without the label."""
    assert not re.match(f"^(?:{one_of([])})$", "")


def test_filters_and_counts_read_as_logql() -> None:
    """As an operator would type them."""
    selector = logql.selector({"job": "bot_logs", "bot": "bot1"})
    assert selector + logql.containing('say "hi"') == '{job="bot_logs", bot="bot1"} |= "say \\"hi\\""'
    assert logql.containing("") == ""
    assert logql.without("a", "b") == ' != "a" != "b"'
    assert logql.count_over(selector, 900) == 'sum(count_over_time({job="bot_logs", bot="bot1"}[900s]))'


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", 'a"', "ä"])
def test_a_label_name_that_is_none_is_refused(name: str) -> None:
    """A name cannot be quoted, so it must be one."""
    with pytest.raises(ValueError, match="no label name"):
        label_name(name)


def test_every_special_character_of_re2_is_escaped() -> None:
    """Nothing in a name is an expression."""
    assert regex_literal("a.b*c[d]$") == r"a\.b\*c\[d\]\$"

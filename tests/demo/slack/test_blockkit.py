"""Each limit of Block Kit, one value over it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.slack.blockkit import check_message, check_view
from demo.slack.errors import SlackError

if TYPE_CHECKING:
    from demo.slack.model import Json


def plain(text: str) -> Json:
    """Return a plain_text object."""
    return {"type": "plain_text", "text": text}


def option(n: int = 1, **more: object) -> Json:
    """Return one option of a menu."""
    return {"text": plain(f"o{n}"), "value": str(n), **more}


def button(**more: object) -> Json:
    """Return a button."""
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def actions(*elements: Json) -> Json:
    """Return an actions block."""
    return {"type": "actions", "elements": list(elements)}


def section(text: str = "x", **more: object) -> Json:
    """Return a section."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


CONFIRM = {"title": plain("Sure?"), "text": plain("It stops."), "confirm": plain("Yes"), "deny": plain("No")}
SELECT = {"type": "static_select", "action_id": "s", "placeholder": plain("Pick")}
LINK = "https://example.com/x.png"

GOOD: list[Json] = [
    section("*bold*", fields=[plain("a"), plain("b")], accessory=button(style="danger", confirm=CONFIRM)),
    {"type": "header", "text": plain("Sev-1")},
    {"type": "divider"},
    {"type": "image", "image_url": LINK, "alt_text": "a chart", "title": plain("t")},
    {"type": "context", "elements": [plain("a"), {"type": "image", "image_url": LINK, "alt_text": "x"}]},
    actions(button(url=LINK), {**SELECT, "options": [option()], "initial_option": option()}),
    actions({"type": "overflow", "action_id": "more", "options": [option(1), option(2)]}),
    actions({"type": "datepicker", "action_id": "d", "initial_date": "2026-02-21"}),
    {"type": "input", "label": plain("Why"), "element": {"type": "plain_text_input", "action_id": "why"}},
    {"type": "markdown", "text": "# Hello"},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}], [{"type": "raw_text", "text": "b"}]]},
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": "x", "style": {"bold": True}}],
            },
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "emoji", "name": "eyes"}]}],
            },
        ],
    },
]

BAD: dict[str, tuple[list[Json], str]] = {
    "51 blocks": ([{"type": "divider"}] * 51, "no more than 50 items"),
    "unknown block": ([{"type": "marquee"}], "unsupported type: marquee"),
    "unknown property": ([section(colour="red")], "invalid additional property: colour"),
    "section text 3001": ([section("x" * 3001)], "must be less than 3001 characters"),
    "section empty text": ([section("")], "must be more than 0 characters"),
    "section without content": ([{"type": "section"}], "must have at least one of text, fields"),
    "11 fields": ([section(fields=[plain("a")] * 11)], "no more than 10 items"),
    "field 2001": ([section(fields=[plain("a" * 2001)])], "must be less than 2001"),
    "header mrkdwn": (
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        "unsupported type: mrkdwn",
    ),
    "header 151": ([{"type": "header", "text": plain("x" * 151)}], "must be less than 151"),
    "context 11": ([{"type": "context", "elements": [plain("a")] * 11}], "no more than 10 items"),
    "actions 26": ([actions(*[button(action_id=str(n)) for n in range(26)])], "no more than 25 items"),
    "actions empty": ([actions()], "no fewer than 1 items"),
    "button text 76": ([actions(button(text=plain("x" * 76)))], "must be less than 76"),
    "button mrkdwn": ([actions(button(text={"type": "mrkdwn", "text": "x"}))], "unsupported type"),
    "button value 2001": ([actions(button(value="x" * 2001))], "must be less than 2001"),
    "button style": ([actions(button(style="warning"))], "must be one of primary, danger"),
    "action_id 256": ([actions(button(action_id="x" * 256))], "must be less than 256"),
    "block_id 256": ([section(block_id="x" * 256)], "must be less than 256"),
    "bad url": ([actions(button(url="javascript:alert(1)"))], "must match the pattern"),
    "confirm title 101": ([actions(button(confirm={**CONFIRM, "title": plain("x" * 101)}))], "less than 101"),
    "confirm text 301": ([actions(button(confirm={**CONFIRM, "text": plain("x" * 301)}))], "less than 301"),
    "confirm button 31": ([actions(button(confirm={**CONFIRM, "deny": plain("x" * 31)}))], "less than 31"),
    "confirm without deny": (
        [actions(button(confirm={k: v for k, v in CONFIRM.items() if k != "deny"}))],
        "missing required field: deny",
    ),
    "overflow 6": (
        [actions({"type": "overflow", "action_id": "o", "options": [option(n) for n in range(6)]})],
        "no more than 5 items",
    ),
    "select 101": (
        [actions({**SELECT, "options": [option(n) for n in range(101)]})],
        "no more than 100 items",
    ),
    "select without options": ([actions(SELECT)], "must have exactly one of options, option_groups"),
    "select option 76": ([actions({**SELECT, "options": [option(text=plain("x" * 76))]})], "less than 76"),
    "select initial not offered": (
        [actions({**SELECT, "options": [option(1)], "initial_option": option(2)})],
        "initial option must be",
    ),
    "radio 11": (
        [actions({"type": "radio_buttons", "action_id": "r", "options": [option(n) for n in range(11)]})],
        "no more than 10 items",
    ),
    "image without alt": ([{"type": "image", "image_url": LINK}], "missing required field: alt_text"),
    "image twice": (
        [{"type": "image", "image_url": LINK, "slack_file": {"id": "F1"}, "alt_text": "x"}],
        "must have exactly one of image_url, slack_file",
    ),
    "duplicate block_id": ([section(block_id="a"), section(block_id="a")], '`block_id` "a" already exists'),
    "duplicate action_id": ([actions(button(), button())], '`action_id` "go" already exists'),
    "markdown 12001": ([{"type": "markdown", "text": "x" * 12001}], "less than 12001"),
    "markdown sum": ([{"type": "markdown", "text": "x" * 6001}] * 2, "12001 characters in all"),
    "table 101 rows": ([{"type": "table", "rows": [[{"type": "raw_text", "text": ""}]] * 101}], "100 items"),
    "table 21 columns": ([{"type": "table", "rows": [[{"type": "raw_text", "text": ""}] * 21]}], "20 items"),
    "table 10001": (
        [{"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 5001}] * 2]}],
        "10001 characters in all",
    ),
    "date": (
        [actions({"type": "datepicker", "action_id": "d", "initial_date": "21.2."})],
        "must match the pattern",
    ),
    "not an object": ([section(accessory="button")], "must be an object"),
}


def test_every_kind_of_block_passes() -> None:
    """A message with one of each is taken."""
    check_message(copy.deepcopy(GOOD))


@pytest.mark.parametrize("case", BAD)
def test_what_slack_refuses_is_refused_with_its_place(case: str) -> None:
    """`invalid_blocks`, the reason, and a JSON pointer below /blocks."""
    blocks, reason = BAD[case]
    with pytest.raises(SlackError) as caught:
        check_message(blocks)
    assert caught.value.code == "invalid_blocks"
    assert any(reason in message for message in caught.value.messages), caught.value.messages
    assert all("[json-pointer:/blocks" in message for message in caught.value.messages)
    answer: Any = caught.value.answer()
    assert answer["response_metadata"]["messages"][0].startswith("[ERROR] ")


def test_the_same_action_id_may_stand_in_two_blocks() -> None:
    """Only within one block it must differ."""
    check_message([actions(button()), actions(button())])


def test_blocks_are_too_long_together() -> None:
    """Five sections of 2,900 characters each pass alone and not together."""
    with pytest.raises(SlackError, match="msg_blocks_too_long"):
        check_message([section("x" * 2900)] * 5)
    check_message([section("x" * 2900)] * 4)


def test_two_tables_are_one_too_many() -> None:
    """A message holds one table."""
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}
    with pytest.raises(SlackError, match="only_one_table_allowed"):
        check_message([table, copy.deepcopy(table)])


VIEW = {"type": "modal", "title": plain("T"), "submit": plain("Go"), "blocks": [section()]}
INPUT = {"type": "input", "label": plain("Why"), "element": {"type": "plain_text_input", "action_id": "why"}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": plain("x" * 25)}, "less than 25"),
        ({"submit": plain("x" * 25)}, "less than 25"),
        ({"close": plain("x" * 25)}, "less than 25"),
        ({"private_metadata": "x" * 3001}, "less than 3001"),
        ({"callback_id": "x" * 256}, "less than 256"),
        ({"blocks": [section()] * 101}, "no more than 100 items"),
        ({"blocks": [INPUT], "submit": None}, "must define `submit`"),
        ({"blocks": [{"type": "table", "rows": []}]}, "unsupported type: table"),
        ({"type": "home"}, "must be a modal view"),
        ({"colour": "red"}, "invalid additional property"),
    ],
)
def test_a_wrong_modal_is_an_invalid_argument(change: Json, reason: str) -> None:
    """Titles of 24, metadata of 3,000, 100 blocks, and inputs only with a submit button."""
    with pytest.raises(SlackError, match="invalid_arguments") as caught:
        check_view(VIEW | change, "modal")
    assert any(reason in message for message in caught.value.messages), caught.value.messages


def test_a_good_modal_passes() -> None:
    """The view the cases above are made from is right."""
    check_view(VIEW | {"blocks": [INPUT, *[section() for _ in range(99)]]}, "modal")


ODD: list[Any] = [None, True, 7, "", "x", [], {}, [[]], [{}], [None], {"type": []}, {"type": "button"}]
ODD += [{"type": "mrkdwn", "text": 5}, {"type": "static_select", "options": "x"}, {"type": "checkboxes"}]
FIELDS = ("text", "fields", "elements", "accessory", "element", "rows", "label", "block_id", "type")


@given(
    st.lists(
        st.builds(
            lambda block, change: {**block, **change},
            st.sampled_from(GOOD),
            st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(ODD), max_size=3),
        ),
        max_size=3,
    )
)
def test_no_shape_of_json_breaks_the_check(blocks: list[Json]) -> None:
    """Whatever an app sends is either taken or refused; nothing else is raised."""
    try:
        check_message(blocks)
    except SlackError as error:
        assert error.code in {"invalid_blocks", "msg_blocks_too_long", "invalid_attachments"}  # noqa: PT017 - either way is right

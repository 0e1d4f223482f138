"""A whole message or a whole view: its blocks together, ids that must not repeat, sums that must not be passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.slack.blockkit.blocks import MARKDOWN_CHARACTERS, MESSAGE_BLOCKS, TABLE_CHARACTERS, VIEW_BLOCKS
from demo.slack.blockkit.elements import ID, plain
from demo.slack.blockkit.rules import anything, flag, one_of, say, shape, string
from demo.slack.errors import SlackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.slack.ids import Ids
    from demo.slack.model import Json

MESSAGE_BLOCK_CHARACTERS = 13_200
VIEW_BYTES = 250_000

_MODAL = shape(
    {
        "type": anything,
        "title": plain(24),
        "submit": plain(24),
        "close": plain(24),
        "blocks": VIEW_BLOCKS,
        "private_metadata": string(3000, least=0),
        "callback_id": string(255, least=0),
        "external_id": string(255, least=0),
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
    },
    required=("title", "blocks"),
)
_HOME = shape(
    {
        "type": one_of("home"),
        "blocks": VIEW_BLOCKS,
        "private_metadata": string(3000, least=0),
        "callback_id": ID,
        "external_id": ID,
    },
    required=("blocks",),
)


def walk(blocks: list[Json]) -> Iterator[tuple[str, Json, Json]]:
    """Yield (pointer below the blocks, block, element) for every interactive element."""
    for index, block in enumerate(blocks):
        kind = block.get("type")
        if kind == "actions":
            for number, element in enumerate(block.get("elements", [])):
                yield f"{index}/elements/{number}", block, element
        elif kind == "section" and block.get("accessory", {}).get("type") not in {None, "image"}:
            yield f"{index}/accessory", block, block["accessory"]
        elif kind == "input":
            yield f"{index}/element", block, block["element"]


def check_message(blocks: list[Json], pointer: str = "/blocks") -> None:
    """Raise `SlackError` when Slack would refuse these blocks in a message."""
    problems: list[str] = []
    MESSAGE_BLOCKS(blocks, pointer, problems)
    if not problems:
        _check_ids(blocks, pointer, problems)
        _check_sums(blocks, pointer, problems)
    if problems:
        raise SlackError("invalid_blocks", problems)
    if sum(_weight(block) for block in blocks) > MESSAGE_BLOCK_CHARACTERS:
        raise SlackError("msg_blocks_too_long")
    if sum(block["type"] == "table" for block in blocks) > 1:
        raise SlackError("invalid_attachments", ["only_one_table_allowed"])


def check_view(view: Json, kind: str) -> None:
    """Raise `SlackError` when Slack would refuse this view; `kind` is `modal` or `home`."""
    if view.get("type") != kind:
        raise SlackError("invalid_arguments", [f"must be a {kind} view [json-pointer:/view/type]"])
    problems: list[str] = []
    (_MODAL if kind == "modal" else _HOME)(view, "/view", problems)
    if not problems:
        _check_ids(view["blocks"], "/view/blocks", problems)
        has_input = any(block["type"] == "input" for block in view["blocks"])
        if kind == "modal" and has_input and not view.get("submit"):
            say(problems, "/view/submit", "must define `submit` to use an `input` block in modals")
    if problems:
        raise SlackError("invalid_arguments", problems)
    if len(repr(view).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")


def fill_ids(blocks: list[Json], ids: Ids) -> list[Json]:
    """Give the blocks and elements that came without ids the random ones Slack gives them."""
    for block in blocks:
        block.setdefault("block_id", ids.short())
    for _, _, element in walk(blocks):
        element.setdefault("action_id", ids.short())
    return blocks


def _check_ids(blocks: list[Json], pointer: str, problems: list[str]) -> None:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            say(problems, f"{pointer}/{index}/block_id", f'`block_id` "{block_id}" already exists')
        elif block_id:
            seen.add(block_id)
    used: set[tuple[int, str]] = set()
    for place, block, element in walk(blocks):
        key = (id(block), element.get("action_id", ""))
        if key[1] and key in used:
            say(
                problems,
                f"{pointer}/{place}/action_id",
                f'`action_id` "{key[1]}" already exists in this block',
            )
        used.add(key)


def _check_sums(blocks: list[Json], pointer: str, problems: list[str]) -> None:
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MARKDOWN_CHARACTERS:
        say(
            problems,
            pointer,
            f"markdown blocks must be less than {MARKDOWN_CHARACTERS + 1} characters in all",
        )
    tables = sum(_weight(block["rows"]) for block in blocks if block["type"] == "table")
    if tables > TABLE_CHARACTERS:
        say(problems, pointer, f"tables must be less than {TABLE_CHARACTERS + 1} characters in all")
    for index, block in enumerate(blocks):
        if block["type"] == "table" and len({len(row) for row in block["rows"]}) > 1:
            say(problems, f"{pointer}/{index}/rows", "rows must have the same number of cells")


def _weight(part: object) -> int:
    """Count the characters of every string that is not a `type`: texts, values, urls and ids."""
    if isinstance(part, str):
        return len(part)
    if isinstance(part, list):
        return sum(_weight(item) for item in part)
    if isinstance(part, dict):
        return sum(_weight(item) for name, item in part.items() if name != "type")
    return 0

"""What a person wrote into desk.yaml stays when init writes it anew: roles, and every part that init does not see."""

from __future__ import annotations

import re

_KEY = re.compile(r"([A-Za-z_]\w*):")
_SEEN = frozenset({"name", "bots", "paths", "compose"})
"""The parts that init reads from the desk itself: they are made anew each time."""


def with_user_edits(text: str, before: str) -> str:
    """Return desk.yaml as init makes it, with the parts that the one before has from a person, word for word.

    An empty ``playbooks: {}`` is nobody's and is made anew too.
    """
    made = _blocks(text)
    kept = {
        key: block for key, block in _blocks(before).items() if key not in _SEEN and not _is_empty(key, block)
    }
    parts = [kept.pop(key, block) for key, block in made.items()]
    return "".join([*parts, *(f"\n{block.strip(chr(10))}\n" for block in kept.values())])


def _is_empty(key: str, block: str) -> bool:
    return (
        not key
        or re.search(rf"^{key}: *(?:\{{\}}|\[\])?(?: *#.*)?$(?!\n[ -])", block, re.MULTILINE) is not None
    )


def _blocks(text: str) -> dict[str, str]:
    """Part a file at its top keys; the comments above a key belong to it, the first ones to no key."""
    blocks: dict[str, str] = {"": ""}
    key, waiting = "", ""
    for line in text.splitlines(keepends=True):
        found = _KEY.match(line)
        if found is not None:
            key = found[1]
            blocks[key] = waiting + line
            waiting = ""
        elif not line.strip() or line.startswith("#"):
            waiting += line
        else:
            blocks[key] += waiting + line
            waiting = ""
    blocks[key] += waiting
    return blocks

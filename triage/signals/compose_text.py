"""A Compose file's text, service by service: enough to say whose part of it changed, without reading what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SERVICES = re.compile(r"^services:\s*(?:#.*)?$")
_NAME = re.compile(r"^[\"']?(?P<name>[A-Za-z0-9._-]+)[\"']?:")
_ANCHOR, _ALIAS = re.compile(r"(?:^|[\s\[{,:])&([\w-]+)"), re.compile(r"(?:^|[\s\[{,:])\*([\w-]+)")
REST = "(what is no service's)"
"""Networks, volumes, a file that is not written in blocks: a change there may be about any of them."""


def service_blocks(text: str) -> dict[str, str]:
    """Return the text of each service, without comments and empty lines, with what its aliases (``*bot``) stand for.

    What no service refers to is ``REST``, and so is a file that is not written in blocks (``services: {…}``).
    """
    services, others = _cut(text)
    places = {anchor: block for block in (*others, *services.values()) for anchor in _ANCHOR.findall(block)}
    found = {name: "\n".join((block, *_meant(block, places))) for name, block in services.items()}
    rest = [block for block in others if not services or not _ANCHOR.search(block)]
    return {**found, **({REST: "\n".join(rest)} if rest else {})}


def _cut(text: str) -> tuple[dict[str, str], list[str]]:
    """Cut the text at the names of services and at the other names of the top level."""
    services: dict[str, list[str]] = {}
    others: list[list[str]] = []
    inside, indent, name = False, 0, ""
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        depth = len(line) - len(line.lstrip())
        if depth == 0:
            inside, indent, name = bool(_SERVICES.match(line)), 0, ""
            if not inside:
                others.append([])
        elif inside and (not indent or depth == indent):
            indent, named = depth, _NAME.match(bare)
            name = named["name"] if named is not None else name
        if name:
            services.setdefault(name, []).append(line.rstrip())
        elif not inside:
            if not others:
                others.append([])
            others[-1].append(line.rstrip())
    return {key: "\n".join(lines) for key, lines in services.items()}, ["\n".join(lines) for lines in others]


def _meant(block: str, places: Mapping[str, str]) -> list[str]:
    """Return the blocks that a block's aliases stand in, and those that these refer to."""
    found: dict[str, None] = {}
    open_blocks = [block]
    while open_blocks:
        for alias in _ALIAS.findall(open_blocks.pop()):
            meant = places.get(alias)
            if meant is not None and meant not in found and meant != block:
                found[meant] = None
                open_blocks.append(meant)
    return list(found)

"""YAML from a bot's folder: limits of size, depth, aliases, merges and time, and no word of it in an error."""

from __future__ import annotations

import time

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from triage.errors import DeskFailure

MOST_BYTES = 256 * 1024
DEEPEST, ALIASES, ANCHORS, EVENTS = 40, 20, 50, 40_000
MERGES = 5
"""Of one mapping each (``<<: *base``): ten of two each would make a thousand copies of the first one's keys."""
_MERGE = frozenset({"<<", "tag:yaml.org,2002:merge"})
"""A key that merges, by its name or by its tag; one with an anchor could merge again through an alias."""
SECONDS = 1.0
"""Time of a processor that one file may take to be looked at."""


def load_mapping(content: bytes, name: str) -> dict[str, object]:
    """Return the top-level keys of a YAML file. Raises DeskFailure, with the file's name and a line at the most."""
    if len(content) > MOST_BYTES:
        raise DeskFailure(f"{name} is larger than {MOST_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
        _vet(text, name)
        values = YAML(typ="safe", pure=True).load(text)
    except UnicodeDecodeError:
        raise DeskFailure(f"{name} is no UTF-8 text") from None
    except MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        raise DeskFailure(f"{name} is no YAML{line}") from None
    except (YAMLError, ValueError, RecursionError, ArithmeticError, TypeError):
        raise DeskFailure(f"{name} is no YAML that can be read") from None
    if not isinstance(values, dict):
        raise DeskFailure(f"{name} holds no settings")
    return {str(key): value for key, value in values.items()}


def _vet(text: str, name: str) -> None:
    """Go through a file's events, which come one by one, before anything is built of them. Raises DeskFailure."""
    depth = aliases = anchors = merges = 0
    merging = False
    ends = time.thread_time() + SECONDS
    for number, event in enumerate(YAML(typ="safe", pure=True).parse(text)):
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
        aliases += isinstance(event, AliasEvent)
        # Each further anchor costs the more, the more there are.
        anchors += not isinstance(event, AliasEvent) and getattr(event, "anchor", None) is not None
        several = merging and isinstance(event, SequenceStartEvent)
        merging = isinstance(event, ScalarEvent) and not _MERGE.isdisjoint({event.value, event.tag})
        merges += merging
        if several or merges > MERGES or (merging and event.anchor is not None):
            raise DeskFailure(f"{name} merges too many mappings to be a configuration")
        if depth > DEEPEST or aliases > ALIASES or anchors > ANCHORS or number > EVENTS:
            raise DeskFailure(f"{name} is nested too deep, or too large, to be a configuration")
        if time.thread_time() > ends:
            raise DeskFailure(f"{name} takes too long to be read")

"""What is known of config snapshots beside their files: image, checksum, known good. Kept as notes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from triage.ports.store import Tx

_PREFIX = "snapshot/"
GOOD, BAD = "yes", "no"


def facts_of_snapshots(tx: Tx) -> dict[str, dict[str, str]]:
    """Return, by archive name, the facts ``image``, ``sha256``, ``known_good`` (yes | no, or not there yet)."""
    found = tx.notes.all_parsed(_PREFIX, _read)
    return {key.removeprefix(_PREFIX): facts for key, facts in found.items()}


def keep_facts(tx: Tx, name: str, facts: Mapping[str, str]) -> None:
    """Add facts about an archive to what is known of it."""
    known = tx.notes.parsed(_PREFIX + name, _read) or {}
    tx.notes.put(_PREFIX + name, json.dumps({**known, **facts}))


def _read(text: str) -> dict[str, str]:
    return {str(name): str(value) for name, value in json.loads(text).items()}


def is_good(facts: Mapping[str, str] | None) -> bool:
    """Whether a snapshot was followed by 24 healthy hours."""
    return facts is not None and facts.get("known_good") == GOOD

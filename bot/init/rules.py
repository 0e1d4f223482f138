"""Finds the alert rules that lie in files below the desk's folder."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bot.init.compose_text import SIZE, read_yaml

_MOST = 200
"""Files that are looked into; those whose path speaks of rules or alerts first."""
_GROUPS = re.compile(r"^groups:", re.MULTILINE)
_SUFFIXES = frozenset({".yml", ".yaml", ".rules"})


def rules_below(root: Path, compose_files: Sequence[Path], doubts: list[str]) -> tuple[str, ...]:
    """Return the names of the alert rules in files below a folder; a file of rules that cannot be read is a doubt."""
    paths = [path for path in below(root, "*") if path.suffix in _SUFFIXES and path not in compose_files]
    paths.sort(key=lambda path: (re.search("rule|alert", str(path.relative_to(root))) is None, path))
    if len(paths) > _MOST:
        doubts.append(f"of {len(paths)} files {_MOST} were looked into for alert rules")
    names: dict[str, None] = {}
    for path in filter(_may_hold_rules, paths[:_MOST]):
        names.update(dict.fromkeys(_alerts(read_yaml(path, doubts))))
    return tuple(names)


def _may_hold_rules(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path.stat().st_size <= SIZE else ""
    except OSError:
        return False
    return _GROUPS.search(text) is not None and "alert:" in text


def _alerts(content: object) -> Iterable[str]:
    for group in _list(content, "groups"):
        for rule in _list(group, "rules"):
            if isinstance(rule, dict) and rule.get("alert"):
                yield str(rule["alert"])


def _list(content: object, key: str) -> list[Any]:
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, list) else []


def below(root: Path, pattern: str) -> Iterable[Path]:
    """Yield files below the root that may be configuration: not the bots' data, backups or what is hidden."""
    for folder, folders, names in os.walk(root):
        left_out = {"data", "backups"} if Path(folder) == root else set()
        folders[:] = [name for name in folders if not name.startswith(".") and name not in left_out]
        yield from (Path(folder, name) for name in fnmatch.filter(names, pattern) if not name.startswith("."))

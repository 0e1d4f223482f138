"""What the label ``bot`` of an alert names: a bot of the desk, several, all of them, or none. Pure.

A rule that sums over bots, or a template that joins their names, writes ``bot1,bot2``; one whose series has no bot
writes ``none``. Neither is a bot of that name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triage.masking import masked_where_cut
from triage.model import Subject, SubjectKind

if TYPE_CHECKING:
    from triage.desk import Desk

NAME_MAX = 200
"""Characters of what an alert is about that are kept: they end up in titles."""
SEVERAL = re.compile(r"\s*[,;|&]\s*|\s+and\s+")
_NOISE = re.compile(r"[\s_-]+")
_NOBODY = frozenset({"", "-", "--", "none", "null", "nil", "n/a", "na", "unknown", "undefined", "<no value>"})
_EVERYBODY = frozenset({"*", ".*", ".+", "all", "any", "every"})


def names_nobody(label: str) -> bool:
    """Tell whether the value of a label stands for there being none."""
    return label.strip().lower() in _NOBODY


def of_bot(label: str, desk: Desk) -> Subject | None:
    """Return the bot that a label names, or the desk where it names several or all; None where it names none."""
    label = label.strip()
    if names_nobody(label) and desk.bot(label) is None:
        return None
    if label.lower() in _EVERYBODY and desk.bot(label) is None:
        return Subject(SubjectKind.DESK, desk.name)
    named = {_bot_named(label, desk)}
    if desk.bot(*named) is None and len(parts := [part for part in SEVERAL.split(label) if part]) > 1:
        named = {_bot_named(part, desk) for part in parts}
    kind = SubjectKind.BOT if len(named) == 1 else SubjectKind.DESK
    return Subject(kind, masked_where_cut(", ".join(sorted(named)), NAME_MAX))


def _plain(name: str) -> str:
    """Return a name as people write it in more ways than one: ``Bot 1`` and ``bot-1`` are ``bot1``."""
    return _NOISE.sub("", name.casefold())


def _bot_named(name: str, desk: Desk) -> str:
    """Return the desk's own name of a bot: a label may have its container's, or write it in capitals."""
    if desk.bot(name) is not None:
        return name
    owner = desk.bot_of_container(name.removeprefix("/"))
    alike = [bot.name for bot in desk.bots if _plain(bot.name) == _plain(name)]
    return owner.name if owner is not None else alike[0] if len(alike) == 1 else name

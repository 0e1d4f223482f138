"""The kinds of actions by name: the files of ``triage/actions/kinds/``, without importing them.

desk.yaml and the playbooks name kinds, and are read before an action is made.
"""

from __future__ import annotations

import pkgutil
from pathlib import Path

_FOLDER = Path(__file__).parent / "actions" / "kinds"

KIND = r"[a-z][a-z0-9_]{0,59}"
"""What the name of a kind looks like: in a file's name, a button of the chat, a request to the agent."""

KINDS: tuple[str, ...] = tuple(
    sorted(module.name for module in pkgutil.iter_modules([str(_FOLDER)]) if not module.name.startswith("_"))
)
"""Every kind of action, in alphabetical order."""
STOP_TRADING = frozenset({"kill_switch", "soft_pause", "stop_desk"})
"""The kinds that are done to stop trading: bots that stand after them stand as asked."""

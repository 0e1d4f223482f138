"""Who is who: an actor is stored as the chat's id of a person, and shown by a plain name that pings nobody.

The chat names the person in every click and command, so the name is learned there, inside the transaction
that stores what the person did: showing it needs no call to the chat and cannot fail.
"""

from __future__ import annotations

from triage.ports.store import Tx
from triage.untrusted_text import one_line

_NAME_LENGTH = 40


def _key(user_id: str) -> str:
    return f"people/{user_id}"


def remember(tx: Tx, user_id: str, name: str) -> None:
    """Learn a person's name; writes only when it changed."""
    name = one_line(name, _NAME_LENGTH).lstrip("@")
    if name and tx.notes.get(_key(user_id)) != name:
        tx.notes.put(_key(user_id), name)


def name_of(tx: Tx, actor: str) -> str:
    """Return how an actor is shown: ``@ana`` for a person, the word itself for a part of the system.

    A person's id is in capitals and digits; a part of the system is called by a word in small letters.
    """
    if not (actor.isalnum() and actor.isupper()):
        return one_line(actor, _NAME_LENGTH)
    return f"@{tx.notes.get(_key(actor)) or actor}"

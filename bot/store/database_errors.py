"""What an error of a database means: whose fault it is, whether the database is damaged, whether a COMMIT happened."""

from __future__ import annotations

import sqlalchemy as sa

from triage.errors import CommitUnknown, NotStored, StoreUnavailable
from triage.masking import masked

_OF_THE_UNIT = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError, sa.exc.NotSupportedError)
"""What a statement can do wrong by itself: a rule of the schema broken, a value that does not fit, a mistake in SQL."""
_REFUSED_STATE = "42501"
_LACKING_STATES = frozenset({"42P01", "42703", _REFUSED_STATE})
"""PostgreSQL's codes for a table or column that is gone, and for one that we may not touch: no unit's own mistake."""
_DAMAGED_STATES = frozenset({"XX001", "XX002"}) | _LACKING_STATES
_DAMAGED_NAMES = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_MISSING_WORDS = ("no such table", "no such column")
_DAMAGED_WORDS = ("malformed", "not a database", "unsupported file format", *_MISSING_WORDS)
_BAD_VALUES = ("malformed JSON",)
"""What SQLite says of one value that is no JSON: the record's fault, and no damage of the database."""
_UNSURE_NAMES = ("SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC")
"""The commit was written, and the disk did not say that it has it."""
_CONNECTION_CLASSES = ("08", "57")
"""PostgreSQL's classes of codes for a connection or a server that goes away: the COMMIT may have been done before."""
TEXT_MAX = 300


def unavailable(error: BaseException) -> bool:
    """Whether an error says that the database cannot serve; anything else is the fault of the unit that met it."""
    if isinstance(error, (StoreUnavailable, sa.exc.TimeoutError)):
        return True
    if not isinstance(error, sa.exc.DBAPIError) or of_a_value(error):
        return False
    if error.connection_invalidated or _state(error) in _LACKING_STATES:
        return True
    return not isinstance(error, _OF_THE_UNIT)


def of_a_value(error: BaseException) -> bool:
    """Whether an error of the database is about what one record holds."""
    return isinstance(error, sa.exc.DBAPIError) and str(error.orig).startswith(_BAD_VALUES)


def damage(error: BaseException) -> str:
    """Say what of the database is damaged, or kept from us; empty where the error says nothing like it."""
    if not isinstance(error, sa.exc.DBAPIError) or of_a_value(error):
        return ""
    name = str(getattr(error.orig, "sqlite_errorname", ""))
    of_sqlite = isinstance(error, sa.exc.DatabaseError) and any(
        word in str(error.orig) for word in _DAMAGED_WORDS
    )
    if name.startswith(_DAMAGED_NAMES) or of_sqlite or _state(error) in _DAMAGED_STATES:
        return in_one_line(error)
    return ""


def something_is_missing(error: BaseException) -> bool:
    """Whether damage is a table, a column or a right that is not there: somebody may put it back while the service runs."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    return _state(error) in _LACKING_STATES or any(word in str(error.orig) for word in _MISSING_WORDS)


def refused(error: BaseException) -> bool:
    """Whether the database's user may not touch what it needs."""
    return isinstance(error, sa.exc.DBAPIError) and _state(error) == _REFUSED_STATE


def of_a_server(error: BaseException) -> bool:
    """Whether it is PostgreSQL that said it."""
    return isinstance(error, sa.exc.DBAPIError) and bool(_state(error))


def commit_was_refused(error: BaseException) -> bool:
    """Whether an error of a COMMIT says for sure that nothing was committed."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    name = str(getattr(error.orig, "sqlite_errorname", ""))
    if name:
        return not name.startswith(_UNSURE_NAMES)
    state = _state(error)
    return bool(state) and not state.startswith(_CONNECTION_CLASSES)


def not_stored(error: BaseException) -> NotStored:
    """Return the error to raise where the database could not serve a write."""
    found = NotStored(f"the store cannot commit: {in_one_line(error)}", damaged=bool(damage(error)))
    found.__cause__ = error
    return found


def unreadable(error: BaseException) -> StoreUnavailable:
    """Return the error to raise where the database could not serve a read."""
    found = StoreUnavailable(f"the store cannot be read: {in_one_line(error)}", damaged=bool(damage(error)))
    found.__cause__ = error
    return found


def outcome_unknown(error: BaseException) -> CommitUnknown:
    """Return the error to raise where a COMMIT was sent and nobody knows what became of it."""
    found = CommitUnknown(f"the store did not say whether it committed: {in_one_line(error)}")
    found.__cause__ = error
    return found


def in_one_line(error: BaseException) -> str:
    """Return an error of a database in one line, without a password and without the statement."""
    text = " ".join(str(getattr(error, "orig", None) or error).split()) or type(error).__name__
    return masked(text)[:TEXT_MAX]


def _state(error: sa.exc.DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")

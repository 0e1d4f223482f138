"""Everything this project raises on purpose.

::

    TriageError
    ├── SettingError            a setting or desk.yaml is wrong; the text names it and the mend
    ├── BadInput                something that came in can never be right (4xx)
    ├── StoreUnavailable        the store cannot be used now (503)
    │   ├── NotStored               a write did not happen, and will not
    │   └── CommitUnknown           a write may have happened: its COMMIT was sent, the answer did not come
    ├── RecordUnreadable        what one record of the store holds cannot be read
    ├── Refused                 a person may not do this, or not now; the text is shown to them
    ├── FallbackFailure         a fallback channel did not take a notice
    ├── PartlySent              a fallback channel took a notice for some of its recipients
    ├── DeskFailure             the desk could not be touched as planned (a command, an archive, no room)
    │   ├── FileNotClear            a file of the desk can be read in two ways
    │   ├── ChangeNotConfirmed      a change was made, and what belongs to it failed after that
    │   └── ComposeRefused          compose does not take the desk's files: no call of it can succeed
    └── SourceError             a source of evidence gave no answer
        ├── SourceNotConfigured     its setting is empty
        ├── SourceUnreachable       no connection, or the connection broke
        ├── SourceTimeout           no answer within the time it had
        ├── SourceDenied            it answered 401 or 403, or an ACL said no
        ├── SourceRejected          it answered that the question is wrong or too large (4xx)
        │   └── SourceTooLarge          its answer is larger than we read
        └── SourceBadAnswer         it answered something that is not its protocol, or 5xx
"""


class TriageError(Exception):
    """Base of all errors raised on purpose; ``str(error)`` is fit to be shown to an operator."""


class SettingError(TriageError):
    """A setting is wrong: names the setting, the problem with its value, and the mend."""


class BadInput(TriageError):
    """Input that no retry can make right.

    ``path`` points into the input (``alerts.0.startsAt``), empty for the whole of it.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason
        self.path = path


class StoreUnavailable(TriageError):
    """The store cannot be used now (disk full, locked beyond its time, server gone).

    ``damaged``: what it holds is damaged or kept from us: waiting does not help, and only some of it may be out of reach.
    """

    def __init__(self, why: str, *, damaged: bool = False) -> None:
        super().__init__(why)
        self.damaged = damaged


class RecordUnreadable(TriageError):
    """What one record of the store holds cannot be read: it is noted, and costs only what it is about."""


class NotStored(StoreUnavailable):
    """A write did not happen and will not happen later: whoever asked may ask again."""


class CommitUnknown(StoreUnavailable):
    """A write may have happened: its COMMIT was sent and the answer did not come.

    Whoever asked looks before asking again, unless asking twice does the same as asking once.
    """


class Refused(TriageError):
    """A request of a person that is not allowed, or not possible now; the text says why, for that person."""


def no_incident(incident_id: int) -> Refused:
    """Return what a person is told who names an incident that is not in the store."""
    return Refused(f"There is no incident INC-{incident_id}. /triage incidents lists them.")


class DeskFailure(TriageError):
    """A step of an action failed; the text says what was met and, where there is one, the mend."""


class ChangeNotConfirmed(DeskFailure):
    """A change of the desk's files was made, and what belongs to it failed after that: the disk may not keep it."""


class FileNotClear(DeskFailure):
    """A file of the desk can be read in two ways. The text names the line, and nothing of what stands there."""


class ComposeRefused(DeskFailure):
    """Compose does not take the desk's files, or cannot be called at all. The text is compose's own reason, masked."""


class PartlySent(TriageError):
    """A notice went out, and ``waiting`` are recipients for whom it is to be tried again; the text says who lacks it."""

    def __init__(self, why: str, waiting: tuple[str, ...]) -> None:
        super().__init__(why)
        self.waiting = waiting


class FallbackFailure(TriageError):
    """A fallback channel did not take a notice; the text says why and, where there is one, the mend.

    ``wait_seconds``: what its receiver asks to wait, 0 where it asks nothing. ``for_good``: it refuses the same again.
    """

    def __init__(self, why: str, *, wait_seconds: float = 0.0, for_good: bool = False) -> None:
        super().__init__(why)
        self.wait_seconds = wait_seconds
        self.for_good = for_good


class SourceError(TriageError):
    """A source of evidence gave no answer. ``source`` is its name as operators know it."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source}: {why}")
        self.source = source
        self.why = why


class SourceNotConfigured(SourceError):
    """The setting of this source is empty."""

    def __init__(self, source: str) -> None:
        super().__init__(source, "not configured")


class SourceUnreachable(SourceError):
    """No connection could be made, or it broke."""


class SourceTimeout(SourceError):
    """No answer within the time the question had."""


class SourceDenied(SourceError):
    """The source knows us not, or does not let us (401, 403, NOPERM)."""


class SourceRejected(SourceError):
    """The source refuses the question: wrong, too large, too many (4xx)."""


class SourceTooLarge(SourceRejected):
    """The answer is larger than we read: a smaller question may do."""


class SourceBadAnswer(SourceError):
    """The source answered with an error of its own (5xx) or with something that is not its protocol."""


def exit_code(error: TriageError) -> int:
    """Return the exit code of a command that ends with an error: 2 for wrong usage, 1 for a bad answer."""
    return 2 if isinstance(error, (SettingError, BadInput)) else 1

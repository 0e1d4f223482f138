"""Why lines of the audit trail do not verify: another key is set, or the trail was changed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.store.audit import fits
from triage.ports.store import AuditEntry

_SETTING = "TRIAGE_AUDIT_KEY_FILE"
_FEWEST = 2
"""Lines that do not fit before the key is suspected."""


@dataclass(slots=True)
class KeyCheck:
    """Counts which lines fit the key that is set (``key``, empty where none is), and which would fit without one."""

    key: bytes
    lines: int = 0
    misfits: int = 0
    first: int = 0
    """The first line that does not fit."""
    fit_unsigned: int = 0
    since: int = 0
    """Lines from the first that does not fit to the end."""

    def take(self, entries: Sequence[AuditEntry]) -> None:
        """Look at further lines, in their order."""
        for entry in entries:
            self.lines += 1
            good = fits(entry, self.key)
            if not good and not self.misfits:
                self.first = entry.seq
            self.misfits += not good
            self.since += self.misfits > 0
            self.fit_unsigned += not good and bool(self.key) and fits(entry, b"")

    def likely(self) -> str:
        """Return what is most likely wrong with the key, and the mend, where no line fits; else an empty text.

        To be asked where the lines follow each other without a gap.
        """
        if self.misfits != self.lines or self.lines < _FEWEST:
            return ""
        if self.fit_unsigned == self.lines:
            return (
                f"the trail was written without a key, and {_SETTING} is set now: unset it to verify; "
                "lines that are there cannot be signed afterwards"
            )
        if not self.key:
            return (
                f"most likely the trail is signed, and no key is set: set {_SETTING} as it is for the service"
            )
        return (
            f"no line fits the key, and all of them follow each other: most likely {_SETTING} names another "
            "key than they were written with; set that one and verify again. If this is the key, all of it was "
            "written anew by somebody who does not have it"
        )

    def note(self) -> str:
        """Return what is worth knowing of the key where some lines fit and others do not."""
        if not self.misfits or self.misfits == self.lines:
            return ""
        if self.misfits == self.since >= _FEWEST:
            return (
                f"every line before line {self.first} fits, none from there on does: the service may have got another "
                f"key then ({_SETTING}), or lost it; verify with that one, and give it back the first"
            )
        return "other lines fit, so the key is the right one: the trail was changed"

"""What of Slack a person has to mend: said in ``/readyz`` for as long as it goes on."""

from __future__ import annotations

from collections.abc import Iterable

from triage.ports.clock import Clock

REMEMBERED_SECONDS = 600.0
"""A problem that was not met again for this long is over: whatever it concerned is tried every minute or two."""
SHOWN = 12


class Problems:
    """Problems by the place that they bind."""

    def __init__(self, clock: Clock, *, remembered_seconds: float = REMEMBERED_SECONDS) -> None:
        self._clock = clock
        self._remembered = remembered_seconds
        self._said: dict[str, tuple[float, str]] = {}

    def say(self, key: str, text: str) -> bool:
        """Note a problem; True where it is a new one."""
        known = self._said.get(key)
        self._said[key] = (self._clock.monotonic(), text)
        return known is None or known[1] != text

    def over(self, *keys: str) -> None:
        """Forget problems: it works again."""
        for key in keys:
            self._said.pop(key, None)

    def current(self) -> dict[str, str]:
        """Return the problems that go on, in words; many are counted."""
        oldest = self._clock.monotonic() - self._remembered
        self._said = {key: said for key, said in self._said.items() if said[0] > oldest}
        shown = {key: text for key, (_, text) in list(self._said.items())[:SHOWN]}
        more = len(self._said) - len(shown)
        return {**shown, "more": f"and {more} more of the kind"} if more else shown


def said_together(problems: Iterable[str]) -> str:
    """Join problems in words. What differs only in who met it, the text before the colon, is said once."""
    met_by: dict[str, list[str]] = {}
    for problem in problems:
        who, colon, why = problem.partition(": ")
        met_by.setdefault(f"{colon}{why}" if colon else problem, []).append(who if colon else "")
    return "; ".join(f"{', '.join(dict.fromkeys(who))}{why}" for why, who in met_by.items())

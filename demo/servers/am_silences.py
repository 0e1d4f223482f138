"""The silences of an Alertmanager: created, changed, expired, listed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

from demo.servers.am_model import LABEL_NAME, AmMatcher, Silence, all_match
from demo.servers.go_text import compile_regexp

_PRIORITY = {"active": 1, "pending": 2, "expired": 3}


class SilenceInvalidError(Exception):
    """A silence that cannot be: Alertmanager's 400; `str()` is its body."""


class SilenceUnknownError(Exception):
    """No silence has that id; `str()` is Alertmanager's body."""

    def __init__(self) -> None:
        super().__init__("silence not found")


@dataclass(slots=True)
class Silences:
    """All silences by id; times in Unix nanoseconds."""

    by_id: dict[str, Silence] = field(default_factory=dict)

    def set(self, wanted: Silence, now: int) -> str:
        """Create a silence, or change the one of the same id; returns the id it now has.

        A change that would rewrite history (other matchers, another start, an expired one) expires the old
        silence and makes a new one, as Alertmanager does. Raises SilenceInvalidError, SilenceUnknownError.
        """
        if wanted.starts_at >= wanted.ends_at:
            raise SilenceInvalidError("Failed to create silence: start time must be before end time")
        if wanted.ends_at < now:
            raise SilenceInvalidError("Failed to create silence: end time can't be in the past")
        if wanted.id:
            known = self.by_id.get(wanted.id)
            if known is None:
                raise SilenceUnknownError
            if _can_change(known, wanted, now):
                _check(wanted)
                self.by_id[known.id] = replace(wanted, updated_at=now)
                return known.id
            self.expire(known.id, now)
        _check(wanted)
        starts = max(wanted.starts_at, now)
        made = replace(wanted, id=str(uuid4()), starts_at=starts, updated_at=now)
        self.by_id[made.id] = made
        return made.id

    def expire(self, silence_id: str, now: int) -> None:
        """End a silence now; one that has ended stays as it is. Raises SilenceUnknownError."""
        silence = self.by_id.get(silence_id)
        if silence is None:
            raise SilenceUnknownError
        if silence.state(now) == "expired":
            return
        silence.starts_at = min(silence.starts_at, now)
        silence.ends_at = silence.updated_at = now

    def silencing(self, labels: Mapping[str, str], now: int) -> tuple[str, ...]:
        """Return the ids of the active silences that match an alert, sorted."""
        return tuple(
            sorted(
                s.id
                for s in self.by_id.values()
                if s.state(now) == "active" and all_match(s.matchers, labels)
            )
        )

    def listed(self, now: int) -> list[Silence]:
        """Return all: active by their end, pending by their start, expired latest first."""

        def order(silence: Silence) -> tuple[int, int]:
            state = silence.state(now)
            at = silence.starts_at if state == "pending" else silence.ends_at
            return _PRIORITY[state], -at if state == "expired" else at

        return sorted(self.by_id.values(), key=order)


def _can_change(known: Silence, wanted: Silence, now: int) -> bool:
    if known.matchers != wanted.matchers or wanted.ends_at < now:
        return False
    state = known.state(now)
    if state == "pending":
        return wanted.starts_at >= now
    return state == "active" and known.starts_at // 10**9 == wanted.starts_at // 10**9


def _check(silence: Silence) -> None:
    for index, matcher in enumerate(silence.matchers):
        problem = _problem(matcher)
        if problem:
            raise SilenceInvalidError(f"silence invalid: invalid label matcher {index}: {problem}")
    if all(_matches_empty(m) for m in silence.matchers):
        raise SilenceInvalidError("silence invalid: at least one matcher must not match the empty string")


def _matches_empty(matcher: AmMatcher) -> bool:
    """Whether Alertmanager 0.25 thinks so: a negative matcher never, a pattern wherever it finds nothing."""
    if not matcher.is_equal:
        return False
    if matcher.is_regex:
        return compile_regexp(matcher.value).search("") is not None
    return not matcher.value


def _problem(matcher: AmMatcher) -> str:
    if not LABEL_NAME.fullmatch(matcher.name):
        return f'invalid label name "{matcher.name}"'
    if matcher.is_regex:
        try:
            compile_regexp(matcher.value)
        except ValueError as error:
            return f'invalid regular expression "{matcher.value}": {error}'
    return ""

"""What Alertmanager is asked and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.ports.sources.unread import UNREADABLE, unread_words


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert as Alertmanager holds it. ``state``: active | suppressed | unprocessed.

    One that cannot be read is ``UNREADABLE_ALERT``.
    """

    fingerprint: str
    starts_at: str
    ends_at: str
    updated_at: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    generator_url: str = ""
    silenced_by: tuple[str, ...] = ()


UNREADABLE_ALERT = ActiveAlert(
    fingerprint="", starts_at="", ends_at="", updated_at="", state=UNREADABLE, labels={}, annotations={}
)


def unread_alerts(alerts: Sequence[ActiveAlert]) -> str:
    """Return what to say of the alerts that cannot be read; empty where all can."""
    return unread_words(alerts.count(UNREADABLE_ALERT), len(alerts), "alerts that Alertmanager holds")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher of a silence."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def __str__(self) -> str:
        operator = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
        return f'{self.name}{operator[self.is_equal, self.is_regex]}"{self.value}"'


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence as Alertmanager holds it. ``state``: active | pending | expired."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    state: str


@dataclass(frozen=True, slots=True)
class Silences:
    """The silences that are active or pending; ``unread`` says how many cannot be read, empty where all can."""

    held: tuple[Silence, ...]
    unread: str = ""


class Alerts(Protocol):
    """Asks and tells Alertmanager. Times are aware; every method raises SourceError where there is no answer."""

    async def alerts(self) -> tuple[ActiveAlert, ...]:
        """Return every alert it holds: active, silenced and inhibited ones."""
        ...

    async def silences(self) -> Silences:
        """Return the silences that are active or pending."""
        ...

    async def silence(
        self, matchers: Sequence[Matcher], *, start: datetime, end: datetime, created_by: str, comment: str
    ) -> str:
        """Write a silence and return its id."""
        ...

    async def expire_silence(self, silence_id: str) -> None:
        """End a silence now."""
        ...

    async def fire(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], *, start: datetime, end: datetime
    ) -> None:
        """Post an alert (a drill)."""
        ...

    async def ready(self) -> None:
        """Return when Alertmanager says that it is ready; raise otherwise."""
        ...

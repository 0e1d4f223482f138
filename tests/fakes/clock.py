"""A clock that the test moves."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 2, 20, 3, 0, tzinfo=UTC)


class ManualClock:
    """Stands still until it is moved; its monotonic seconds move with it."""

    def __init__(self, start: datetime = START) -> None:
        self.moment = start
        self._began = start

    def now(self) -> datetime:
        """Return where the test put it."""
        return self.moment

    def monotonic(self) -> float:
        """Return the seconds it was moved in all."""
        return (self.moment - self._began).total_seconds()

    def jump(self, by: timedelta) -> datetime:
        """Set the wall clock, as an operator or a time server does; the monotonic seconds do not move."""
        self.moment += by
        self._began += by
        return self.moment

    def move(self, seconds: float = 0, **parts: float) -> datetime:
        """Move it and return the new time."""
        self.moment += timedelta(seconds=seconds, **parts)
        return self.moment

"""What SQLite is asked, however it is asked: for tests of the planner."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import SqlStore, prepared


@contextmanager
def noted(store: SqlStore) -> Iterator[dict[str, Any]]:
    """Give each statement that is run meanwhile, with values that it was run with."""
    ran: dict[str, Any] = {}

    def note(*said: Any) -> None:  # noqa: ANN401 - the event's own arguments
        _, _, statement, values, _, many = said
        ran.setdefault(statement, values[0] if many else values)

    class Noting:
        """The driver's connection, which notes what prepared statements ask of it."""

        def __init__(self, connection: sa.Connection) -> None:
            self._driver = driver_of(connection)

        def execute(self, text: str, values: Sequence[object] = ()) -> object:
            ran.setdefault(text, tuple(values))
            return self._driver.execute(text, values)

        def executemany(self, text: str, many: Sequence[Sequence[object]]) -> object:
            ran.setdefault(text, tuple(many[0]))
            return self._driver.executemany(text, many)

    driver_of, engines = prepared._driver, (store.writer.engine, store._reading)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared, "_driver", Noting)
        for engine in engines:
            sa.event.listen(engine, "before_cursor_execute", note)
        try:
            yield ran
        finally:
            for engine in engines:
                sa.event.remove(engine, "before_cursor_execute", note)

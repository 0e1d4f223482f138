"""What the product's watch of the desk's own files would remember: edits of ``.env`` and of the Compose file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from triage.desk_events import DeskEvent, Gravity
from triage.env_text import read_env
from triage.model import Source, Subject, SubjectKind, utc
from triage.signals.compose_text import REST, service_blocks
from triage.wording import listed

if TYPE_CHECKING:
    from demo.desk.world import World
    from triage.desk import Desk


@dataclass(slots=True)
class Edits:
    """Compares the two files with what they were at the last look."""

    world: World
    desk: Desk
    _before: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _stamps: dict[str, int] = field(default_factory=dict)

    def look(self) -> list[DeskEvent]:
        """Return what was edited since the last look; of the first look nothing."""
        layout = self.world.layout
        found = (self._of("env", layout.env), self._of("compose", layout.compose_file))
        return [each for each in found if each is not None]

    def _of(self, category: str, path: Path) -> DeskEvent | None:
        if not path.is_file() or self._stamps.get(category) == path.stat().st_mtime_ns:
            return None
        self._stamps[category] = path.stat().st_mtime_ns
        text = path.read_text()
        now = read_env(text).values if category == "env" else service_blocks(text)
        before, self._before[category] = self._before.get(category), now
        if before is None or before == now:
            return None
        names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        return DeskEvent(
            key=f"{category}/{self._stamps[category]}",
            source=Source.OPERATOR,
            at=utc(self.world.clock.now()),
            subject=Subject(SubjectKind.DESK, self.desk.name),
            gravity=Gravity.INFO,
            category=category,
            text=f"changed: {listed(names, 8)}",
            change=True,
            data={"keys": names} if category == "env" else {"services": [] if REST in names else names},
        )

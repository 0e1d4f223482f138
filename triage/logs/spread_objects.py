"""An object of JSON that a program printed over several lines, put together again. Pure.

::

    {
      "level": "error",
      "msg": "quote lost"
    }
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

_LINES_MAX = 200
"""An object of more lines is a dump, no record."""


@dataclass(slots=True)
class SpreadObjects:
    """The lines of one stream; ``held`` are those of an object that has not ended yet."""

    held: list[str] = field(default_factory=list)

    def take(self, text: str) -> Iterator[str]:
        """Yield what can be read now: the line itself, an object on one line, or the lines of what was none."""
        if not self.held:
            if text.rstrip() == "{":
                self.held.append(text)
            else:
                yield text
            return
        self.held.append(text)
        if text.rstrip(" ,") == "}":
            yield from self.end()
        elif not text[:1].isspace() or len(self.held) > _LINES_MAX:
            yield from self._as_they_came()

    def end(self) -> Iterator[str]:
        """Yield what is held: nothing more will come, or an object ends here."""
        try:
            whole = json.loads("\n".join(self.held).rstrip(" ,"))
        except (ValueError, RecursionError):
            yield from self._as_they_came()
            return
        self.held.clear()
        yield json.dumps(whole, ensure_ascii=False)

    def _as_they_came(self) -> Iterator[str]:
        lines = list(self.held)
        self.held.clear()
        yield from lines

"""What is said of one dependency."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DependencyReport:
    """One dependency's health. ``state``: ok | warning | failed | not configured; ``mend`` what to do."""

    name: str
    state: str
    seen: str
    mend: str = ""

    @property
    def good(self) -> bool:
        """Nothing that keeps the service from its work."""
        return self.state != "failed"

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)


def printed(answers: list[DependencyReport]) -> str:
    """Return the answers as a table, with what to mend below each."""
    lines = []
    for answer in answers:
        lines.append(f"{answer.state:<15} {answer.name:<13} {answer.seen}")
        if answer.mend:
            lines.append(f"{'':<15} {'':<13} → {answer.mend}")
    return "\n".join(lines)

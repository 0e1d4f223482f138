"""One OOM kill: it is back and works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._containers import alive, container_case, killed_again

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"oom", "down", "loop", "frozen"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look for containers that were killed once for memory and run since."""
    for name, now in facts.of_containers():
        if not now.get("oom") or killed_again(facts, name, now) or not alive(now):
            continue
        case = container_case(facts, "oom_killed_once", name)
        case.sees("proof", f"{name} was killed for memory once and runs again", "container")
        yield from case.concludes(
            f"{name} was killed for memory once; it is back.",
            "Watch its memory: a second kill means that it grows, or that its limit is too low.",
            by_hand=f"docker stats --no-stream {name}",
        )

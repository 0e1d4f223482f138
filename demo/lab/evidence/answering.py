"""Whether a service of the desk can answer at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.errors import SourceTimeout, SourceUnreachable

if TYPE_CHECKING:
    from demo.desk.world import World


def answering(world: World, service: str, name: str) -> None:
    """Raise SourceError where a service cannot answer: it is gone, or it hangs."""
    container = world.engine.of_service(service)
    if container is None or not container.alive:
        raise SourceUnreachable(name, "Connection refused")
    if not container.working:
        raise SourceTimeout(name, "no answer within 4 s")

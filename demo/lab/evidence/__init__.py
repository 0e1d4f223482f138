"""The sources of evidence over the simulated world, without a network: what the adapters would bring back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Never

from demo.lab.evidence.alerts import LabAlerts
from demo.lab.evidence.containers import LabContainers
from demo.lab.evidence.logs import LabLogs
from demo.lab.evidence.metrics import LabMetrics
from demo.lab.evidence.streams import LabStreams
from triage.errors import SourceError, SourceNotConfigured, SourceTimeout
from triage.ports.sources import Sources

if TYPE_CHECKING:
    from demo.desk.world import World
    from demo.lab.bus import LabBus
    from demo.lab.prometheus import LabPrometheus
    from demo.servers.log_store import LogStore
    from triage.ports.sources import ActiveAlert

SOURCE_NAMES = ("prometheus", "loki", "docker", "redis", "alertmanager")


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A source that cannot be reached from where we are, whatever it is asked."""

    source: str
    configured: bool = True

    def __getattr__(self, question: str) -> Any:  # noqa: ANN401 - it stands for any source
        async def refuse(*_: object, **__: object) -> Never:
            raise self.error

        return refuse

    @property
    def error(self) -> SourceError:
        """What it raises."""
        if not self.configured:
            return SourceNotConfigured(self.source)
        return SourceTimeout(self.source, "no answer within 4 s")


def sources_of(
    world: World,
    prometheus: LabPrometheus,
    logs: LogStore,
    bus: LabBus,
    held: Sequence[ActiveAlert],
    *,
    missing: str = "",
) -> Sources:
    """Return all sources; ``missing``, one of ``SOURCE_NAMES``, is not configured or does not answer."""
    unreachable: Any = Unreachable(missing.capitalize(), configured=round(world.clock.now()) % 2 == 0)
    return Sources(
        metrics=unreachable if missing == "prometheus" else LabMetrics(world, prometheus),
        logs=unreachable if missing == "loki" else LabLogs(world, logs),
        alerts=unreachable if missing == "alertmanager" else LabAlerts(world, held),
        containers=unreachable if missing == "docker" else LabContainers(world),
        streams=unreachable if missing == "redis" else LabStreams(world, bus),
    )

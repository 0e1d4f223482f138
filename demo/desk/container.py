"""A container as the engine keeps it, and the events the engine tells of it."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from demo.clock import NEVER
from demo.desk.compose_file import ServiceSpec

Status = Literal["created", "running", "restarting", "exited", "paused"]
KEPT_LINES = 2_000


@dataclass(frozen=True, slots=True)
class DockerEvent:
    """One event of the engine: ``at`` in Unix seconds, ``attributes`` as docker names them."""

    action: str
    container_id: str
    image: str
    at: float
    attributes: Mapping[str, str]
    type: str = "container"


@dataclass(slots=True)
class Container:
    """One container. Times are Unix seconds, sizes bytes; 0.0 means that it has not happened."""

    id: str
    spec: ServiceSpec
    project: str
    created_at: float
    status: Status = "created"
    pid: int = 0
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    oom_killed: bool = False
    oom_events: int = 0
    restart_count: int = 0
    restart_at: float = NEVER
    backoff: float = 0.1
    stopped_by_hand: bool = False
    hung: bool = False
    health: str = ""
    cpu_seconds: float = 0.0
    memory: float = 0.0
    log_bytes: float = 0.0
    last_seen: float = 0.0
    labels: dict[str, str] = field(default_factory=dict)
    output: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))

    @property
    def name(self) -> str:
        """The container's name."""
        return self.spec.container_name

    @property
    def running(self) -> bool:
        """Whether its process lives (it may hang)."""
        return self.status == "running"

    @property
    def working(self) -> bool:
        """Whether its process lives and does its work."""
        return self.running and not self.hung

    @property
    def alive(self) -> bool:
        """Whether it has a process, be it frozen by ``docker pause``."""
        return self.status in {"running", "paused"}

    def uptime(self, now: float) -> float:
        """Seconds since its process started; 0 when there is none."""
        return now - self.started_at if self.running else 0.0

"""The Docker host: processor, memory, disk and pressure, from what the containers do."""

import random
from dataclasses import dataclass, field

from demo.desk.engine import Engine

CPUS = 4
MEMORY = 16 * 1024**3
DISK = 200_000_000_000
SYSTEM_DISK = 118_000_000_000
FULL_SHARE = 0.995
SERVICE_CPU = {"prometheus": 0.08, "cadvisor": 0.06, "loki": 0.05, "grafana": 0.03}
SERVICE_MEMORY = {"prometheus": 640e6, "loki": 380e6, "grafana": 210e6, "cadvisor": 120e6, "redis": 48e6}
BOT_CPU, BOT_MEMORY = 0.11, 380e6
OTHER_CPU, OTHER_MEMORY = 0.01, 70e6


@dataclass(slots=True)
class Host:
    """Counters are in seconds since the host's boot; sizes in bytes."""

    dice: random.Random
    booted_at: float
    cpu_seconds: dict[str, float] = field(
        default_factory=lambda: {"user": 90_000.0, "system": 30_000.0, "iowait": 900.0, "idle": 900_000.0}
    )
    pressure: dict[str, float] = field(default_factory=lambda: {"cpu": 900.0, "io": 300.0, "memory": 4.0})
    memory_used: float = 3.1e9
    disk_used: float = SYSTEM_DISK
    oom_kills: int = 0
    network_errors: float = 3.0
    received: float = 4.1e11
    other_cpu: float = 0.0
    other_memory: float = 0.0
    other_disk: float = 0.0
    io_wait: float = 0.0
    """What programs beside the desk take: cores, bytes, bytes, and the share of time that waits for the disk."""
    line_errors: float = 0.0
    """Damaged packets a second."""

    @property
    def slowness(self) -> float:
        """By how much everything takes longer than usual: 1 while there is room."""
        return 1.0 + 2_500 * max(0.0, self.other_cpu / CPUS - 0.85) + 40 * self.io_wait

    @property
    def full(self) -> bool:
        """Whether nothing can be written any more."""
        return self.disk_used / DISK >= FULL_SHARE

    def step(self, engine: Engine, seconds: float, *, network_down: bool) -> None:
        """Let ``seconds`` pass."""
        used = 0.08 + self.other_cpu
        memory = 2.2e9 + self.other_memory
        logs = 0.0
        for container in engine.containers.values():
            logs += container.log_bytes
            if container.alive:
                used += container_cpu(container.spec.name) * container.working
                memory += container.memory
        busy = min(used * self.dice.uniform(0.95, 1.05), CPUS)
        self.cpu_seconds["user"] += busy * 0.8 * seconds
        self.cpu_seconds["system"] += busy * 0.2 * seconds
        waiting = min(CPUS - busy, CPUS * self.io_wait)
        self.cpu_seconds["iowait"] += waiting * seconds
        self.cpu_seconds["idle"] += (CPUS - busy - waiting) * seconds
        crowded = max(0.0, busy / CPUS - 0.8) * 2
        self.pressure["cpu"] += (0.004 * busy + crowded) * seconds
        self.pressure["io"] += (0.002 + self.io_wait) * seconds
        self.pressure["memory"] += 0.4 * seconds * (memory > 0.93 * MEMORY)
        self.memory_used = memory
        self.disk_used = min(SYSTEM_DISK + self.other_disk + logs, DISK)
        self.received += 2e5 * seconds
        if network_down:
            self.network_errors += 40 * seconds
        self.network_errors += self.line_errors * seconds


def container_cpu(service: str) -> float:
    """Return how many cores a healthy container of this service uses."""
    return (
        BOT_CPU
        if service.startswith("bot") and service[3:].isdigit()
        else SERVICE_CPU.get(service, OTHER_CPU)
    )


def container_memory(service: str) -> float:
    """Return how many bytes a healthy container of this service holds."""
    if service.startswith("bot") and service[3:].isdigit():
        return BOT_MEMORY
    return SERVICE_MEMORY.get(service, OTHER_MEMORY)

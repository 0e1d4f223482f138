"""The container engine of the simulated host: containers, how they start and end, and the events of it."""

import random
from collections import deque
from collections.abc import Callable, Iterable

from demo.clock import NEVER, SimClock
from demo.desk.compose_file import ServiceSpec
from demo.desk.container import Container, DockerEvent
from demo.desk.images import BY_REFERENCE, KNOWN, Image

KEPT_EVENTS, KEPT_REMOVED = 5_000, 20
LONGEST_BACKOFF = 60.0
SETTLED_AFTER = 10.0  # the engine forgets its back-off when a container ran this long
STOPPED_BY_KILL = 137
GRACEFUL = 0


class EngineError(Exception):
    """The engine refuses; the text is what docker would say."""


class Engine:
    """Keeps containers by name. ``on_start`` is told of every process that starts, before its event."""

    def __init__(self, clock: SimClock, seed: int) -> None:
        self.clock = clock
        self.born = clock.now()
        self.containers: dict[str, Container] = {}
        self.images: dict[str, Image] = {image.reference: image for image in KNOWN}
        self.pullable = dict(BY_REFERENCE)
        self.removed: deque[Container] = deque(maxlen=KEPT_REMOVED)
        self.events: deque[DockerEvent] = deque(maxlen=KEPT_EVENTS)
        self.listeners: list[Callable[[DockerEvent], None]] = []
        self.on_start: list[Callable[[Container], None]] = []
        self._dice = random.Random(f"{seed}-engine")

    def find(self, reference: str) -> Container | None:
        """Return the container of that name, id or unambiguous id prefix; None when there is none."""
        name = reference.lstrip("/")
        if name in self.containers:
            return self.containers[name]
        hits = [one for one in self.containers.values() if name and one.id.startswith(name)]
        return hits[0] if len(hits) == 1 else None

    def of_service(self, service: str) -> Container | None:
        """Return the container of a compose service; None when there is none."""
        return next((one for one in self.containers.values() if one.spec.name == service), None)

    def pull(self, reference: str) -> None:
        """Make an image present. Raises EngineError when no registry has it."""
        if reference not in self.pullable:
            raise EngineError(f"manifest for {reference} not found: manifest unknown: manifest unknown")
        self.images[reference] = self.pullable[reference]

    def create(self, spec: ServiceSpec, project: str) -> Container:
        """Create a container. Raises EngineError for a name in use or an image that cannot be had."""
        if spec.container_name in self.containers:
            raise EngineError(f'Conflict. The container name "/{spec.container_name}" is already in use')
        if spec.image not in self.images:
            self.pull(spec.image)
        labels = {
            "com.docker.compose.project": project,
            "com.docker.compose.service": spec.name,
            "com.docker.compose.config-hash": spec.config_hash,
            "com.docker.compose.container-number": "1",
            "com.docker.compose.oneoff": "False",
        }
        container_id = f"{self._dice.getrandbits(256):064x}"
        container = Container(container_id, spec, project, self.clock.now(), labels=labels)
        self.containers[spec.container_name] = container
        self.emit("create", container)
        return container

    def start(self, container: Container, *, by_hand: bool = True) -> None:
        """Start its process; nothing when it runs already."""
        if container.alive:
            return
        now = self.clock.now()
        if by_hand:
            container.backoff, container.stopped_by_hand = 0.1, False
        container.status, container.started_at, container.restart_at = "running", now, NEVER
        container.pid = self._dice.randrange(2_000, 60_000)
        container.exit_code, container.oom_killed, container.hung = 0, False, False
        container.cpu_seconds, container.last_seen = self._dice.uniform(0.1, 0.6), now
        container.health = "starting" if container.spec.healthcheck else ""
        for told in self.on_start:
            told(container)
        self.emit("start", container)

    def stop(self, container: Container, *, seconds: int = 10) -> None:
        """Stop its process on request: a hung one needs the kill after ``seconds``."""
        container.stopped_by_hand = True
        if container.status == "restarting":
            container.status, container.restart_at = "exited", NEVER
            return
        if not container.alive:
            return
        self.emit("kill", container, signal="15")
        if container.hung or container.status == "paused":
            self.emit("kill", container, signal="9", waited=str(seconds))
        killed = container.hung or container.status == "paused"
        self._ended(container, STOPPED_BY_KILL if killed else GRACEFUL)
        self.emit("stop", container)

    def pause(self, container: Container) -> None:
        """Freeze its process, as ``docker pause`` does. Raises EngineError when none runs."""
        if not container.running:
            raise EngineError(f"container {container.id} is not running")
        container.status = "paused"
        self.emit("pause", container)

    def unpause(self, container: Container) -> None:
        """Let a frozen process go on. Raises EngineError when it is not paused."""
        if container.status != "paused":
            raise EngineError(f"Container {container.id} is not paused")
        container.status = "running"
        self.emit("unpause", container)

    def kill(self, container: Container, signal: str = "SIGKILL") -> None:
        """Send a signal that ends the process. Raises EngineError when there is none."""
        if not container.alive:
            raise EngineError(f"container {container.id} is not running")
        number = {"SIGKILL": 9, "KILL": 9, "SIGTERM": 15, "TERM": 15, "SIGINT": 2, "INT": 2}.get(signal, 9)
        container.stopped_by_hand = True
        self.emit("kill", container, signal=str(number))
        self._ended(container, 128 + number)

    def restart(self, container: Container) -> None:
        """Stop and start by hand: the container stays, so what lies in its log and mounts stays too."""
        self.stop(container)
        self.start(container)
        self.emit("restart", container)

    def remove(self, container: Container, *, force: bool = False) -> None:
        """Remove it. Raises EngineError when it runs and ``force`` is not given."""
        if container.alive and not force:
            raise EngineError(
                f'cannot remove container "/{container.name}": container is running: '
                "stop the container before removing or force remove"
            )
        if container.alive:
            self.kill(container)
        del self.containers[container.name]
        self.removed.append(container)
        self.emit("destroy", container)

    def crash(self, container: Container, exit_code: int, *, oom: bool = False) -> None:
        """End its process on its own account; the restart policy decides what follows."""
        if oom:
            container.oom_killed = True
            container.oom_events += 1
            self.emit("oom", container)
        ran = container.uptime(self.clock.now())
        self._ended(container, exit_code)
        if container.spec.restart in {"unless-stopped", "always"} or (
            container.spec.restart.startswith("on-failure") and exit_code
        ):
            container.backoff = 0.1 if ran > SETTLED_AFTER else min(container.backoff * 2, LONGEST_BACKOFF)
            container.status, container.restart_at = "restarting", self.clock.now() + container.backoff

    def set_health(self, container: Container, health: str) -> None:
        """Note what its health check found."""
        if container.health != health:
            container.health = health
            self.emit(f"health_status: {health}", container)

    def step(self) -> None:
        """Start what the restart policy wants started by now."""
        now = self.clock.now()
        for container in list(self.containers.values()):
            if container.status == "restarting" and now >= container.restart_at:
                container.restart_count += 1
                self.start(container, by_hand=False)
            if container.alive:
                container.last_seen = now

    def names(self, services: Iterable[str]) -> list[Container]:
        """Return the containers of the services that have one, in that order."""
        found = (self.of_service(service) for service in services)
        return [container for container in found if container is not None]

    def emit(self, action: str, container: Container, **extra: str) -> None:
        """Record an event and tell the listeners."""
        attributes = {"image": container.spec.image, "name": container.name, **container.labels, **extra}
        event = DockerEvent(
            action=action,
            container_id=container.id,
            image=container.spec.image,
            at=self.clock.now(),
            attributes=attributes,
        )
        self.events.append(event)
        for listener in list(self.listeners):
            listener(event)

    def _ended(self, container: Container, exit_code: int) -> None:
        now = self.clock.now()
        container.status, container.exit_code, container.finished_at = "exited", exit_code, now
        container.pid, container.memory, container.health = 0, 0.0, ""
        duration = str(int(now - container.started_at))
        self.emit("die", container, exitCode=str(exit_code), execDuration=duration)

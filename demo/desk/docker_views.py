"""What the Docker Engine API says of containers, images and events: the JSON shapes of API 1.47."""

from datetime import UTC, datetime
from typing import Any

from demo.desk.container import Container, DockerEvent
from demo.desk.engine import Engine
from demo.desk.images import Image

Json = dict[str, Any]
ZERO_TIME = "0001-01-01T00:00:00Z"
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def rfc3339(at: float) -> str:
    """Return a time as the engine writes it; 0.0 is its zero time."""
    if not at:
        return ZERO_TIME
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def ago(seconds: float) -> str:
    """Return a duration in docker's words."""
    whole = int(seconds)
    for size, word in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if whole >= 2 * size or (size != DAY and whole >= size):
            count = whole // size
            return f"{count} {word}" if count > 1 else f"About {'an hour' if size == HOUR else 'a minute'}"
    return f"{whole} seconds"


def status(container: Container, now: float) -> str:
    """Return the column ``STATUS`` of ``docker ps``."""
    match container.status:
        case "running":
            health = f" ({container.health})" if container.health else ""
            health = " (health: starting)" if container.health == "starting" else health
            return f"Up {ago(now - container.started_at)}{health}"
        case "paused":
            return f"Up {ago(now - container.started_at)} (Paused)"
        case "restarting":
            return f"Restarting ({container.exit_code}) {ago(now - container.finished_at)} ago"
        case "exited":
            return f"Exited ({container.exit_code}) {ago(now - container.finished_at)} ago"
        case other:
            return other.capitalize()


def listed(container: Container, engine: Engine) -> Json:
    """Return a container as ``/containers/json`` lists it."""
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": container.spec.image,
        "ImageID": engine.images[container.spec.image].id,
        "Command": container.spec.command or "/entrypoint.sh",
        "Created": int(container.created_at),
        "Ports": [],
        "Labels": container.labels,
        "State": container.status,
        "Status": status(container, engine.clock.now()),
        "HostConfig": {"NetworkMode": f"{container.project}_hbot-trading"},
        "NetworkSettings": {"Networks": {}},
        "Mounts": mounts(container),
    }


def inspected(container: Container, engine: Engine) -> Json:
    """Return a container as ``/containers/{id}/json`` shows it."""
    spec = container.spec
    return {
        "Id": container.id,
        "Created": rfc3339(container.created_at),
        "Path": "/entrypoint.sh",
        "Args": [],
        "State": _state(container),
        "Image": engine.images[spec.image].id,
        "Name": f"/{container.name}",
        "RestartCount": container.restart_count,
        "Driver": "overlay2",
        "Platform": "linux",
        "HostConfig": {
            "Memory": spec.memory_limit,
            "NetworkMode": f"{container.project}_hbot-trading",
            "RestartPolicy": {"Name": spec.restart, "MaximumRetryCount": 0},
            "LogConfig": {"Type": "json-file", "Config": {}},
        },
        "SizeRootFs": 0,
        "Mounts": mounts(container),
        "Config": {
            "Hostname": container.id[:12],
            "Image": spec.image,
            "Env": [f"{key}={value}" for key, value in spec.environment],
            "Labels": container.labels,
            "Tty": spec.tty,
            "OpenStdin": spec.tty,
            "Cmd": spec.command.split() or None,
        },
        "NetworkSettings": {"Networks": {}, "Ports": {}},
    }


def _state(container: Container) -> Json:
    state: Json = {
        "Status": container.status,
        "Running": container.status in {"running", "restarting", "paused"},
        "Paused": container.status == "paused",
        "Restarting": container.status == "restarting",
        "OOMKilled": container.oom_killed,
        "Dead": False,
        "Pid": container.pid,
        "ExitCode": container.exit_code,
        "Error": "",
        "StartedAt": rfc3339(container.started_at),
        "FinishedAt": rfc3339(container.finished_at),
    }
    if container.spec.healthcheck:
        state["Health"] = {"Status": container.health or "unhealthy", "FailingStreak": 0, "Log": []}
    return state


def mounts(container: Container) -> list[Json]:
    """Return the bind mounts of a container."""
    found = []
    for volume in container.spec.volumes:
        source, target, *mode = volume.split(":")
        one = {"Type": "bind", "Source": source, "Destination": target, "Mode": "", "RW": mode != ["ro"]}
        found.append({**one, "Propagation": "rprivate"})
    return found


def image(one: Image, born: float) -> Json:
    """Return an image as ``/images/json`` lists it."""
    repository, _, _ = one.reference.rpartition(":")
    return {
        "Id": one.id,
        "ParentId": "",
        "RepoTags": [one.reference],
        "RepoDigests": [f"{repository}@{one.id}"],
        "Created": int(one.created_at(born)),
        "Size": one.size,
        "SharedSize": -1,
        "VirtualSize": one.size,
        "Labels": {},
        "Containers": -1,
    }


def event(one: DockerEvent) -> Json:
    """Return an event as ``/events`` streams it."""
    return {
        "status": one.action,
        "id": one.container_id,
        "from": one.image,
        "Type": one.type,
        "Action": one.action,
        "Actor": {"ID": one.container_id, "Attributes": dict(one.attributes)},
        "scope": "local",
        "time": int(one.at),
        "timeNano": int(one.at * 1e9),
    }


def stats(container: Container, now: float, system_seconds: float) -> Json:
    """Return one reading of ``/containers/{id}/stats?stream=false``."""
    cpu = {
        "cpu_usage": {"total_usage": int(container.cpu_seconds * 1e9)},
        "system_cpu_usage": int(system_seconds * 1e9),
        "online_cpus": 4,
    }
    return {
        "id": container.id,
        "name": f"/{container.name}",
        "read": rfc3339(now),
        "preread": ZERO_TIME,
        "pids_stats": {"current": 12 if container.running else 0},
        "memory_stats": {"usage": int(container.memory), "limit": container.spec.memory_limit, "stats": {}},
        "cpu_stats": cpu,
        "precpu_stats": cpu,
        "networks": {},
        "blkio_stats": {"io_service_bytes_recursive": []},
    }

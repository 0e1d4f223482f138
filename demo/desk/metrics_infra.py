"""The exposition text of jobs ``node-exporter`` and ``cadvisor`` (0.49: start time is the creation time)."""

from demo.desk.container import Container
from demo.desk.exposition import Exposition, Scrape, ScrapeFailedError
from demo.desk.host import CPUS, DISK, MEMORY
from demo.desk.metrics_bots import bot_metrics
from demo.desk.world import World

LINGERS = 300.0


def pages(world: World) -> dict[str, Scrape]:
    """Return every job of the desk with the function that gives its page."""
    return {
        "bot-metrics": lambda: bot_metrics(world),
        "node-exporter": lambda: node_exporter(world),
        "cadvisor": lambda: cadvisor(world),
    }


def _answering(world: World, service: str) -> None:
    container = world.engine.of_service(service)
    if container is None or not container.running:
        raise ScrapeFailedError("connection refused")
    if container.hung:
        raise ScrapeFailedError("context deadline exceeded")


def node_exporter(world: World) -> str:
    """Return the host's page. Raises ScrapeFailedError while node-exporter does not answer."""
    _answering(world, "node-exporter")
    page, host = Exposition(), world.host
    for cpu in range(CPUS):
        for mode, seconds in host.cpu_seconds.items():
            page.counter("node_cpu_seconds_total", seconds / CPUS, {"cpu": str(cpu), "mode": mode})
    page.gauge("node_memory_MemTotal_bytes", MEMORY, {})
    page.gauge("node_memory_MemAvailable_bytes", max(MEMORY - host.memory_used, 0), {})
    disk = {"device": "/dev/vda1", "fstype": "ext4", "mountpoint": "/"}
    page.gauge("node_filesystem_size_bytes", DISK, disk)
    page.gauge("node_filesystem_avail_bytes", DISK - host.disk_used, disk)
    page.gauge("node_filesystem_free_bytes", DISK - host.disk_used, disk)
    page.counter("node_pressure_cpu_waiting_seconds_total", host.pressure["cpu"], {})
    page.counter("node_pressure_io_waiting_seconds_total", host.pressure["io"], {})
    page.counter("node_pressure_memory_waiting_seconds_total", host.pressure["memory"], {})
    page.counter("node_network_receive_errs_total", host.network_errors, {"device": "eth0"})
    page.counter("node_network_transmit_errs_total", host.network_errors / 2, {"device": "eth0"})
    page.counter("node_network_receive_bytes_total", host.received, {"device": "eth0"})
    page.counter("node_network_receive_packets_total", host.received / 700, {"device": "eth0"})
    page.counter("node_vmstat_oom_kill", host.oom_kills, {})
    page.gauge("node_boot_time_seconds", host.booted_at, {})
    page.gauge("node_time_seconds", world.clock.now(), {})
    page.gauge("node_load1", 0.6 + host.other_cpu, {})
    return page.text()


def cadvisor(world: World) -> str:
    """Return the containers' page; a dead one stays on it for 5 minutes with its last values, a removed one too.

    Of one that was made anew under its name the old one is left out.
    """
    _answering(world, "cadvisor")
    page, now, there = Exposition(), world.clock.now(), world.engine.containers
    for container in (*there.values(), *(each for each in world.engine.removed if each.name not in there)):
        if container.started_at and now - container.last_seen <= LINGERS:
            _container(page, container)
    return page.text()


def _container(page: Exposition, container: Container) -> None:
    labels = {
        "id": f"/system.slice/docker-{container.id}.scope",
        "image": container.spec.image,
        "name": container.name,
        "container_label_com_docker_compose_service": container.spec.name,
    }
    page.gauge("container_last_seen", container.last_seen, labels)
    page.counter("container_cpu_usage_seconds_total", container.cpu_seconds, {**labels, "cpu": "total"})
    page.gauge("container_memory_usage_bytes", container.memory, labels)
    page.gauge("container_memory_working_set_bytes", container.memory * 0.94, labels)
    page.gauge("container_memory_rss", container.memory * 0.9, labels)
    page.gauge("container_spec_memory_limit_bytes", container.spec.memory_limit, labels)
    page.counter("container_oom_events_total", container.oom_events, labels)
    page.gauge("container_start_time_seconds", container.created_at, labels)

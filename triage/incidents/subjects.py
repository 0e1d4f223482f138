"""What an alert is about, by its labels: a bot, a container, a host, or a part of the desk.

``instance`` is the name of a scrape target. An exporter tells of many things, so its name says nothing of what an
alert is about, unless the alert is about the scrape itself; it is a host where the job or the alert's family says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from triage.desk import Desk, once_a_desk
from triage.desk_sections.bots import Bot
from triage.desk_sections.compose import ComposeSettings
from triage.incidents.bot_labels import NAME_MAX, SEVERAL, names_nobody, of_bot
from triage.incidents.series_labels import (
    OF_OTHERS,
    OF_SCRAPE,
    container_of_group,
    is_about_target,
    is_of_machine,
    is_pod_of,
    of_series,
    pod_of,
    pod_of_kubelet,
    workload_of,
)
from triage.masking import masked_where_cut
from triage.model import Subject, SubjectKind

_UNIT = re.compile(r".+\.(?:service|socket|timer|mount|target|slice|scope|path|device|swap|automount)")
"""A systemd unit, as node-exporter names it: no container."""
_CONTAINER_LABELS = ("exported_container", "name", "container", "container_name")
"""Docker's API writes a name with a slash before it. Prometheus renames a label that its target has too: what the series
itself says is then ``exported_…``."""
_NAME = re.compile(r"(?!POD$)[A-Za-z0-9][\w.-]*")
"""How Docker names a container. ``POD`` is what cAdvisor calls the one that only holds a pod's network."""
_NO_VALUE = "<no value>"
"""What a rule's template writes for a label that its series has not."""
_REPLACEMENT = re.compile(r"[0-9a-f]{12}_(?=[A-Za-z0-9])")
"""What Compose puts before the name of a container that takes another one's place."""
_COMPOSE_LABELS = (
    "container_label_com_docker_compose_service",
    "com_docker_compose_service",
    "compose_service",
)
_PROJECT_LABELS = tuple(name.replace("service", "project") for name in _COMPOSE_LABELS)
_SERVICE_LABELS = ("exported_service", "service", *_COMPOSE_LABELS)
"""Docker's own label of a compose service, as cAdvisor and the log shippers pass it on, is one too."""
_KNOWN_LABELS = (
    "bot_name",
    "bot_id",
    "instance_name",
    "service_name",
    "strategy",
    "exported_job",
    "app",
    "app_kubernetes_io_name",
    "application",
    "component",
    "deployment",
    "statefulset",
    "daemonset",
    "pod",
)
"""Labels whose value counts where the desk knows it; a pod has the name of what it runs before its own."""
_HOST_LABELS = ("nodename", "hostname", "host", "node")
IDENTITY = (
    ("bot",),
    _CONTAINER_LABELS,
    (*_SERVICE_LABELS, *_KNOWN_LABELS, *_HOST_LABELS, "target", "instance", "job", "id"),
)
"""All labels that ``subject_of`` reads: a bot, a container, a place. A silence is made of the same ones."""
OF_COMPOSE = (*_COMPOSE_LABELS, *_PROJECT_LABELS)
"""Labels that may name the service of a container whose own name the desk does not know."""
_PROBE = re.compile(r"blackbox|probe|\b(?:ssl|tls|x509|cert|ping|icmp|uptime)", re.IGNORECASE)
_OPAQUE = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\]|[0-9a-f]{12}(?:[0-9a-f]{52})?")
"""An address, or the id of a container: it names nothing by itself."""
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_WHOLE_ID = re.compile(r"[0-9a-f]{64}")
_ITSELF = re.compile(r"(?:rediss?|valkey|postgres(?:ql)?)://|.*:(?:6379|26379|5432)$")
"""A target that is the database itself and not its exporter."""
_CONTROL_PLANE = re.compile(r"control[-_]?plane", re.IGNORECASE)
_HOST_JOB = re.compile(r"node|host|machine|windows", re.IGNORECASE)
_HOST_ALERT = re.compile(
    r"Host|Node|HighCpu|HighMemory|HighDisk|Disk|HighNetwork|Filesystem|Systemd|Clock"
    r"|Smart(?=[A-Z])|Raid|Ups(?=[A-Z])|Zfs|Zpool|Windows|OutOfDisk|Edac|Hardware|Temperature|PhysicalComponent|OomKill"
)
_LOCAL = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "[::1]"})  # noqa: S104 - compared, not listened on

FAMILIES: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), name, service)
    for pattern, name, service in (
        (r"ControlPlane", "control plane", ""),
        (r"PaperExchange", "paper exchange", "paper-exchange-service"),
        (r"Redis", "Redis", "redis"),
        (r"Postgre|P[gG][A-Z_]", "Postgres", "postgres"),
        (r"Ops_?D[Bb]", "ops database", "ops-db-writer"),
        (r"Coordination", "coordination", "coordination-service"),
        (r"(?:Market|Data)\w*Track", "market data", ""),
        (r"MarketData", "market data", ""),
        (r"\w*Gates?(?=[A-Z]|$)", "gates", ""),
        (r"Alertmanager", "alerting", "alertmanager"),
        (r"Prometheus(?!(?:All)?Target|Job)", "Prometheus", "prometheus"),
        (r"Loki", "Loki", "loki"),
        (r"Promtail", "Promtail", "promtail"),
        (r"Grafana(?!Alert)", "Grafana", "grafana"),
    )
)
"""Alerts of one part of the desk, by the beginning of their names: its name, and its service where one is named."""


def subject_of(labels: Mapping[str, str], desk: Desk) -> Subject:
    """Return what an alert is about: its bot, its container or service, else its family, target or host.

    An alert that names none of them is about the desk.
    """
    if (bot := of_bot(labels.get("bot", ""), desk)) is not None:
        return bot
    labels = of_series({name: value for name, value in labels.items() if value != _NO_VALUE})
    if boxed := _of_container(labels, desk):
        return boxed
    if service := next((labels[name] for name in _SERVICE_LABELS if labels.get(name)), ""):
        return _several(service, desk) or _service(desk, service)
    if known := _by_known(labels, desk, _KNOWN_LABELS):
        return known
    return _by_group(labels) or _by_family(labels, desk) or _by_workload(labels) or _by_target(labels, desk)


def _of_container(labels: Mapping[str, str], desk: Desk) -> Subject | None:
    """Return what an alert is about by the labels that hold a container's name; None where none of them does."""
    container = (
        next((labels[name] for name in _CONTAINER_LABELS if labels.get(name)), "").strip().removeprefix("/")
    )
    if several := _several(container, desk):
        return several
    if pod := pod_of_kubelet(container):
        return _by_known({"pod": pod}, desk, ("pod",)) or Subject(
            SubjectKind.CONTAINER, masked_where_cut(pod, NAME_MAX)
        )
    if not is_container(container):
        return None
    container = _renamed(container, desk)
    if container in _services(desk):
        return _service(desk, container)
    if container in _containers(desk):
        return _container(desk, container)
    return _by_known(labels, desk, ("pod",)) or _by_label(labels, desk) or _container(desk, container)


def is_container(name: str) -> bool:
    """Tell whether the value of a label is a container's name: no systemd unit, no path of a control group, no list."""
    name = name.removeprefix("/")
    other = _UNIT.fullmatch(name) or _ADDRESS.fullmatch(name) or names_nobody(name)
    return _NAME.fullmatch(name) is not None and not other


def _renamed(container: str, desk: Desk) -> str:
    """Return the name that a replacement will have, where the desk knows it."""
    bare = _REPLACEMENT.sub("", container, count=1)
    small = bare.lower()
    known = next((name for name in (bare, small) if name in _containers(desk)), container)
    return known[:12] if _WHOLE_ID.fullmatch(known) else known


def _several(names: str, desk: Desk) -> Subject | None:
    """Return what a label names that holds several containers or services, as a template that joins them writes it."""
    parts = [part for part in SEVERAL.split(names.strip()) if part]
    if len(parts) <= 1 or not all(map(is_container, parts)):
        return None
    found = {_service(desk, _renamed(part.removeprefix("/"), desk)) for part in parts}
    if len(found) == 1:
        return found.pop()
    listed = ", ".join(sorted(each.name for each in found))
    return Subject(SubjectKind.DESK, masked_where_cut(listed, NAME_MAX))


def _container(desk: Desk, container: str) -> Subject:
    owner = desk.bot_of_container(container)
    if owner is not None:
        return Subject(SubjectKind.BOT, owner.name)
    return Subject(SubjectKind.CONTAINER, masked_where_cut(container, NAME_MAX))


def _service(desk: Desk, service: str) -> Subject:
    """A bot's service is that bot; another one's container has the name that the desk's template gives it."""
    bare = service.lower().partition("@")[0]  # a proxy writes who told it: redis@docker
    service = bare if bare in _services(desk) else service
    owner = next((bot for bot in desk.bots if service in {bot.name, desk.service_of(bot.name)}), None)
    if owner is not None:
        return Subject(SubjectKind.BOT, owner.name)
    if service in _containers(desk):
        return _container(desk, service)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", service):
        return Subject(SubjectKind.DESK, masked_where_cut(service, NAME_MAX))
    return _container(desk, desk.container_of(service))


def _by_known(labels: Mapping[str, str], desk: Desk, names: tuple[str, ...]) -> Subject | None:
    """Return the bot or service of the desk that one of some labels names, which may name anything."""
    known = _things(desk)
    for name in names:
        value = labels.get(name, "")
        if value in known:
            return _service(desk, value)
        if value and name == "pod" and (runs := [each for each in known if is_pod_of(each, value)]):
            return _service(desk, max(runs, key=len))
    return None


def _by_label(labels: Mapping[str, str], desk: Desk) -> Subject | None:
    """Return the service that Docker's own label names of a container whose name the desk does not know."""
    of_project = next((labels[name] for name in _PROJECT_LABELS if labels.get(name)), desk.compose.project)
    service = next((labels[name] for name in _COMPOSE_LABELS if labels.get(name)), "")
    ours = service in _services(desk) and of_project == desk.compose.project
    return _service(desk, service) if ours else None


def _by_workload(labels: Mapping[str, str]) -> Subject | None:
    """Return the pod, or what else of Kubernetes, that an alert names and the desk does not know."""
    if pod := pod_of(labels):
        return Subject(SubjectKind.CONTAINER, masked_where_cut(pod, NAME_MAX))
    workload = workload_of(labels)
    return Subject(SubjectKind.DESK, masked_where_cut(workload, NAME_MAX)) if workload else None


def _by_group(labels: Mapping[str, str]) -> Subject | None:
    """Return the container whose control group a series of cAdvisor has for its only name."""
    container = container_of_group(labels.get("id", ""))
    return Subject(SubjectKind.CONTAINER, container) if container else None


def _by_family(labels: Mapping[str, str], desk: Desk) -> Subject | None:
    alert = labels.get("alertname", "")
    found = next((family for family in FAMILIES if family[0].match(alert)), None)
    if found is None:
        by_job = _CONTROL_PLANE.match(labels.get("job", "")) and not OF_SCRAPE.search(alert)
        return Subject(SubjectKind.DESK, "control plane") if by_job else None
    pattern, name, service = found
    service = desk.compose.redis_service if service == "redis" else service
    if service not in _services(desk):
        return Subject(SubjectKind.DESK, name)
    target = (labels.get("instance") or "").strip()
    host = _known_host(_without_port(target), "", desk, probe=False)
    itself = _ITSELF.match(target) is not None and not (_OPAQUE.fullmatch(host) or host in _LOCAL)
    another = (itself or re.match(pattern.pattern, host, re.IGNORECASE)) and not OF_OTHERS.search(host)
    if another and host not in _things(desk):  # a second Redis is not the first
        return Subject(SubjectKind.DESK, masked_where_cut(target, NAME_MAX))
    return _service(desk, host if another else service)


def _by_target(labels: Mapping[str, str], desk: Desk) -> Subject:
    alert, job = labels.get("alertname", ""), labels.get("job", "")
    target = (labels.get("instance") or "").strip()
    probe = bool(_PROBE.search(job) or _PROBE.match(alert))
    target = (labels.get("target") or target).strip() if probe else target
    host = _without_port(target)
    if named := next((labels[name] for name in _HOST_LABELS if labels.get(name)), ""):
        return Subject(SubjectKind.HOST, masked_where_cut(named, NAME_MAX))
    if not host:
        return _by_job(desk, alert, job)
    unit = _UNIT.fullmatch(labels.get("name", "")) is not None
    whole = is_of_machine(labels.get("id", ""))
    machine = unit or whole or bool(_HOST_ALERT.match(alert) or _HOST_JOB.search(job))
    if machine and not OF_SCRAPE.search(alert):
        return Subject(SubjectKind.HOST, masked_where_cut(target, NAME_MAX))
    host = _known_host(host, job, desk, probe=probe)
    if host in _services(desk) or host in _containers(desk):
        return _service(desk, host) if is_about_target(alert, host) else _by_job(desk, alert, job or host)
    if machine or (not job and not probe and host == target):
        return Subject(SubjectKind.HOST, masked_where_cut(target, NAME_MAX))
    by_target = not job or OF_SCRAPE.search(alert)
    about = host if probe else target if by_target else job
    return Subject(SubjectKind.DESK, masked_where_cut(about, NAME_MAX))


def _by_job(desk: Desk, alert: str, job: str) -> Subject:
    """A job that is a service of the desk is that service, unless its series tell of others."""
    if job in _services(desk) and is_about_target(alert, job):
        return _service(desk, job)
    return Subject(SubjectKind.DESK, masked_where_cut(job or desk.name, NAME_MAX))


def _known_host(host: str, job: str, desk: Desk, *, probe: bool) -> str:
    """Return the name under which the desk may know a target: without a network's domain; of an address, its job."""
    known = _things(desk)
    if (host in _LOCAL or (_OPAQUE.fullmatch(host) and not probe)) and job in _services(desk):
        return job
    first = host.partition(".")[0]
    # A probe's address may be anywhere; the name of a scrape target is one of the desk's own networks.
    return first if not probe and host not in known and first in known else host


def _without_port(target: str) -> str:
    bare = re.sub(r"^[a-z]+://|/.*$", "", target)
    if bare.count(":") > 1 and not bare.startswith("["):  # an IPv6 address as it is
        return bare
    return re.sub(r":\d+$", "", bare)


def _services(desk: Desk) -> frozenset[str]:
    return _known(desk.bots, desk.compose)[0]


def _containers(desk: Desk) -> frozenset[str]:
    return _known(desk.bots, desk.compose)[1]


def _things(desk: Desk) -> frozenset[str]:
    """The names of both."""
    return _known(desk.bots, desk.compose)[2]


@once_a_desk
def _known(bots: tuple[Bot, ...], compose: ComposeSettings) -> tuple[frozenset[str], ...]:
    desk = Desk(bots=bots, compose=compose)
    named = (desk.service_of(bot.name) for bot in bots)
    services = frozenset((*named, *compose.services))
    containers = frozenset(desk.container_of(name) for name in (*services, *(bot.name for bot in bots)))
    return services, containers, services | containers

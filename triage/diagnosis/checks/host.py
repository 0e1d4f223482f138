"""Is the machine the cause: CPU, memory, disk, pressure of each host that node-exporter watches.

``data``: ``{"hosts": {instance: {"cpu", "memory" (fractions used), "disk" (fraction used of the fullest
mount), "mount", "pressure_cpu", "pressure_memory", "pressure_io" (share of time somebody waited),
"oom_kills" (in the last hour)}}}``; None where not measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from triage.diagnosis.checks.base import (
    CheckContext,
    answer_or_none,
    by_label,
    each_of,
    partial,
    refused,
    whole_or_unknown,
    worst_status,
)
from triage.errors import SourceError
from triage.model import Finding, FindingStatus, SubjectKind
from triage.ports.sources import QueryResult
from triage.queries import promql
from triage.wording import counted, listed, percent

NAME = "host"
TITLE = "Host"
SOURCE = "Prometheus (node-exporter)"

_IDLE = 'mode="idle"'
_DISKS = 'fstype!~"tmpfs|overlay|squashfs|ramfs"'
_LIMITS = {
    # attribute: (warning above, critical above)
    "cpu": (0.85, 0.97),
    "memory": (0.90, 0.96),
    "disk": (0.85, 0.95),
    "pressure_cpu": (0.50, 2.0),
    "pressure_memory": (0.10, 0.50),
    "pressure_io": (0.40, 2.0),
    "oom_kills": (0.5, math.inf),
}


@dataclass(slots=True)
class HostNow:
    """One host; see the module for units."""

    cpu: float | None = None
    memory: float | None = None
    disk: float | None = None
    mount: str = ""
    pressure_cpu: float | None = None
    pressure_memory: float | None = None
    pressure_io: float | None = None
    oom_kills: float | None = None

    @property
    def over(self) -> dict[str, FindingStatus]:
        """Which figures are above their limit, and how bad that is."""
        found: dict[str, FindingStatus] = {}
        for name, (warning, critical) in _LIMITS.items():
            value = getattr(self, name)
            if value is not None and value > warning:
                found[name] = FindingStatus.CRITICAL if value > critical else FindingStatus.WARNING
        return found

    @property
    def missing(self) -> list[str]:
        """Which of the promised figures Prometheus has not, or has as no number."""
        named = {"CPU": self.cpu, "memory": self.memory, "disk": self.disk}
        return [name for name, value in named.items() if value is None]

    @property
    def status(self) -> FindingStatus:
        """The worst of its figures; a host without CPU, memory and disk is not known."""
        if self.cpu is None and self.memory is None and self.disk is None:
            return FindingStatus.UNKNOWN
        return worst_status([*self.over.values(), FindingStatus.OK])


async def run(ctx: CheckContext) -> Finding:
    """Ask Prometheus for the figures of the incident's host, or of all."""
    queries = _queries(_hosts(ctx))
    asked = await each_of(ctx.sources.metrics.query(query, partly=True) for query in queries.values())
    errors = [each for each in asked if isinstance(each, SourceError)]
    if len(errors) == len(asked):
        raise errors[0]
    answers = [answer_or_none(each) for each in asked]
    # A host whose figures are no numbers is there too, and said to have none.
    instances = {sample.labels.get("instance", "") for answer in answers for sample in answer.samples}
    found = {instance: HostNow() for instance in (instances | set(_hosts(ctx) or ())) - {""}}
    for name, answer in zip(queries, answers, strict=True):
        if name == "disk":
            _read_disks(found, answer)
            continue
        for instance, value in by_label(answer, "instance").items():
            setattr(found.setdefault(instance, HostNow()), name, value)
    finding = _finding(
        found,
        "; ".join(filter(None, (partial(*answers), refused(*asked)))),
        unread=any(answer.unread for answer in answers),
    )
    return replace(finding, status=whole_or_unknown(finding.status, *answers))


def _hosts(ctx: CheckContext) -> tuple[str, ...] | None:
    return (ctx.incident.names(SubjectKind.HOST) or None) if ctx.incident is not None else None


def _queries(hosts: tuple[str, ...] | None) -> dict[str, str]:
    def of(metric: str, also: str = "") -> str:
        return promql.selector(metric, any_of=hosts, by="instance", also=also)

    pressure = {
        f"pressure_{kind}": f"max by (instance) (rate({of(f'node_pressure_{kind}_waiting_seconds_total')}[5m]))"
        for kind in ("cpu", "memory", "io")
    }
    return {
        "cpu": f"1 - avg by (instance) (rate({of('node_cpu_seconds_total', _IDLE)}[5m]))",
        "memory": (
            f"1 - max by (instance) ({of('node_memory_MemAvailable_bytes')}) "
            f"/ max by (instance) ({of('node_memory_MemTotal_bytes')})"
        ),
        "disk": (
            f"max by (instance, mountpoint) (1 - {of('node_filesystem_avail_bytes', _DISKS)} "
            f"/ {of('node_filesystem_size_bytes', _DISKS)})"
        ),
        **pressure,
        "oom_kills": f"max by (instance) (increase({of('node_vmstat_oom_kill')}[1h]))",
    }


def _read_disks(found: dict[str, HostNow], answer: QueryResult) -> None:
    for sample in sorted(answer.samples, key=lambda each: each.labels.get("mountpoint", "")):
        instance = sample.labels.get("instance")
        if instance is None or not math.isfinite(sample.value):
            continue
        host = found.setdefault(instance, HostNow())
        if host.disk is None or sample.value > host.disk:
            host.disk, host.mount = sample.value, sample.labels.get("mountpoint", "")


def _finding(found: Mapping[str, HostNow], caveat: str, *, unread: bool) -> Finding:
    known = {name: host for name, host in sorted(found.items()) if host.status is not FindingStatus.UNKNOWN}
    if not known:
        return Finding(
            NAME,
            FindingStatus.UNKNOWN,
            "no figures of any host",
            SOURCE,
            why="; ".join(filter(None, ("" if unread else "Prometheus has no node-exporter series", caveat))),
        )
    lines = tuple(f"{name}: {describe(host)}" for name, host in known.items())
    gaps = [
        f"{name}: no figure of {listed(host.missing)}" for name, host in sorted(found.items()) if host.missing
    ]
    caveat = "; ".join(filter(None, (*gaps[:3], caveat)))
    single = len(known) == 1
    that_can_be_read = " that can be read" if unread else ""
    bad = [name for name, host in known.items() if host.status is not FindingStatus.OK]
    return Finding(
        name=NAME,
        status=worst_status(host.status for host in known.values()),
        headline=describe(next(iter(known.values())))
        if single
        else f"{len(known)} hosts{that_can_be_read}, {'all fine' if not bad else 'over a limit: ' + ', '.join(bad)}",
        source=SOURCE,
        why=caveat,
        details=() if single else lines,
        data={"hosts": {name: asdict(host) for name, host in known.items()}},
    )


def describe(host: HostNow) -> str:
    """Return e.g. ``CPU 31 %, memory 52 %, disk 61 %``; pressure and OOM kills only when there are."""
    disk = f"disk {percent(host.disk, 0)}" + (f" ({host.mount})" if "disk" in host.over else "")
    parts = [f"CPU {percent(host.cpu, 0)}", f"memory {percent(host.memory, 0)}", disk]
    parts += [
        f"{kind} pressure {percent(getattr(host, f'pressure_{kind}'), 0)}"
        for kind in ("cpu", "memory", "io")
        if f"pressure_{kind}" in host.over
    ]
    if host.oom_kills is not None and "oom_kills" in host.over:
        parts.append(f"at least {counted(max(1, round(host.oom_kills)), 'OOM kill')} in 1 h")
    return ", ".join(parts)

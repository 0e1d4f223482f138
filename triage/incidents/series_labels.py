"""Whose labels a series has: those of an exporter, which it has as a scrape target, or those of what it tells of. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

OF_OTHERS = re.compile(r"exporter|cadvisor|pushgateway|blackbox|kube-state-metrics|kube-rbac-proxy")
"""Services whose series tell of others: their name says something where an alert is about the scrape, or about them."""
OF_SCRAPE = re.compile(r"Target|Scrape|ExporterDown|InstanceDown|EndpointDown")
_TARGET_LABELS = ("container", "container_name", "service", "pod")
"""What Kubernetes' Prometheus writes on every series of a target: the exporter's own container, service and pod."""
_CGROUP = re.compile(
    r"/(?:.*[/-])?(?P<id>[0-9a-f]{12})[0-9a-f]{52}(?:\.scope)?|/docker/(?P<short>[0-9a-f]{12})"
)
_OF_KUBELET = re.compile(r"k8s_[^_]+_(?P<pod>[^_]+)_[^_]+_[^_]+_\d+")
_OF_MACHINE = re.compile(r"/|/(?:system|user|machine)\.slice(?:/.*)?|/docker|/init\.scope|/kubepods\S*")
_OF_POD = re.compile(
    r"-(?:(?=[a-z]*\d)[a-z\d]{1,12}(?:-[a-z\d]{1,10})?|[b-df-hj-np-tv-z]{5}|[b-df-hj-np-tv-z]{6,10}-[a-z\d]{5})"
)
"""What Kubernetes puts behind the name of what it runs: a number, or digits and letters without vowels."""


_OF_KUBERNETES = re.compile(r"Kube|Pod|Container|CPUThrottling|Deployment|StatefulSet|DaemonSet|Job|CronJob")
_WORKLOADS = (
    "deployment",
    "statefulset",
    "daemonset",
    "cronjob",
    "job_name",
    "horizontalpodautoscaler",
    "persistentvolumeclaim",
)


def of_series(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Return the labels without those of the exporter itself, where the series tells of others."""
    alert, job = labels.get("alertname", ""), labels.get("job", "")
    of_target = {
        name
        for name in _TARGET_LABELS
        if (value := labels.get(name)) and not is_about_target(alert, value) and _is_of_job(value, job)
    }
    if "service" in of_target and labels.keys().isdisjoint({"namespace", "endpoint", "pod", "container"}):
        of_target.discard("service")  # outside Kubernetes nobody writes a target's service there
    return {name: value for name, value in labels.items() if name not in of_target} if of_target else labels


def is_about_target(alert: str, name: str) -> bool:
    """Tell whether an alert from a known target is about that target itself."""
    of_others = OF_OTHERS.search(name)
    return of_others is None or of_others[0] in alert.lower() or OF_SCRAPE.search(alert) is not None


def is_pod_of(name: str, pod: str) -> bool:
    """Tell whether a pod runs what has a name: ``redis-0`` and ``bot1-7f9c6d-x2k9z``, and not ``redis-exporter-0``."""
    return pod.startswith(name) and _OF_POD.fullmatch(pod, len(name)) is not None


def container_of_group(group: str) -> str:
    """Return the first 12 digits of the id of the container that a control group is of; empty where it is of none.

    Docker's own names and systemd's end in the id (``/docker/<id>``, ``/system.slice/docker-<id>.scope``).
    """
    found = _CGROUP.fullmatch(group)
    return (found["id"] or found["short"]) if found is not None else ""


def pod_of_kubelet(name: str) -> str:
    """Return the pod in the name that the kubelet gives a container of Docker's; empty where it is none.

    ``k8s_<container>_<pod>_<namespace>_<uid>_<attempt>``; the container that only holds the pod's network is ``POD``.
    """
    found = _OF_KUBELET.fullmatch(name)
    return found["pod"] if found is not None else ""


def is_of_machine(group: str) -> bool:
    """Tell whether a control group is of the host: the whole machine, its services, the parent of all containers."""
    return _OF_MACHINE.fullmatch(group) is not None


def _is_of_job(name: str, job: str) -> bool:
    """Tell whether a container or service is what a job scrapes, or the proxy before it."""
    return bool(job) and (name in job or job in name or name.startswith("kube-rbac-proxy"))


def workload_of(labels: Mapping[str, str]) -> str:
    """Return what an alert of Kubernetes' rules names beside a pod and a container: a deployment, a job; empty for none."""
    if _OF_KUBERNETES.match(labels.get("alertname", "")) is None:
        return ""
    return next((labels[name] for name in _WORKLOADS if labels.get(name)), "")


def pod_of(labels: Mapping[str, str]) -> str:
    """Return the pod that an alert of Kubernetes' rules is about; empty where it names none."""
    return labels.get("pod", "") if _OF_KUBERNETES.match(labels.get("alertname", "")) else ""

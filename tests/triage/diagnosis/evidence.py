"""Findings as the checks make them, short to write in a test."""

from datetime import timedelta

from tests.fakes.episodes import firing
from tests.fakes.sources import NOW, FakeSources
from tests.triage.diagnosis.checks.context import context
from triage.actions.remedies import conclude
from triage.model import (
    Episode,
    Finding,
    FindingStatus,
    Json,
    Source,
    Subject,
    SubjectKind,
    Verdict,
)
from triage.playbooks.lookup import playbook_for

QUIET: dict[str, Json] = {
    "state": "running", "frozen": False, "age_seconds": 22.0, "held_seconds": 9000.0, "net_edge": 0.0002,
    "net_edge_15m": 0.0002, "drawdown": 0.001, "daily_loss": 0.001, "base_pct": 0.5, "edge_gate": False,
    "reasons": [], "orders": 4, "daily_pnl": 3.0, "cancel_per_min": 3, "turnover": 0.4, "regime": "calm",
}  # fmt: skip
UP: dict[str, Json] = {
    "status": "running", "running": True, "restarts": 0, "restarts_hour": 0, "oom": False, "oom_count": 0,
    "exit_code": None, "looping": False, "missing": False,
}  # fmt: skip


def finding(name: str, data: dict[str, Json], status: FindingStatus = FindingStatus.WARNING) -> Finding:
    """Make a finding with this data."""
    return Finding(name, status, name, "test", data=data)


def unknown(name: str, why: str = "no answer within 5 s") -> Finding:
    """Make a finding of a check that got no answer."""
    return Finding(name, FindingStatus.UNKNOWN, f"unknown: {why}", "test", why=why)


def bot(**changes: Json) -> Finding:
    """What the bot_state check finds of bot1."""
    return finding("bot_state", {"bots": {"bot1": {**QUIET, **changes}}})


def bots(**states: dict[str, Json]) -> Finding:
    """What the bot_state check finds of several bots."""
    return finding("bot_state", {"bots": {name: {**QUIET, **changes} for name, changes in states.items()}})


def errors(*templates: tuple[str, int, str], name: str = "bot1") -> Finding:
    """What the error_logs check finds: (text, count, kind) each."""
    found = [{"text": text, "count": count, "kind": kind, "usual": 0.0} for text, count, kind in templates]
    return finding("error_logs", {"bots": {name: {"count": 1, "usual": 1.0, "templates": found}}})


def box(name: str = "hbot-bot1", **changes: Json) -> Finding:
    """What the container check finds."""
    return finding("container", {"containers": {name: {**UP, **changes}}})


def redis(*, reachable: bool = True, **changes: Json) -> Finding:
    """What the streams check finds."""
    data = {
        "reachable": reachable,
        "why": "connection refused",
        "role": "master",
        "memory_max": 0,
        "persistence_ok": True,
    }
    return finding("streams", {**data, **changes})


def machine(**figures: Json) -> Finding:
    """What the host check finds."""
    usual: dict[str, Json] = {"cpu": 0.3, "memory": 0.5, "disk": 0.6, "mount": "/"}
    return finding("host", {"hosts": {"node-1": {**usual, **figures}}})


def change(what: str, *, before: float, image: str = "bot:2") -> Finding:
    """What the changes check finds of bot1's container."""
    entry = {"container": "hbot-bot1", "what": what, "seconds_before": before, "image": image, "ours": True}
    return finding("changes", {"changes": [entry], "down": []})


def fees(kind: str, source: str, *, changed: bool = False) -> Finding:
    """What the fee_source check finds."""
    return finding("fee_source", {"bots": {"bot1": {"kind": kind, "source": source, "changed": changed}}})


def subject_of(name: str, subject: str) -> Subject:
    """Return what an alert of this name is about: a container, a host, the desk, or a bot."""
    if name.startswith("Container"):
        return Subject(SubjectKind.CONTAINER, f"hbot-{subject}")
    if name.startswith(("High", "Disk")):
        return Subject(SubjectKind.HOST, "node-1")
    if name.startswith(("Redis", "Prometheus", "Alerting", "Stream", "DeadLetters")):
        return Subject(SubjectKind.DESK, "hbot")
    return Subject(SubjectKind.BOT, subject)


def alert(name: str, subject: str = "bot1", *, event: bool = False, **labels: str) -> Episode:
    """Make a firing alert, or an event."""
    at = NOW - timedelta(minutes=4)
    source = Source.AUDIT if event else Source.ALERTMANAGER
    return firing(
        name, subject_of(name, subject), at, source=source, firing=not event, labels=labels, is_event=event
    )


def verdict(
    *findings: Finding,
    alerts: tuple[Episode, ...] = (),
    name: str = "BotHardStopActive",
    bots: tuple[str, ...] = (),
) -> Verdict:
    """Diagnose; Redis answers unless the findings say otherwise."""
    found = findings if any(each.name == "streams" for each in findings) else (*findings, redis())
    ctx = context(FakeSources(), *bots, name=name)
    return conclude(found, ctx, alerts, playbook_for(ctx.desk, name))


def kinds(found: Verdict) -> list[str]:
    """The kinds of the proposed actions, in their order."""
    return [action.kind for action in found.actions]

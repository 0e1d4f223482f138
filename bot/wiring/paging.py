"""The jobs that page people: escalation, and what goes out over the fallback channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from schedules.escalation import EscalationJob
from schedules.fallback import FallbackJob
from schedules.table import Job
from triage.desk import Desk
from triage.ports.clock import Clock
from triage.ports.fallback import FallbackChannel
from triage.ports.store import Store

SECONDS = 3.0
"""How often escalation and the fallback channels look whether something is due."""


def paging_jobs(
    store: Store,
    desk: Desk,
    clock: Clock,
    channels: Mapping[str, FallbackChannel],
    wake_sender: Callable[[], None],
) -> list[Job]:
    """Return escalation, and one job a fallback channel. ``wake_sender`` wakes the sender."""
    escalation = EscalationJob(
        store=store, desk=desk, clock=clock, channels=tuple(channels), wake_sender=wake_sender
    )
    fallback = FallbackJob(store=store, desk=desk, clock=clock, channels=channels, wake_sender=wake_sender)
    return [
        Job("escalation", escalation.run, seconds=SECONDS),
        Job("fallback", fallback.owe_due, seconds=SECONDS),
        *(Job(f"fallback {name}", partial(fallback.send_over, name), seconds=SECONDS) for name in channels),
    ]

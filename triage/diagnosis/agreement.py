"""Makes two findings agree: a bot has been in its state no longer than its container has been up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from triage.diagnosis.checks import bot_state, container
from triage.diagnosis.checks.bot_now import BotNow

if TYPE_CHECKING:
    from triage.desk import Desk
    from triage.model import Finding, Json


def agreed(findings: Sequence[Finding], desk: Desk) -> tuple[Finding, ...]:
    """Return the findings with how long each bot is in its state brought in line with how long its container is up."""
    containers = next(
        (one.data.get("containers") or {} for one in findings if one.name == container.NAME), {}
    )
    return tuple(_in_line(one, containers, desk) if one.name == bot_state.NAME else one for one in findings)


def _in_line(finding: Finding, containers: Mapping[str, Json], desk: Desk) -> Finding:
    shown: Mapping[str, Mapping[str, Json]] = finding.data.get("bots") or {}
    bots = {
        name: _held(BotNow(**now), containers.get(desk.container_of(name))) for name, now in shown.items()
    }
    if all(bots[name].held_seconds == now.get("held_seconds") for name, now in shown.items()):
        return finding
    reworded = bot_state.state_finding(bots)
    return replace(finding, headline=reworded.headline, details=reworded.details, data=reworded.data)


def _held(now: BotNow, container_now: Mapping[str, Json] | None) -> BotNow:
    """Return the bot with a state no older than its container; one that was seen before its start has no age."""
    up = container_now.get("up_seconds") if container_now is not None else None
    if up is None or now.held_seconds is None or now.held_seconds <= up:
        return now
    earlier = now.age_seconds is None or now.age_seconds > up
    return replace(now, held_seconds=None if earlier else float(up), held_at_least=False)

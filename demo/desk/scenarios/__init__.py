"""What can go wrong on the desk: one file each, with its true cause and what really cures it."""

from demo.desk.scenarios import (
    alert_storm,
    bad_config,
    bad_release,
    disk_full,
    exchange_errors,
    fee_fallback,
    frozen_bot,
    hard_stop,
    metrics_blind,
    oom_loop,
    redis_down,
    stale_bytecode,
)
from demo.desk.scenarios.base import CauseId, Remedy, Scenario

__all__ = ["SCENARIOS", "CauseId", "Remedy", "Scenario"]

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: module.SCENARIO
    for module in (
        hard_stop,
        redis_down,
        stale_bytecode,
        bad_release,
        bad_config,
        fee_fallback,
        exchange_errors,
        oom_loop,
        frozen_bot,
        disk_full,
        alert_storm,
        metrics_blind,
    )
}
"""Every scenario by its name, in the order of the page's side panel."""

"""The rules, one cause per file. A new one is a module with ``rule(facts)``, named in ``RULES`` below.

A rule is pure, looks at ``Facts`` alone, and yields a cause with the confidence its evidence gives.
``VETOES``: what must not be offered while a cause is believed, because it would do harm or undo a guard.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from triage.diagnosis.causes import (
    alert_storm,
    bad_release,
    cancel_failures,
    connector_not_ready,
    container_down,
    crash_restart_loop,
    daily_loss_limit,
    disk_full,
    drawdown_limit,
    edge_gate,
    exchange_errors,
    external_kill_switch,
    fee_fallback,
    fee_unresolved,
    frozen_bot,
    high_vol,
    host_saturated,
    inventory_band,
    metrics_blind,
    oom_restart_loop,
    redis_down,
    redis_unwell,
    stale_bytecode,
    turnover_limit,
)
from triage.diagnosis.facts import Facts
from triage.model import Cause

Rule = Callable[[Facts], Iterable[Cause]]

RULES: tuple[Rule, ...] = (
    drawdown_limit.rule,
    daily_loss_limit.rule,
    turnover_limit.rule,
    external_kill_switch.rule,
    redis_down.rule,
    redis_unwell.rule,
    stale_bytecode.rule,
    bad_release.rule,
    fee_unresolved.rule,
    fee_fallback.rule,
    exchange_errors.rule,
    connector_not_ready.rule,
    cancel_failures.rule,
    oom_restart_loop.rule,
    crash_restart_loop.rule,
    container_down.rule,
    frozen_bot.rule,
    disk_full.rule,
    host_saturated.rule,
    metrics_blind.rule,
    edge_gate.rule,
    high_vol.rule,
    inventory_band.rule,
    alert_storm.rule,
)

_STARTS = frozenset({"restart", "recreate", "resume"})

VETOES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # A limit stopped it: starting it again would trade past the limit.
        "drawdown_limit": _STARTS,
        "daily_loss_limit": _STARTS,
        "turnover_limit": _STARTS,
        "external_kill_switch": _STARTS,
        "fee_unresolved": frozenset({"resume"}),
        # A restart needs room on the disk, and an archive even more.
        "disk_full": _STARTS | {"rollback", "clear_cache", "degraded_mode"},
        # Another start is the next round of the loop.
        "oom_restart_loop": frozenset({"restart", "recreate"}),
        "crash_restart_loop": frozenset({"restart"}),
        # What they share is outside of each bot: a restart of one does not bring it back.
        "alert_storm": _STARTS | {"rollback", "clear_cache"},
        # A restart does not clear the cache.
        "stale_bytecode": frozenset({"restart"}),
        # What we see may be old: nothing is done on the strength of it.
        "metrics_blind": frozenset({"restart", "recreate", "rollback", "kill_switch"}),
    }
)

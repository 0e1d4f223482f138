# ruff: noqa: E501 - a table's rows
"""Who depends on whom, and so which cause brings about which: the upstream one is the cause, the other its consequence.

Bot → exchange. Bot → bus → Redis. Services → Redis. Exporter → minute.csv → bot. Prometheus → exporter.
Promtail → logs. Everything → its container → the engine → the host → the network.
"""

from __future__ import annotations

from collections.abc import Mapping

_NETWORK = {"network_down", "dns_failure", "alert_storm"}
_HOST = {"disk_full", "disk_unwritable", "host_saturated"}
_REFUSALS = {
    "credentials_refused", "clock_skew", "insufficient_funds", "order_rejected", "position_mode", "account_mode",
    "exchange_rate_limit", "exchange_down", "egress_blocked", "tls_failure",
}  # fmt: skip
_CODE = {"bad_release", "stale_bytecode", "invalid_config", "config_not_applied", "env_key_missing"}
_EXCHANGE = {*_REFUSALS, "exchange_errors", "market_data_stale", *_NETWORK, "fd_leak"}
_GONE = {
    "paused_container", "container_stopped", "oom_restart_loop", "crash_restart_loop", "container_down",
    *_HOST,
}  # fmt: skip

UPSTREAM: Mapping[str, frozenset[str]] = {
    cause: frozenset(upstream)
    for cause, upstream in {
        # the bot's guards tell what they met, not why it came
        "connector_not_ready": {"flapping", *_EXCHANGE, *_CODE, *_HOST, "code_error", "redis_down"},
        "balance_mismatch": {*_EXCHANGE, "database_locked"},
        "cancel_failures": {*_EXCHANGE, *_CODE, "code_error"},
        "fee_unresolved": {*_EXCHANGE, "env_key_missing"},
        "fee_fallback": {"credentials_refused", "clock_skew", "exchange_down", "egress_blocked", *_NETWORK},
        "edge_gate": {"fee_changed", "fee_fallback", "market_data_stale", "flapping"},
        "flapping": {*_EXCHANGE, *_CODE, *_HOST},
        "high_vol": {"market_data_stale", "flapping"},
        "inventory_band": {"flapping"},
        "market_spread_too_small": {"flapping"},
        "drawdown_limit": {"bad_release"},
        # the exchange and the way to it
        "exchange_errors": {"blip", *_REFUSALS, *_NETWORK, "fd_leak", *_CODE, "host_saturated", "paused_container"},
        "market_data_stale": {"exchange_down", "tls_failure", "egress_blocked", "exchange_rate_limit", *_NETWORK, "exchange_errors", "fd_leak", "host_saturated"},
        "exchange_down": set(_NETWORK),
        "exchange_rate_limit": {"bad_release", "crash_restart_loop"},
        "dns_failure": {"network_down"},
        "alert_storm": {"network_down", "dns_failure", "redis_down", *_HOST, "exchange_down"},
        "clock_skew": {"paused_container"},
        "order_rejected": {"bad_release"},
        # processes
        "frozen_bot": {*_GONE, "pnl_kill_switch", "background_task_dead", "code_error", "invalid_config", "stale_exporter", "metrics_blind", "database_locked", "fd_leak"},
        "background_task_dead": {"bad_release", "stale_bytecode", "database_locked", "disk_full", "disk_unwritable"},
        "code_error": {*_CODE, "database_locked", "background_task_dead", "disk_unwritable"},
        "log_errors_other": {*_EXCHANGE, *_CODE, *_HOST, "code_error", "redis_down", "redis_unwell", "bus_lost", "cancel_failures"},
        "crash_restart_loop": {*_CODE, *_HOST, "oom_restart_loop", "redis_down", "redis_unwell"},
        "container_down": {"degraded_mode", "disk_full", "container_stopped", "paused_container", "crash_restart_loop", *_CODE, "oom_restart_loop"},
        "oom_restart_loop": {"bad_release"},
        "invalid_config": {"bad_release", "stale_bytecode"},
        "stale_bytecode": set(),
        "memory_leak": {"oom_restart_loop"},
        "database_locked": {"disk_full", "disk_unwritable"},
        # Redis, services, watchers
        "redis_unwell": {"disk_full", "disk_unwritable"},
        "redis_down": {"disk_full", "host_saturated", "degraded_mode"},
        "bus_lost": {"redis_down"},
        "service_down": {"paused_container", "redis_down", "disk_full", "redis_unwell", "degraded_mode"},
        "container_stopped": {"degraded_mode"},
        "service_hung": {"paused_container", "redis_down", "redis_unwell", "bus_lost", "host_saturated", "service_down"},
        "intents_late": {"service_hung", "clock_skew", "host_saturated", "redis_unwell"},
        "schema_mismatch": {"bad_release"},
        "stale_exporter": {"disk_full", "metrics_blind", "host_saturated"},
        "metrics_blind": {"host_saturated", "network_down"},
        "log_shipper_down": {"disk_full", "paused_container"},
        "blip": {"oom_killed_once"},
    }.items()
}  # fmt: skip
"""For each cause those that may bring it about."""

# ruff: noqa: E501, FBT003 - a table's rows
"""The table of what Hummingbot and its exchange print: class, meaning, whether it heals, do and do not; codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class LogClass:
    """One row: what a line says. ``heals``: the bot tries again by itself; ``do`` and ``dont`` are for a person."""

    name: str
    meaning: str
    heals: bool
    do: str
    dont: str = ""


_ROWS = (
    LogClass("credentials_refused", "the exchange refuses our key or address", False,
             do="check key, passphrase, rights and the allowed addresses at the exchange", dont="restart: it asks with the same key"),
    LogClass("account_restricted", "the exchange has locked or restricted the account", False,
             do="log in at the exchange and ask its support what it wants", dont="replace the key: a new one is refused too"),
    LogClass("clock_skew", "the exchange finds our time wrong", False,
             do="check the host's clock (timedatectl, chronyc tracking)", dont="replace the key"),
    LogClass("insufficient_funds", "the balance is short or locked", False,
             do="compare free and frozen balances, and what other bots hold"),
    LogClass("order_rejected", "an order's size or price is outside the exchange's rules", False,
             do="compare order size and rounding in the configuration with the exchange's rules"),
    LogClass("order_refused", "an order breaks a rule of the exchange that is not of size or price", False,
             do="read the exchange's words and compare with how the bot places its orders"),
    LogClass("parameter_refused", "the exchange refuses a parameter that the bot sends", False,
             do="compare what was released or configured last with what the exchange takes"),
    LogClass("position_mode", "position modes of account and bot differ", False,
             do="set the mode at the exchange once the position is flat"),
    LogClass("account_mode", "the account is in unified mode", False,
             do="use a classic (sub-)account"),
    LogClass("exchange_rate_limit", "the exchange counts too many requests", True,
             do="see what else asks from this address or account", dont="restart in a loop: each start asks more"),
    LogClass("exchange_down", "the exchange itself fails or is under maintenance", True,
             do="read the exchange's status page and announcements", dont="rotate keys"),
    LogClass("exchange_unreachable", "connections to the exchange break or time out", True,
             do="look at the rate of reconnects and at the route"),
    LogClass("exchange_refuses", "the exchange refuses requests for a reason that no table knows", False,
             do="look the code up in the exchange's documentation"),
    LogClass("dns_failure", "names are not resolved", True, do="look at the DNS of container and host"),
    LogClass("network_down", "there is no route out", True, do="look at the host's uplink"),
    LogClass("tls_failure", "the certificate is not accepted", False,
             do="look at proxy, CA bundle and clock", dont="switch verification off"),
    LogClass("egress_blocked", "the exchange's edge refuses our address", False,
             do="look at the address we go out with (VPN, region)", dont="replace the key"),
    LogClass("redis_unreachable", "Redis does not take the connection", True, do="look at Redis first"),
    LogClass("redis_refuses", "Redis answers and refuses the command", False, do="look at its role, memory and disk"),
    LogClass("redis_lost", "a stream or its group is gone in Redis", False, do="see whether Redis was flushed or restored"),
    LogClass("disk_full", "no space left on the disk", False, do="free space", dont="delete the bot's sqlite file"),
    LogClass("watch_limit", "the host's limit of watched files (inotify) is reached", False,
             do="raise fs.inotify.max_user_watches or max_user_instances on the host", dont="free disk space: it is not the disk"),
    LogClass("disk_unwritable", "the disk takes no writes", False,
             do="look at dmesg and at how the disk is mounted", dont="restart it: it cannot write then either"),
    LogClass("stream_closed", "a stream fell silent or was closed", True, do="watch the rate only"),
    LogClass("fd_leak", "the process has too many files open", False, do="restart it, then look at ulimit and leaks",
             dont="call it a network fault"),
    LogClass("memory", "memory is not given", False, do="look at OOMKilled and the host's memory"),
    LogClass("database_locked", "two processes write one sqlite file", False, do="one bot per file: find the other writer"),
    LogClass("invalid_config", "the configuration does not fit the code", False, do="mend the yml file", dont="restart"),
    LogClass("env_key_missing", "a variable that it needs is not set", False, do="put the key back into .env and recreate"),
    LogClass("import_error", "code does not load", False, do="match image and mounted scripts"),
    LogClass("background_task_dead", "a background task died: the bot looks alive", False, do="check open orders, then restart"),
    LogClass("code_error", "the bot's own code fails", False, do="read the last line of the traceback"),
    LogClass("pnl_kill_switch", "its own profit or loss limit stopped the strategy", False, do="review the fills", dont="restart it"),
    LogClass("fee_query_failed", "fees are not given by the exchange", True, do="see why the fee query fails"),
    LogClass("lost_order", "an order is taken for lost; it may be live", False, do="look it up at the exchange", dont="take it for gone"),
    LogClass("cancel_gone", "the order to cancel was gone already (mostly: filled)", True, do="check the fills", dont="send it again"),
    LogClass("cancel_failed", "cancels fail; the line does not say why", False, do="look at the open orders at the exchange"),
    LogClass("order_failed", "orders fail; the line does not say why", False, do="read the record before it", dont="conclude that it is the key"),
    LogClass("not_ready", "the connector is not ready; the line does not say why", True, do="read the earlier error"),
    LogClass("own_throttle", "the bot delays itself below the exchange's limit", True, do="nothing"),
    LogClass("paper", "the simulated account refuses", True, do="look at the paper balances", dont="look at the real account"),
    LogClass("elsewhere", "a request to somebody other than the exchange fails", True,
             do="look at what it asks there", dont="blame the exchange or the key"),
    LogClass("benign", "known and harmless alone", True, do="nothing"),
)  # fmt: skip

CLASSES: Mapping[str, LogClass] = {row.name: row for row in _ROWS}
"""Every class by its name."""

OF_NO_CAUSE = frozenset({"benign", "own_throttle", "cancel_gone", "paper", "elsewhere", "watch_limit"})
"""Classes of which no cause is made: they come every day, or their words are all that is known."""

CODES: Mapping[str, str] = {
    **dict.fromkeys(
        ["40001", "40002", "40003", "40006", "40009", "40011", "40012", "40014", "40018", "40036", "40037", "40038", "40041", "30011", "30012", "30014", "30015"],
        "credentials_refused",
    ),
    **dict.fromkeys(["40013", "40016"], "account_restricted"),
    **dict.fromkeys(["40004", "40005", "40008", "30013"], "clock_skew"),
    **dict.fromkeys(["43012", "40762", "40754"], "insufficient_funds"),
    **dict.fromkeys(["45110", "45111", "45112", "45113", "45114", "45115", "45116", "41103", "43006", "43007", "43008", "43009"],
                    "order_rejected"),
    "43005": "order_refused",
    "40774": "position_mode",
    **dict.fromkeys(["40084", "40085"], "account_mode"),
    **dict.fromkeys(["429", "30006", "30007"], "exchange_rate_limit"),
    **dict.fromkeys(["41114", "40308", "40200", "43115", "40309", "40034", "40015", "40725", "45001", "40010"], "exchange_down"),
    **dict.fromkeys(["43001", "40768", "43025"], "cancel_gone"),
}  # fmt: skip
"""Bitget's codes; families beyond them are not guessed at.

40808 and 41101 are not among them: they say that some parameter is bad, and only their words say which.
"""

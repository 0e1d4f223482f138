"""The host's way out is lost: no bot reaches the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.diagnosis.causes._evidence import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset(
    {"stop", "pause", "no_fills", "errors", "orders", "book", "position", "slow", "network", "frozen", "edge"}
)
_CLASSES = ("network_down", "dns_failure", "exchange_unreachable")
_TWO = 2


def rule(facts: Facts) -> Iterable[Candidate]:
    """Several bots lose the network at once and none is left well, or the kernel says so."""
    cut = [bot for bot in facts.bots if facts.logged(bot, *_CLASSES).fresh]
    if not cut:
        return
    case = Case(facts, "network_down", tuple(cut), tuple(map(facts.desk.container_of, cut)))
    no_route = [bot for bot in cut if facts.logged(bot, "network_down").fresh]
    if no_route:
        case.sees(
            "strong",
            f"{', '.join(no_route)} find no route out: {facts.logged(no_route[0], 'network_down').example}",
            "error_logs",
        )
    blind = [bot for bot in cut if facts.logged(bot, "dns_failure", "network_down").fresh]
    if len(blind) >= _TWO:
        case.sees(
            "strong", f"{', '.join(blind[:4])} do not get out of this host: they share its network", "peers"
        )
    elif len(cut) >= _TWO:
        case.sees("some", f"{', '.join(cut[:4])} lose their connections at once", "peers")
    if facts.alerts("HighNetworkErrorRate"):
        case.sees("some", "HighNetworkErrorRate fires", "alert")
    healthy = [
        bot
        for bot in facts.healthy_peers(tuple(cut))
        if not facts.reasons(bot) or not set(facts.reasons(bot)) & LIMITS
    ]
    if healthy:
        case.doubts("contradiction", f"{', '.join(healthy[:3])} run on over the same network", "scope")
    for bot in cut:
        case.began(facts.logged(bot, *_CLASSES).first_at)
    case.needs("error_logs", "scope")
    yield from case.concludes(
        "The host's network is lost: {who} cannot reach the exchange.",
        "Look at the host's uplink; restarts do not bring it back.",
        settle="ping -c 3 1.1.1.1; getent hosts api.bitget.com (on the host)",
        by_hand="check the uplink with the provider; look at open orders when it is back",
    )

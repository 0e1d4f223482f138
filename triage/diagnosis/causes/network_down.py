"""The host's way out is lost: no bot reaches the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.diagnosis.causes._families import TRADING
from triage.wording import doing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts
    from triage.diagnosis.weights import Level

EXPLAINS = TRADING | {"edge", "frozen", "network", "probe"}
_CLASSES = ("network_down", "dns_failure", "exchange_unreachable", "stream_closed")
_TWO, _MANY = 2, 10
_CUT_OFF = frozenset({"connector_not_ready", "order_book_stale"})


def rule(facts: Facts) -> Iterable[Candidate]:  # noqa: C901 - one look after the other
    """Several bots lose the network at once and none is left well, or the kernel says so."""
    cut = [bot for bot in facts.bots if facts.logged(bot, *_CLASSES).fresh]
    if not cut:
        return
    case = Case(facts, "network_down", tuple(cut), tuple(map(facts.desk.container_of, cut)))
    no_route = [bot for bot in cut if facts.logged(bot, "network_down").fresh]
    if no_route:
        case.sees(
            "strong",
            f"{doing(no_route, 'finds', 'find')} no route out: {facts.logged(no_route[0], 'network_down').example}",
            "error_logs",
        )
    waits = _waiting(facts, cut)
    blind = [bot for bot in cut if facts.logged(bot, "dns_failure", "network_down").fresh]
    if len(blind) >= _TWO:
        # Names that are not resolved now and then are the resolver's; where nothing else arrives either, it is the way.
        case.sees(
            "strong" if no_route or waits else "some",
            f"{doing(blind, 'does', 'do')} not get out of this host, whose network is shared"
            if no_route or waits
            else f"{doing(blind, 'does', 'do')} not resolve names, over a network that is shared",
            "peers",
        )
    elif len(cut) >= _TWO:
        case.sees("some", f"{doing(cut, 'loses its connections', 'lose their connections')} at once", "peers")
    if facts.alerts("HighNetworkErrorRate"):
        case.sees("some", "HighNetworkErrorRate fires", "alert")
    healthy = facts.healthy_peers(tuple(cut))
    failing = all(facts.logged(bot, *_CLASSES).fresh >= _MANY for bot in cut)
    all_known = bool(facts.peers(tuple(cut))) or {bot.name for bot in facts.desk.bots} <= set(cut)
    answered = any(
        facts.logged(bot, "exchange_down", "exchange_refuses", "credentials_refused").fresh for bot in cut
    )
    works = any(facts.works(bot) for bot in cut)
    if failing and waits and not works and not answered:
        if len(cut) >= _TWO and not healthy and all_known:
            case.sees(
                "strong", "no bot is left that reaches the exchange, and none gets an answer", "way out"
            )
        elif len(cut) == 1 and healthy and not facts.logged(cut[0], "dns_failure").fresh:
            alone = f"{cut[0]} alone gets no answer while {doing(healthy, 'runs on', 'run on')}"
            case.sees("strong", f"{alone}: its own network is cut", "way out")
    if healthy and len(cut) > 1:
        case.doubts("contradiction", f"{doing(healthy, 'runs on', 'run on')} over the same network", "scope")
    at_work = [bot for bot in cut if facts.works(bot) and not facts.logged(bot, *_CLASSES).over(facts.now)]
    if at_work:
        case.doubts(
            "contradiction", f"{doing(at_work, 'runs on', 'run on')} although some requests fail", "bot_state"
        )
    # Those that a guard of another kind holds log no more: their silence says nothing.
    ended = [bot for bot in cut if facts.logged(bot, *_CLASSES).over(facts.now)]
    if len(ended) == len(cut):
        level: Level = (
            "contradiction" if any(facts.works(bot) or not facts.now_of(bot) for bot in cut) else "doubt"
        )
        case.doubts(level, "the lines have ended", "error_logs")
    for bot in cut:
        case.began(facts.logged(bot, *_CLASSES).first_at)
    case.needs("error_logs", "scope")
    yield from case.concludes(
        "{who} is cut off: it does not reach the exchange, and other bots do."
        if healthy
        else "The host's way out is lost: {who} do not reach the exchange.",
        "Look at the container's own network: over the host's way out other bots reach the exchange."
        if healthy
        else "Look at the host's uplink; restarts do not bring it back.",
        settle=f"docker inspect {facts.desk.container_of(cut[0])} --format '{{{{json .NetworkSettings.Networks}}}}'"
        if healthy
        else "ping -c 3 1.1.1.1; getent hosts api.bitget.com (on the host)",
        by_hand="compare its networks with those of a bot that trades (docker network inspect); look at its open orders"
        if healthy
        else "check the uplink with the provider; look at open orders when it is back",
    )


def _waiting(facts: Facts, cut: list[str]) -> list[str]:
    """Return the bots that wait for the exchange, by their guards or, where their state is not known, by an alert."""
    stale = {each.subject.name for each in facts.alerts("OrderBookStale")}
    return [
        bot for bot in cut if set(facts.reasons(bot)) & _CUT_OFF or (not facts.now_of(bot) and bot in stale)
    ]

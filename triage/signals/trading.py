"""Whether the desk trades now: each bot's state with the time it was true, and the line that says so.

What was looked at last is kept in the store's notes, so that every card is rendered from the same truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from triage.ports.store import Tx
from triage.signals.guard_reasons import in_words, needs_person
from triage.wording import counted, listed, number, percent

KEY = "trading_now"
OLD = timedelta(minutes=10)
"""What was looked at longer ago than this is not shown as now: no process has looked since."""
NAMES, GROUPS = 3, 3
_SHORTER = ((NAMES, GROUPS), (1, GROUPS), (1, 2), (0, GROUPS))
"""How many bots of a group are named, and how many groups told, where there is less and less room; of 0 the count."""
_STATES = {"soft_pause": "paused", "hard_stop": "stopped"}
_HELD = 0.01
"""A share of base below this is no position."""


@dataclass(frozen=True, slots=True)
class BotTrading:
    """One bot. ``state`` is running, soft_pause or hard_stop, empty where it is not known.

    ``since``: when it got into that state, where known; ``seen_at``: the time of its snapshot; ``silent``: the
    snapshot is too old for the state to be one. ``today`` is the day's result as a fraction of the equity
    it began with, ``pnl`` in quote currency, ``base`` the share of its equity in base currency. ``monitors``: it
    is there to watch alone.
    """

    bot: str
    state: str = ""
    since: datetime | None = None
    reasons: tuple[str, ...] = ()
    seen_at: datetime | None = None
    silent: bool = False
    orders: float | None = None
    today: float | None = None
    pnl: float | None = None
    base: float | None = None
    pair: str = ""
    monitors: bool = False

    @property
    def trades(self) -> bool:
        """It runs, by a fresh snapshot; one that only ``monitors`` never trades all the same."""
        return self.state == "running" and not self.silent

    @property
    def known(self) -> bool:
        """Its state is known as of now."""
        return bool(self.state) and not self.silent


@dataclass(frozen=True, slots=True)
class Trading:
    """All bots as they were when they were looked at; ``why`` says why nothing is known, empty otherwise.

    ``source``: where it was read instead of Prometheus, of some bots or of all.
    """

    looked_at: datetime
    bots: tuple[BotTrading, ...] = ()
    why: str = ""
    source: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What makes a card worth another edit when it changes; figures that move all the time are not in it."""
        return (self.why, self.source, *((one.bot, one.state, one.silent, one.reasons) for one in self.bots))

    def of(self, bot: str) -> BotTrading | None:
        """Return one bot, None where it is not among them."""
        return next((one for one in self.bots if one.bot == bot), None)


_ADAPTER: TypeAdapter[Trading] = TypeAdapter(Trading)


def load_trading(tx: Tx) -> Trading | None:
    """Return what was looked at last; None where nobody has looked yet."""
    text = tx.notes.get(KEY)
    if not text:
        return None
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError:  # an earlier version wrote it: the next look writes it anew
        return None


def save_trading(tx: Tx, trading: Trading) -> None:
    """Keep what was looked at."""
    tx.notes.put(KEY, _ADAPTER.dump_json(trading).decode())


def trading_line(
    trading: Trading | None, about: Sequence[str], limits: Mapping[str, float], now: datetime, room: int = 600
) -> str:
    """Return e.g. ``2 of 3 bots · bot1 stopped (drawdown limit) since 03:12 · 0 open orders · … · as of 03:16 UTC``.

    ``about``: the bots whose orders, result and position are told, all of them where it is empty; ``limits``: by
    bot the loss of the day that is allowed, as a fraction. In ``room`` characters fewer bots are named, then positions
    and orders go: how many trade, the day and the time it was true stay.
    """
    if trading is None:
        return "not known yet, asking"
    if now - trading.looked_at > OLD:
        return f"not known since {trading.looked_at:%H:%M} UTC"
    if trading.why or not trading.bots:
        return f"not known: {trading.why or 'no bot is configured'}"
    chosen = [one for one in trading.bots if one.bot in about] or list(trading.bots)
    as_of = _as_of(trading.bots) + (f" from {trading.source}" if trading.source else "")
    orders, today, holds = _orders(chosen), _today(chosen, limits), _holds(chosen)
    line = ""
    for names, groups in _SHORTER:
        head = [_count(trading.bots), *_out(trading.bots, now, names, groups)]
        for figures in ([*orders, *today, *holds], [*orders, *today], today)[: 1 if names else None]:
            line = " · ".join(filter(None, [*head, *figures, as_of]))
            if len(line) <= room:
                return line
    return line


def _count(bots: Sequence[BotTrading]) -> str:
    running = [one for one in bots if one.trades]
    if not any(one.known for one in bots):
        return "not known" if any(one.state for one in bots) else "not known: no bot shows a state"
    watch = "monitors" if len(running) == 1 else "monitor"
    none_trades = f", which only {watch}" if running and all(one.monitors for one in running) else ""
    return f"{len(running)} of {counted(len(bots), 'bot')}{none_trades}"


def _out(bots: Sequence[BotTrading], now: datetime, names: int, most: int) -> list[str]:
    """Return the bots that do not trade, those of one state and one reason together."""
    groups: dict[tuple[str, str], list[BotTrading]] = {}
    if not any(one.state for one in bots):  # that is said once already
        return []
    out = [one for one in bots if not one.trades]
    for one in out:
        alike = [other for other in out if _condition(other) == _condition(one)]
        whys = {_reason(other, alike) for other in alike}
        why = _reason(one, alike) if names or len(whys) == 1 else ""
        groups.setdefault((_condition(one), why), []).append(one)
    said = [
        f"{_who(group, bots, names)} {word}{why}{_since(group, now)}" for (word, why), group in groups.items()
    ]
    rest = sum(len(group) for group in list(groups.values())[most:])
    return said if not rest else [*said[:most], f"{rest} more out"]


def _who(group: Sequence[BotTrading], bots: Sequence[BotTrading], names: int) -> str:
    """Return the names, or how many there are; where it is all of several, that says it shorter."""
    if len(group) == len(bots) > 1:
        return "all"
    return listed([one.bot for one in group], names) if names else str(len(group))


def _condition(one: BotTrading) -> str:
    if not one.state:
        return "not known"
    return "silent" if one.silent else _STATES.get(one.state, one.state)


def _reason(one: BotTrading, alike: Sequence[BotTrading]) -> str:
    """Return the bot's reason that counts: one that all in its state give, a hard limit before what only pauses."""
    if one.silent:
        return ""
    common = set.intersection(*(set(other.reasons) for other in alike))
    reasons = sorted(common or one.reasons, key=lambda reason: (not needs_person(reason), reason))
    return f" ({in_words(reasons[:1])})" if reasons else ""


def _since(group: Sequence[BotTrading], now: datetime) -> str:
    """Return since when it is so of all of them: the latest of their times."""
    times = [one.seen_at if one.silent else one.since for one in group]
    known = [at for at in times if at is not None]
    if len(known) < len(group) or not known:
        return ""
    last = max(known)
    day = "" if last.date() == now.date() else f"{last:%-d %b} "
    return f" since {day}{last:%H:%M}"


def _orders(bots: Sequence[BotTrading]) -> list[str]:
    found = [one.orders for one in bots if one.orders is not None and one.known]
    return [counted(round(sum(found)), "open order")] if found else []


def _today(bots: Sequence[BotTrading], limits: Mapping[str, float]) -> list[str]:
    known = [one for one in bots if one.today is not None and one.known]
    if not known:
        pnl = [one for one in bots if one.pnl is not None and one.known]
        return [f"today {_quote(pnl)}"] if pnl else []
    # A bot that only monitors has no result to be named for, nor has one whose result is shown as none.
    moved = [one for one in known if percent(abs(one.today or 0.0), 1) != percent(0.0, 1)]
    worst = min(moved or known, key=lambda one: one.today or 0.0)
    shown = {percent(one.today, 1) for one in known}
    who = f"{worst.bot} " if len(bots) > 1 and len(shown) > 1 else ""
    limit = limits.get(worst.bot)
    bound = f" (limit {_minus(percent(-limit, 1))})" if limit is not None else ""
    return [f"today {who}{_minus(percent(worst.today, 1, signed=True))}{bound}"]


def _minus(shown: str) -> str:
    return shown.replace("-", "−")  # noqa: RUF001 - a minus


def _quote(bots: Sequence[BotTrading]) -> str:
    total = sum(one.pnl or 0.0 for one in bots)
    currencies = {one.pair.partition("-")[2] for one in bots}
    unit = currencies.pop() if len(currencies) == 1 else ""
    return f"{_minus(f'{total:+.2f}')} {unit}".strip()


def _holds(bots: Sequence[BotTrading]) -> list[str]:
    bots = [one for one in bots if one.known]  # what a silent bot held then is not what it holds now
    holding = [one for one in bots if one.base is not None and one.base > _HELD]
    if len(bots) == 1 and holding:
        base = holding[0].pair.partition("-")[0] or "base"
        return [f"holds {number(round((holding[0].base or 0.0) * 100))} % {base}"]
    if any(one.base is not None for one in bots):
        return [counted(len(holding), "position") if holding else "no positions"]
    return []


def _as_of(bots: Sequence[BotTrading]) -> str:
    """Return the time of the oldest fresh snapshot, or of the last change that the line tells."""
    times = [one.seen_at for one in bots if one.known and one.seen_at is not None]
    changed = [one.since for one in bots if one.since is not None and not one.trades]
    return f"as of {max([min(times), *changed]):%H:%M} UTC" if times else ""

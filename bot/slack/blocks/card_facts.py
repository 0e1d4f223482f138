"""Where an incident is, and what fires there: the facts of a card, as lines of leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.slack.blocks.kit import leaf, untrusted
from bot.slack.blocks.times import when
from triage.model import Episode, Json, SubjectKind
from triage.reports.incident_view import IncidentView
from triage.untrusted_text import cut, one_line
from triage.wording import counted, listed, times

GROUPS, NAMES, FACT, NAME, PLACE, SHORT, LINE = 5, 6, 220, 80, 1200, 3, 120
_KIND = {SubjectKind.CONTAINER: "container", SubjectKind.HOST: "host"}
_DULL_LABELS = frozenset({"alertname", "severity", "job", "bot", "name", "instance", "variant", "exchange"})


def names(words: Sequence[str], most: int = NAMES) -> str:
    """Return untrusted names in a row; many are cut with ``and 14 more``."""
    return listed([one_line(word, NAME) for word in words], most)


def where(view: IncidentView) -> str:
    """Return ``bot1 only (not bot2, bot3)``, ``2 bots: bot1, bot2``, ``container hbot-redis`` and the like."""
    incident = view.incident
    parts = []
    if len(incident.bots) == 1:
        others = f" (not {names(view.other_bots)})" if view.other_bots else ""
        parts.append(f"{names(incident.bots)} only{others}")
    elif incident.bots:
        others = f" (not {names(view.other_bots)})" if view.other_bots else ""
        parts.append(f"{len(incident.bots)} bots: {names(incident.bots)}{others}")
    for kind, word in _KIND.items():
        found = incident.names(kind)
        if found:
            parts.append(f"{word if len(found) == 1 else counted(len(found), word)}: {names(found)}")
    if incident.names(SubjectKind.DESK):
        parts.append("the desk")
    return cut(" · ".join(parts), PLACE)


def facts(view: IncidentView) -> str:
    """Return what the gravest alert that fires says of itself; empty where it says nothing."""
    firing = [one for one in view.episodes if one.firing or one.is_event]
    if not firing:
        return ""
    worst = min(firing, key=lambda one: (not one.firing, one.severity.rank, one.starts_at))
    return one_line(_fact(worst), FACT)


def firing_words(view: IncidentView, now: datetime) -> str:
    """Return which alerts fire, in one line, the gravest first: ``BotHardStopActive, ContainerDown``.

    Before there is a triage the gravest one's own words stand behind it.
    """
    groups: dict[str, list[Episode]] = {}
    for one in sorted(view.episodes, key=lambda each: (not each.firing, each.severity.rank, each.starts_at)):
        groups.setdefault(one.name, []).append(one)
    own = facts(view) if view.run is None else ""
    words = [_counted_name(name, group, now, view.tallies.get(name)) for name, group in groups.items()]
    said = listed([word for word in words if word], SHORT) or one_line(view.incident.name, NAME)
    return cut(f"{said} · {own}" if own else said, LINE)


def _counted_name(name: str, group: Sequence[Episode], now: datetime, tally: tuple[int, int] | None) -> str:
    group, total, firing = _counted_of(group, tally)
    head = f"{one_line(name, NAME)} {times(total)}" if total > 1 else one_line(name, NAME)
    if firing == total or all(one.is_event for one in group):
        return head
    return f"{head} ({_state(group, now, total, firing).removeprefix(' · ')})"


def signal_lines(
    episodes: Sequence[Episode], now: datetime, tallies: Mapping[str, tuple[int, int]]
) -> list[list[Json]]:
    """Return one line a kind of signal with what it said; firing ones first. The facts outlive the resolve."""
    groups: dict[str, list[Episode]] = {}
    for episode in sorted(episodes, key=lambda each: (not each.firing, each.severity.rank, each.starts_at)):
        groups.setdefault(episode.name, []).append(episode)
    shown = list(groups.items())[:GROUPS]
    lines = [_signal(name, now, *_counted_of(group, tallies.get(name))) for name, group in shown]
    more = max(len(groups), len(tallies)) - len(shown)
    if more > 0:
        lines.append([leaf(f"and {counted(more, 'more kind')} of signal")])
    return lines


def _counted_of(
    group: Sequence[Episode], tally: tuple[int, int] | None
) -> tuple[Sequence[Episode], int, int]:
    """Return what counts of the signals of one name, how many there are, and how many of them fire.

    An event and an alert of one name tell the same: where both are there, the alerts count.
    """
    total, firing = tally or (len(group), sum(episode.firing for episode in group))
    alerts = [episode for episode in group if not episode.is_event]
    if 0 < len(alerts) < len(group) and total <= len(group):
        return alerts, len(alerts), sum(episode.firing for episode in alerts)
    return group, total, firing


def _signal(name: str, now: datetime, group: Sequence[Episode], total: int, firing: int) -> list[Json]:
    subjects = list(dict.fromkeys(episode.subject.name for episode in group))
    head = f" ×{total}" if total > 1 else ""  # noqa: RUF001 - the sign for times
    listed_all = total <= len(group)  # of a storm's thousands only some are here: their number is in the head
    who = names(subjects, 5) if listed_all else f"{names(subjects[:5])} and more"
    on = f" ({cut(who, 200)})" if len(subjects) > 1 else ""
    fact = _fact(group[0])
    line = [
        leaf("• "),
        untrusted(name, NAME, bold=True),
        leaf(f"{head}{on}{_state(group, now, total, firing)}"),
    ]
    return [*line, leaf(" · "), untrusted(fact, FACT)] if fact else line


def _state(group: Sequence[Episode], now: datetime, total: int, firing: int) -> str:
    if all(episode.is_event for episode in group):
        return f" · at {when(max(episode.starts_at for episode in group), now)}"
    if firing == total:
        return ""
    ends = [episode.ends_at for episode in group if episode.ends_at is not None and not episode.firing]
    if firing:
        return f" · {firing} of {total} still firing"
    return f" · cleared {when(max(ends), now)}" if ends else " · cleared"


def _fact(episode: Episode) -> str:
    """Return what the signal said of itself: its description, its summary, else its labels that are not in every alert."""
    for name in ("description", "summary", "message"):
        if text := episode.annotations.get(name, "").strip():
            return text
    shown = [f"{key}={value}" for key, value in episode.labels.items() if key not in _DULL_LABELS]
    return ", ".join(shown[:4])

"""A storm: what is urgent of it, how much of what, and in its thread every alert by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.kit import leaf
from bot.slack.blocks.symbols import SEVERITY
from bot.slack.blocks.times import when
from bot.slack.rendered import Rendered
from triage.incidents.storm import PAGE
from triage.model import Incident, Json, Severity
from triage.ports.store import RollCount, RollEntry
from triage.untrusted_text import cut, one_line
from triage.wording import counted

LEADING_MAX, ALERTS, BOTS, OWN_CARDS = 12, 12, 12, 12
"""Lines of urgent alerts, names of alerts, of bots, and of incidents on the card; what is more is counted."""
NAME, STORM, ROLL = 60, 3_000, 11_500
"""Characters of a name, of the storm's part of its card, of one page of its list."""


@dataclass(frozen=True, slots=True)
class StormRoll:
    """The alerts of a storm and of the incidents that came with it: counted, and the first urgent ones by name.

    ``paging``: the words of severity among them that ask for a person at once. ``own_cards``: those incidents' ids.
    """

    counts: Sequence[RollCount]
    leading: Sequence[RollEntry]
    paging: Collection[str]
    own_cards: Sequence[int] = ()

    @property
    def urgent(self) -> list[RollCount]:
        """What stands at the top: it is Sev-1, or its label asks for a person at once."""
        return [one for one in self.counts if one.severity is Severity.SEV1 or one.word in self.paging]


def with_storm(card: Rendered, roll: StormRoll, now: datetime) -> Rendered:
    """Return a storm's card with what it holds below its header: the urgent alerts first, then the counts."""
    lines = [*_urgent_lines(roll, now), *_count_lines(roll)]
    block = kit.paragraph(kit.fitting(lines, STORM))
    text = f"{card.text} · {kit.preview(_said(roll))}"
    blocks = (*card.blocks[:1], *((block,) if block is not None else ()), *card.blocks[1:])
    return replace(card, text=text, blocks=blocks)


def _urgent_lines(roll: StormRoll, now: datetime) -> list[list[Json]]:
    lines = [_urgent_line(entry, now, own_card=entry.incident_id in roll.own_cards) for entry in roll.leading]
    rest = _by_name(roll.urgent)
    rest.subtract(entry.name for entry in roll.leading)
    if more := sum((+rest).values()):
        lines.append([leaf(f"and {more} more that {_page(more)}: {_most(_shown(+rest), 4)}")])
    return lines


def _urgent_line(entry: RollEntry, now: datetime, *, own_card: bool) -> list[Json]:
    word = f" ({one_line(entry.word, 20)})" if entry.word else ""
    over = "" if entry.firing else " · over"
    own = f" · INC-{entry.incident_id}" if own_card else ""
    return [
        leaf(f"{SEVERITY[entry.severity]} "),
        leaf(f"{one_line(entry.name, NAME)} on {one_line(entry.subject.name, NAME)}", bold=True),
        leaf(f"{word} · since {when(entry.starts_at, now)}{over}{own}"),
    ]


def _count_lines(roll: StormRoll) -> list[list[Json]]:
    counts, urgent = roll.counts, _total(roll.urgent)
    by_severity: Counter[Severity] = Counter()
    by_bot: Counter[str] = Counter()
    for one in counts:
        by_severity[one.severity] += one.count
        by_bot[one.bot] += one.count
    severities = ", ".join(f"{by_severity[one]} {one}" for one in Severity if by_severity[one])
    head = f"{counted(_total(counts), 'alert')}, {_firing(counts)} firing now: {severities}"
    lines = [[leaf(head, bold=True), leaf(f" · {urgent} of them {_page(urgent)}" if urgent else "")]]
    lines.append([leaf("By alert "), leaf(_most(_shown(_by_name(counts)), ALERTS))])
    others = by_bot.pop("", 0)
    more = f" · {others} about none of the bots" if others else ""
    if by_bot:
        lines.append([leaf("By bot "), leaf(f"{_most(_shown(by_bot), BOTS)}{more}")])
    if roll.own_cards:
        lines.append([leaf("With cards of their own "), leaf(_numbers(roll.own_cards))])
    return lines


def _numbers(incident_ids: Sequence[int]) -> str:
    """Return ``INC-1, INC-2 and 3 more``."""
    shown = ", ".join(f"INC-{one}" for one in incident_ids[:OWN_CARDS])
    rest = len(incident_ids) - OWN_CARDS
    return f"{shown} and {rest} more" if rest > 0 else shown


def _page(count: int) -> str:
    """Return what is said of alerts that ask for a person at once; how grave the storm is, its card's head says."""
    return "pages" if count == 1 else "page"


def _total(counts: Iterable[RollCount]) -> int:
    return sum(one.count for one in counts)


def _firing(counts: Iterable[RollCount]) -> int:
    return sum(one.count for one in counts if one.firing)


def _by_name(counts: Iterable[RollCount]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in counts:
        found[one.name] += one.count
    return found


def _shown(names: Mapping[str, int]) -> Counter[str]:
    """Count names as they are shown: each is made fit for that once, however many alerts have it."""
    shown: Counter[str] = Counter()
    for name, count in names.items():
        shown[one_line(name, NAME)] += count
    return shown


def _most(counts: Counter[str], most: int) -> str:
    shown = ", ".join(f"{name} ×{count}" for name, count in counts.most_common(most))  # noqa: RUF001 - the sign for times
    rest = len(counts) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def _said(roll: StormRoll) -> str:
    firing = [entry for entry in roll.leading if entry.firing] or roll.leading
    named = ", ".join(f"{one_line(e.name, 40)} on {one_line(e.subject.name, 30)}" for e in firing[:3])
    head = f"{counted(_total(roll.counts), 'alert')}, {_firing(roll.counts)} firing"
    return f"{head}; {_total(roll.urgent)} {_page(_total(roll.urgent))}: {named}" if roll.urgent else head


def roll_page(incident: Incident, entries: Sequence[RollEntry], page: int) -> Rendered | None:
    """Return one page (from 0) of the list of all that a storm holds: each alert by name, with what it is about."""
    if not entries:
        return None
    firing = sum(entry.firing for entry in entries)
    first = page * PAGE + 1
    head = f"Alerts {first} to {first + len(entries) - 1} of {incident.number}: {firing} of {len(entries)} firing"
    groups: dict[tuple[str, Severity], list[RollEntry]] = {}
    for entry in entries:
        groups.setdefault((entry.name, entry.severity), []).append(entry)
    ordered = sorted(groups.items(), key=lambda group: group[0][1].rank)
    block = kit.paragraph([[leaf(head, bold=True)], *_group_lines(ordered)])
    return Rendered(text=kit.preview(head), blocks=kit.present([block]))


_Group = tuple[tuple[str, Severity], list[RollEntry]]


def _group_lines(groups: Sequence[_Group]) -> Iterable[list[Json]]:
    """Return a line for each alert; where they would not fit, with shorter names, so that each is there."""
    names = {
        text: one_line(text, NAME) for text in _texts(groups)
    }  # once: the lines are tried with shorter ones
    for most in (NAME, 36, 22, 16, 12):
        lines = [_group_line(group, names, most) for group in groups]
        if sum(len(line) + 1 for line in lines) <= ROLL:
            break
    return [[leaf(part) for part in _parts(line)] for line in lines]


def _parts(line: str) -> list[str]:
    """Return a line in parts that a leaf takes whole, ended between two names: of one kind, a page is one line."""
    parts = []
    while len(line) > kit.LEAF:
        end = line.rfind(", ", 0, kit.LEAF - 1) + 2
        end = end if end > 1 else kit.LEAF
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]


def _texts(groups: Sequence[_Group]) -> Iterable[str]:
    for (name, _), entries in groups:
        yield name
        yield from (entry.subject.name for entry in entries)


def _short(name: str, most: int) -> str:
    """Return a name without its middle where it is too long: what tells many alike ones apart stands at their ends."""
    if len(name) <= most:
        return name
    end = most // 2
    return f"{name[: most - end - 1]}…{name[-end:]}"


def _group_line(group: _Group, names: Mapping[str, str], most: int) -> str:
    (name, severity), entries = group
    firing = [_short(names[entry.subject.name], most) for entry in entries if entry.firing]
    over = [_short(names[entry.subject.name], most) for entry in entries if not entry.firing]
    said = ", ".join(firing)
    if over:
        said += f"{'; ' if said else ''}over: {', '.join(over)}"
    return f"{SEVERITY[severity]} {cut(names[name], most)}: {said}"

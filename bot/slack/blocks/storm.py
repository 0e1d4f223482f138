"""A storm: what is grave of it, how much of what, and in its thread every alert by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.kit import leaf
from bot.slack.blocks.signs import SEVERITY
from bot.slack.blocks.when import when
from bot.slack.rendered import Rendered
from triage.incidents.storm import PAGE
from triage.model import Incident, Json, Severity, SubjectKind
from triage.ports.store import RollEntry
from triage.severities import is_paging
from triage.untrusted_text import cut, one_line
from triage.wording import counted

GRAVE, ALERTS, BOTS = 12, 12, 12
"""Lines of grave alerts, names of alerts, names of bots on the card; what is more is counted."""
NAME, STORM, ROLL = 60, 3_000, 11_500
"""Characters of a name, of the storm's part of its card, of one page of its list."""


def with_storm(
    card: Rendered, roll: Sequence[RollEntry], now: datetime, words: Mapping[str, Severity]
) -> Rendered:
    """Return a storm's card with what it holds below its header: the grave alerts first, then the counts.

    ``words``: the desk's own words of severity.
    """
    grave = [entry for entry in roll if is_grave(entry, words)]
    lines = [*_grave_lines(grave, now), *_count_lines(roll, grave)]
    block = kit.paragraph(kit.fitting(lines, STORM))
    text = f"{card.text} · {kit.preview(_said(roll, grave))}"
    blocks = (*card.blocks[:1], *((block,) if block is not None else ()), *card.blocks[1:])
    return replace(card, text=text, blocks=blocks)


def is_grave(entry: RollEntry, words: Mapping[str, Severity]) -> bool:
    """Whether an alert stands at the top: it is Sev-1, or its label asks for a person at once."""
    return entry.severity is Severity.SEV1 or is_paging({"severity": entry.word}, words)


def _grave_lines(grave: Sequence[RollEntry], now: datetime) -> list[list[Json]]:
    # What fires before what is over, the gravest first; within that as it came.
    ordered = sorted(grave, key=lambda entry: (not entry.firing, entry.severity.rank))
    lines = [_grave_line(entry, now) for entry in ordered[:GRAVE]]
    if len(ordered) > GRAVE:
        rest = _shown(entry.name for entry in ordered[GRAVE:])
        lines.append([leaf(f"and {len(ordered) - GRAVE} more that are grave: {_most(rest, 4)}")])
    return lines


def _grave_line(entry: RollEntry, now: datetime) -> list[Json]:
    word = f" ({one_line(entry.word, 20)})" if entry.word else ""
    over = "" if entry.firing else " · over"
    return [
        leaf(f"{SEVERITY[entry.severity]} "),
        leaf(f"{one_line(entry.name, NAME)} on {one_line(entry.subject.name, NAME)}", bold=True),
        leaf(f"{word} · since {when(entry.starts_at, now)}{over}"),
    ]


def _count_lines(roll: Sequence[RollEntry], grave: Sequence[RollEntry]) -> list[list[Json]]:
    firing = sum(entry.firing for entry in roll)
    by_severity = Counter(entry.severity for entry in roll)
    severities = ", ".join(f"{by_severity[one]} {one}" for one in Severity if by_severity[one])
    head = f"{counted(len(roll), 'alert')}, {firing} firing now: {severities}"
    lines = [[leaf(head, bold=True), leaf(f" · {len(grave)} of them grave" if grave else "")]]
    lines.append([leaf("By alert "), leaf(_most(_shown(entry.name for entry in roll), ALERTS))])
    bots = _shown(entry.subject.name for entry in roll if entry.subject.kind is SubjectKind.BOT)
    others = len(roll) - sum(bots.values())
    more = f" · {others} about none of the bots" if others else ""
    if bots:
        lines.append([leaf("By bot "), leaf(f"{_most(bots, BOTS)}{more}")])
    return lines


def _shown(names: Iterable[str]) -> Counter[str]:
    """Count names as they are shown: each is made fit for that once, however many alerts have it."""
    shown: Counter[str] = Counter()
    for name, count in Counter(names).items():
        shown[one_line(name, NAME)] += count
    return shown


def _most(counts: Counter[str], most: int) -> str:
    shown = ", ".join(f"{name} ×{count}" for name, count in counts.most_common(most))  # noqa: RUF001 - the sign for times
    rest = len(counts) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def _said(roll: Sequence[RollEntry], grave: Sequence[RollEntry]) -> str:
    firing = [entry for entry in grave if entry.firing] or list(grave)
    named = ", ".join(f"{one_line(e.name, 40)} on {one_line(e.subject.name, 30)}" for e in firing[:3])
    head = f"{counted(len(roll), 'alert')}, {sum(entry.firing for entry in roll)} firing"
    return f"{head}; {len(grave)} grave: {named}" if grave else head


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
    return [[leaf(line)] for line in lines]


def _texts(groups: Sequence[_Group]) -> Iterable[str]:
    for (name, _), entries in groups:
        yield name
        yield from (entry.subject.name for entry in entries)


def _group_line(group: _Group, names: Mapping[str, str], most: int) -> str:
    (name, severity), entries = group
    firing = [cut(names[entry.subject.name], most) for entry in entries if entry.firing]
    over = [cut(names[entry.subject.name], most) for entry in entries if not entry.firing]
    said = ", ".join(firing)
    if over:
        said += f"{'; ' if said else ''}over: {', '.join(over)}"
    return f"{SEVERITY[severity]} {cut(names[name], most)}: {said}"

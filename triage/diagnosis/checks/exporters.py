"""Which exporter speaks for a bot, where several do (a relabelling, a restart): the one with the newest snapshot.

Two exporters give two series of one thing; ``instance`` and ``job`` tell them apart, and mixing them gives a bot that
never was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from triage.diagnosis.checks.base import worst_status
from triage.model import FindingStatus
from triage.ports.sources import QueryResult, Sample, Series
from triage.queries import promql

Exporter = tuple[str, str]
"""``instance`` and ``job`` of a series, as its labels have them; empty where it has none."""
BY = "bot, instance, job"
_WHO = ("instance", "job")
T = TypeVar("T", Sample, Series)


@dataclass(frozen=True, slots=True)
class NewestSnapshots:
    """``ages``: seconds of each bot's newest snapshot; ``chosen``: whose it is; ``others``: who shows the bot too.

    ``tied``: bots of which another exporter's snapshot is as old, or none has an age; ``unsure``: those of them of which
    the exporters say different things, so that whoever is believed may be the wrong one.
    """

    ages: Mapping[str, float]
    chosen: Mapping[str, Exporter]
    others: Mapping[str, tuple[Exporter, ...]]
    tied: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()

    def of_chosen(self, found: Iterable[T]) -> list[T]:
        """Return what the chosen exporters say; of a bot without a choice, everything."""
        return [each for each in found if self._speaks(each.labels)]

    def of_any_newest(self, found: Iterable[T]) -> list[T]:
        """Return what the chosen exporters say; of a bot in ``unsure`` what each says, for who takes the graver of them."""
        return [
            each for each in found if each.labels.get("bot", "") in self.unsure or self._speaks(each.labels)
        ]

    def _speaks(self, labels: Mapping[str, str]) -> bool:
        chosen = self.chosen.get(labels.get("bot", ""))
        who = exporter_of(labels)
        # A series that was aggregated over its exporters names none.
        return chosen is None or who in {chosen, ("", "")}

    def caveat(self, bots: Iterable[str]) -> str:
        """Say which bots several exporters show, and who was believed."""
        found = sorted((bot for bot in bots if self.others.get(bot)), key=lambda bot: bot not in self.unsure)
        if not found:
            return ""
        bot = found[0]
        names = ", ".join(_name(each) for each in self.others[bot])
        more = f" (and {len(found) - 1} more bots)" if len(found) > 1 else ""
        if bot in self.unsure:
            they = "several exporters that say different things, and which is the newest is not known"
        else:
            they = "several exporters that say the same" if bot in self.tied else "several exporters"
        newest = "counts" if bot in self.tied else "is the newest and counts"
        return f"{bot} is shown by {they}: {_name(self.chosen[bot])} {newest}, {names} not{more}"

    def status(self, found: FindingStatus, bots: Iterable[str]) -> FindingStatus:
        """Return a finding's status: never ok where it may be of the wrong exporter."""
        doubt = FindingStatus.UNKNOWN if self.unsure.intersection(bots) else FindingStatus.OK
        return worst_status((found, doubt))


def exporter_of(labels: Mapping[str, str]) -> Exporter:
    """Return whose a series is."""
    return labels.get("instance", ""), labels.get("job", "")


def age_query(bots: Iterable[str] | None = None) -> str:
    """Return the query of each exporter's snapshot ages, in seconds.

    Prometheus' own clock and the exporter's stand on one host: ours may be another.
    """
    stamp = promql.selector("hbot_bot_snapshot_timestamp_seconds", any_of=bots)
    exported = promql.selector("hbot_bot_snapshot_age_seconds", any_of=bots)
    return f"(time() - max by ({BY}) ({stamp})) or max by ({BY}) ({exported})"


def newest(ages: QueryResult, shown: Sequence[Sample] = ()) -> NewestSnapshots:
    """Choose by age; ``shown``: samples whose exporters are known too, of which some may have no age."""
    known: dict[str, dict[Exporter, float]] = {}
    for sample in shown:
        known.setdefault(sample.labels.get("bot", ""), {}).setdefault(exporter_of(sample.labels), math.inf)
    for sample in ages.samples:
        if math.isfinite(sample.value):
            known.setdefault(sample.labels.get("bot", ""), {})[exporter_of(sample.labels)] = sample.value
    known.pop("", None)
    # What was aggregated away tells of nobody beside those that are named.
    named = {bot: {who: age for who, age in each.items() if any(who)} or each for bot, each in known.items()}
    chosen = {bot: min(each, key=lambda who: (each[who], who)) for bot, each in named.items()}
    tied = {bot: _as_new(each, chosen[bot]) for bot, each in named.items()}
    told = _labels_shown(shown)
    return NewestSnapshots(
        ages={
            bot: age
            for bot, who in chosen.items()
            if math.isfinite(age := known[bot].get(who, math.inf))
            or math.isfinite(age := known[bot].get(("", ""), math.inf))
        },
        chosen=chosen,
        others={bot: tuple(sorted(who for who in each if who != chosen[bot])) for bot, each in named.items()},
        tied=frozenset(bot for bot, whose in tied.items() if whose),
        unsure=frozenset(
            bot
            for bot, whose in tied.items()
            if any(told.get((bot, who)) != told.get((bot, chosen[bot])) for who in whose)
            or (ages.unread and math.inf in named[bot].values())  # its age may be the one that cannot be read
        ),
    )


def _as_new(ages: Mapping[Exporter, float], chosen: Exporter) -> list[Exporter]:
    return [who for who, age in ages.items() if who != chosen and age == ages[chosen]]


def _labels_shown(shown: Iterable[Sample]) -> dict[tuple[str, Exporter], set[frozenset[tuple[str, str]]]]:
    """Return what each exporter says of a bot: the labels of its series that are 1, such as the state's."""
    found: dict[tuple[str, Exporter], set[frozenset[tuple[str, str]]]] = {}
    for sample in shown:
        if sample.value == 1:
            labels = frozenset(item for item in sample.labels.items() if item[0] not in _WHO)
            found.setdefault((sample.labels.get("bot", ""), exporter_of(sample.labels)), set()).add(labels)
    return found


def _name(exporter: Exporter) -> str:
    instance, job = exporter
    return f"{instance or '?'}{f' ({job})' if job else ''}"

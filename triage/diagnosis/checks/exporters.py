"""Which exporter speaks for a bot, where several do (a relabelling, a restart): the one with the newest snapshot.

Two exporters give two series of one thing; ``instance`` and ``job`` tell them apart, and mixing them gives a bot that
never was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from triage.ports.sources import QueryResult, Sample, Series
from triage.queries import promql

Exporter = tuple[str, str]
"""``instance`` and ``job`` of a series, as its labels have them; empty where it has none."""
BY = "bot, instance, job"
T = TypeVar("T", Sample, Series)


@dataclass(frozen=True, slots=True)
class NewestSnapshots:
    """``ages``: seconds of each bot's newest snapshot; ``chosen``: whose it is; ``others``: who shows the bot too."""

    ages: Mapping[str, float]
    chosen: Mapping[str, Exporter]
    others: Mapping[str, tuple[Exporter, ...]]

    def of_chosen(self, found: Iterable[T]) -> list[T]:
        """Return what the chosen exporters say; of a bot without a choice, everything."""
        return [each for each in found if self._speaks(each.labels)]

    def _speaks(self, labels: Mapping[str, str]) -> bool:
        chosen = self.chosen.get(labels.get("bot", ""))
        who = exporter_of(labels)
        # A series that was aggregated over its exporters names none.
        return chosen is None or who in {chosen, ("", "")}

    def caveat(self, bots: Iterable[str]) -> str:
        """Say which bots several exporters show, and who was believed."""
        found = [bot for bot in bots if self.others.get(bot)]
        if not found:
            return ""
        bot = found[0]
        names = ", ".join(_name(each) for each in self.others[bot])
        more = f" (and {len(found) - 1} more bots)" if len(found) > 1 else ""
        return f"{bot} is shown by several exporters: {_name(self.chosen[bot])} is the newest and counts, {names} not{more}"


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


def newest(ages: QueryResult, shown: Iterable[Sample] = ()) -> NewestSnapshots:
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
    return NewestSnapshots(
        ages={
            bot: age
            for bot, who in chosen.items()
            if math.isfinite(age := known[bot].get(who, math.inf))
            or math.isfinite(age := known[bot].get(("", ""), math.inf))
        },
        chosen=chosen,
        others={bot: tuple(sorted(who for who in each if who != chosen[bot])) for bot, each in named.items()},
    )


def _name(exporter: Exporter) -> str:
    instance, job = exporter
    return f"{instance or '?'}{f' ({job})' if job else ''}"

"""Alerts that share a fingerprint, as a sender that is no Alertmanager may give it: told apart by their labels.

Alertmanager's fingerprints are of the labels. Of others' the second alert would silently replace the first, and the end
of one would end the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Protocol

from triage.model import Episode, Signal, Source

MARK = "~"
"""Between a fingerprint and what tells its alert from the others that have it."""


def with_distinct_fingerprints(signals: Sequence[Signal]) -> list[Signal]:
    """Return the signals of one webhook, where two alerts of one fingerprint are two."""
    first: dict[str, Mapping[str, str]] = {}
    return [
        signal
        if first.setdefault(signal.fingerprint, signal.labels) == signal.labels
        else _renamed(signal, signal.fingerprint + _mark(signal))
        for signal in signals
    ]


class FindEpisode(Protocol):
    """Finds an episode by its key; ``asked``: it is the signal's own, for which the store was asked already."""

    def __call__(self, key: tuple[Source, str], *, asked: bool) -> Episode | None:
        """Return the episode, None where it is not known."""


def as_known(signal: Signal, find: FindEpisode) -> Signal:
    """Return the signal under the fingerprint by which its alert is known.

    Which of two alerts came first, and which comes alone, differs from webhook to webhook; their labels do not.
    """
    if signal.source is not Source.ALERTMANAGER or not signal.fingerprint:
        return signal
    plain, found, _ = signal.fingerprint.partition(MARK)
    if found:
        bare = _renamed(signal, plain)
        known = find((bare.source, bare.episode), asked=False)
        return bare if known is not None and known.labels == signal.labels else signal
    known = find((signal.source, signal.episode), asked=True)
    if known is None or known.labels == signal.labels:
        return signal
    marked = _renamed(signal, signal.fingerprint + _mark(signal))
    if find((marked.source, marked.episode), asked=False) is not None:
        return marked
    return marked if (known.name, known.subject) != (signal.name, signal.subject) else signal


def same_alert(episode: Episode, signal: Signal) -> bool:
    """Whether both are of one alert: of one fingerprint, and about the same."""
    about = (episode.name, episode.subject) == (signal.name, signal.subject)
    return bool(signal.fingerprint) and episode.fingerprint == signal.fingerprint and about


def _mark(signal: Signal) -> str:
    labels = json.dumps(dict(signal.labels), sort_keys=True)
    return MARK + sha256(labels.encode("utf-8", "replace")).hexdigest()[:8]


def _renamed(signal: Signal, fingerprint: str) -> Signal:
    episode = fingerprint + signal.episode.removeprefix(signal.fingerprint)
    return replace(signal, fingerprint=fingerprint, episode=episode)

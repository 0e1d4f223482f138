"""A signal as an episode of an incident, and back."""

from __future__ import annotations

from triage.model import Episode, Incident, Signal, SignalStatus


def episode_of_signal(incident: Incident, signal: Signal) -> Episode:
    """Return a signal as the episode of an incident; what does not fire ended when it says, or as it began."""
    firing = signal.status is SignalStatus.FIRING
    return Episode(
        incident_id=incident.id,
        source=signal.source,
        episode=signal.episode,
        name=signal.name,
        subject=signal.subject,
        severity=signal.severity,
        firing=firing,
        is_event=signal.status is SignalStatus.EVENT,
        starts_at=signal.starts_at,
        ends_at=None if firing else signal.ends_at or signal.starts_at,
        last_seen_at=signal.received_at,
        labels=signal.labels,
        annotations=signal.annotations,
        generator_url=signal.generator_url,
        fingerprint=signal.fingerprint,
    )


def signal_of(episode: Episode) -> Signal:
    """Return the firing signal that an alert's episode came from, as far as it is kept."""
    return Signal(
        source=episode.source,
        episode=episode.episode,
        status=SignalStatus.FIRING,
        name=episode.name,
        subject=episode.subject,
        severity=episode.severity,
        starts_at=episode.starts_at,
        received_at=episode.last_seen_at,
        labels=episode.labels,
        annotations=episode.annotations,
        generator_url=episode.generator_url,
        fingerprint=episode.fingerprint,
    )

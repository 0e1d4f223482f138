"""What is counted about Slack, under ``/metrics``."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from triage.ports.store import Message

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class SlackMeters:
    """Counters of the sender; one set a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.posts = Counter("triage_slack_posts", "Messages that Slack has", ["kind"], registry=registry)
        self.edits = Counter("triage_slack_edits", "Edits that Slack has", ["kind"], registry=registry)
        self.failures = Counter(
            "triage_slack_failures",
            "Calls that failed, by what it means",
            ["failure", "code"],
            registry=registry,
        )
        self.plain = Counter(
            "triage_slack_plain",
            "Messages sent as plain text because Slack refused their blocks",
            registry=registry,
        )
        self.found = Counter(
            "triage_slack_found", "Posts with a lost answer that history showed", registry=registry
        )
        self.taken_back = Counter(
            "triage_slack_taken_back",
            "Extra copies that Slack posted late and that were deleted",
            registry=registry,
        )
        self.waited = Histogram(
            "triage_slack_post_seconds",
            "From asking for a message until Slack has it",
            ["kind"],
            buckets=_BUCKETS,
            registry=registry,
        )

    def posted(self, message: Message, seconds: float) -> None:
        """Count a post."""
        self.posts.labels(message.kind.value).inc()
        self.waited.labels(message.kind.value).observe(max(0.0, seconds))

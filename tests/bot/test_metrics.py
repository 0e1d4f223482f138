"""What of us does not work, as Prometheus reads it."""

from prometheus_client import CollectorRegistry, generate_latest

from bot.connections import ConnectionLimits
from bot.liveness import Liveness
from bot.metrics import ConnectionMeters, SelfMeters
from tests.fakes.clock import ManualClock


def test_troubles_faults_and_what_was_put_aside_are_numbers() -> None:
    """A trouble by its name, a loop's faults by the loop."""
    liveness = Liveness(ManualClock())
    liveness.failed("triage", ValueError("no such thing"))
    registry = CollectorRegistry()
    registry.register(SelfMeters(liveness, lambda: {"store": "the disk is full", "inbox": ""}, lambda: 3))
    page = generate_latest(registry).decode()
    assert 'triage_trouble{name="store"} 1.0' in page
    assert 'triage_trouble{name="inbox"} 0.0' in page
    assert "triage_signals_put_aside_total 3.0" in page
    assert 'triage_loop_faults_total{loop="triage"} 1.0' in page
    assert liveness.trouble("triage").endswith("and goes on: ValueError: no such thing")


def test_connections_that_were_closed_are_counted_by_why() -> None:
    """As they are at the moment of the question, also of a reason that came later."""
    limits = ConnectionLimits(lambda _: False)
    registry = CollectorRegistry()
    registry.register(ConnectionMeters(limits.closed))
    assert "triage_connections_closed_total{" not in generate_latest(registry).decode()
    limits.closed["no header"] += 2
    assert 'triage_connections_closed_total{why="no header"} 2.0' in generate_latest(registry).decode()

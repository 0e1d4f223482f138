"""Events as they stand on the desk's Redis streams: the envelope and each kind's own keys."""

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.desk.bot_model import Bot, Row

MARKET_DATA, SIGNAL, ML_SIGNAL = "hb.market_data.v1", "hb.signal.v1", "hb.ml_signal.v1"
RISK_DECISION, EXECUTION_INTENT = "hb.risk_decision.v1", "hb.execution_intent.v1"
AUDIT, DEAD_LETTER = "hb.audit.v1", "hb.dead_letter.v1"
MAX_LENGTH = {AUDIT: 100_000, DEAD_LETTER: 100_000}
USUAL_MAX_LENGTH = 50_000
CONTROLLER = "epp_v2_4"
INTENT_LIFE = 180.0


@dataclass(frozen=True, slots=True)
class Published:
    """One entry to be added to a stream: what stands in its field ``payload``, as a mapping."""

    stream: str
    payload: Mapping[str, Any]
    at: float


class Envelopes:
    """Makes events with ids of their own, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"{seed}-events")

    def event(
        self,
        stream: str,
        kind: str,
        producer: str,
        body: Mapping[str, Any],
        *,
        at: float,
        cause: str | None = None,
    ) -> Published:
        """Wrap a body; ``cause`` is the ``event_id`` of the event that led to it."""
        envelope = {
            "schema_version": "1.0",
            "event_type": kind,
            "event_id": str(uuid.UUID(int=self._dice.getrandbits(128), version=4)),
            "correlation_id": cause,
            "producer": producer,
            "timestamp_ms": int(at * 1000),
        }
        return Published(stream, {**envelope, **body}, at)

    def audit(
        self,
        bot: str,
        severity: str,
        category: str,
        message: str,
        *,
        at: float,
        metadata: Mapping[str, str] | None = None,
        cause: str | None = None,
        producer: str = "hummingbot",
    ) -> Published:
        """Return an audit event."""
        body = {
            "instance_name": bot,
            "severity": severity,
            "category": category,
            "message": message,
            "metadata": dict(metadata or {}),
        }
        return self.event(AUDIT, "audit", producer, body, at=at, cause=cause)

    def snapshot(self, bot: Bot, row: Row) -> Published:
        """Return a bot's market_snapshot of the minute."""
        body = {
            "instance_name": bot.name,
            "controller_id": CONTROLLER,
            "connector_name": "bitget_paper_trade",
            "trading_pair": bot.pair,
            "mid_price": row.mid,
            "equity_quote": row.equity,
            "base_pct": row.base_pct,
            "target_base_pct": row.target_base_pct,
            "spread_pct": row.spread_pct,
            "net_edge_pct": row.net_edge_pct,
            "turnover_x": row.turnover_x,
            "state": row.state,
            "extra": {"regime": row.regime, "risk_reasons": "|".join(row.reasons)},
        }
        return self.event(MARKET_DATA, "market_snapshot", "hummingbot", body, at=row.at)

    def intent(self, bot: str, target: float, at: float, cause: str) -> Published:
        """Return the coordination service's wish for a bot's base share."""
        body = {
            "instance_name": bot,
            "controller_id": CONTROLLER,
            "action": "set_target_base_pct",
            "target_base_pct": target,
            "expires_at_ms": int((at + INTENT_LIFE) * 1000),
            "metadata": {"source": "coordination"},
        }
        return self.event(
            EXECUTION_INTENT, "execution_intent", "coordination-service", body, at=at, cause=cause
        )

"""Processor time of masking a text, against that of parsing it as JSON: ``python -m bench.masking``.

Each text comes with other numbers every time. Ordinary ones, which hold nothing that looks like the beginning of a
secret, are nearly all that a desk says; an address and a word like "token" have the masking look twice.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence

from bench.figures import Figure, tell
from triage.masking import masked

TIMES, ROUNDS = 4_000, 5
LIMIT, LIMIT_OF_A_LOOK = 4.0, 60.0
ORDINARY = {
    "label": "hummingbot/hummingbot:2.3.{}",
    "annotation": "CPU of the container is above 85 % for {} minutes; see the runbook.",
    "log_line": "2026-02-21 10:34:01,{} - 42 - hummingbot.connector.exchange.bitget - WARNING - Order book message "
    "queue is slow: 1250 messages behind for SOL-USDT",
    "audit_event": "set_target_base_pct {}\naction: set_target_base_pct\ntarget: 0.5",
    "error": "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host api.bitget.com:443 ssl:default "
    "[Connection refused] (order {})",
}
LOOKED_AT = {
    "address": "http://prometheus:9090/graph?g0.expr=rate%28container_cpu_usage_seconds_total%5B{}m%5D%29&g0.tab=1",
    "token": "listen key {} expired: the token bucket is empty, login again",
}


def seconds(call: Callable[[str], object], texts: Sequence[str]) -> float:
    """Return the processor time of one call: the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for text in texts:
            call(text)
        best = min(best, time.process_time() - began)
    return best / len(texts)


def figures() -> list[Figure]:
    """Measure each sort of text."""
    found = []
    for name, pattern in {**ORDINARY, **LOOKED_AT}.items():
        texts = [pattern.format(number) for number in range(TIMES)]
        ours, peer = (
            seconds(masked, texts),
            seconds(json.loads, [json.dumps({"text": each}) for each in texts]),
        )
        limit = LIMIT if name in ORDINARY else LIMIT_OF_A_LOOK
        found += [
            Figure(f"masking_{name}", ours * 1e6, "µs"),
            Figure(f"masking_{name}_ratio_to_json", ours / peer, "ratio", limit),
        ]
    return found


if __name__ == "__main__":
    sys.exit(tell(figures()))

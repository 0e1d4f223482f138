"""Slack is away: a Sev-1 goes out over webhook and mail within the time, once, also across a kill."""

import json
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

from demo.slack import Fault
from tests.flows.harness import running_harness, shown
from tests.servers.receivers import receiving, relaying

AWAY = 100_000


async def test_a_sev1_goes_out_over_webhook_and_mail_while_slack_is_away(
    require: Callable[..., Path], tmp_path: Path
) -> None:
    """Within the time that is set, once on each channel though the service is killed, and told when Slack is back."""
    desk = {"fallback": {"after_seconds": 5}}
    async with receiving() as receiver, relaying() as (box, port):
        environment = {
            "TRIAGE_FALLBACK_WEBHOOK": receiver.url,
            "TRIAGE_FALLBACK_WEBHOOK_SECRET": "topsecret",
            "TRIAGE_FALLBACK_SMTP": f"smtp://127.0.0.1:{port}?from=bot@desk.example&to=ops@desk.example&tls=off",
        }
        async with running_harness(require, tmp_path, desk=desk, environment=environment) as harness:
            harness.slack.faults.add(Fault.http("chat.*", 503, AWAY))
            harness.exporter.set("bot1", state="hard_stop")
            await harness.until(
                lambda: harness.bot.log().count("sent over the fallback channel") == 2,
                "the fallback channels",
            )
            harness.bot.kill()
            await harness.bot.start()
            harness.slack.faults.clear()
            card = await harness.card(lambda card: "bot1" in card.text)
            await harness.until(
                lambda: any("went out over the fallback channels" in line for line in harness.thread(card)),
                "the thread that says so",
            )
        assert len(receiver.requests) == 1
        assert len(box.mails) == 1
    notice = json.loads(receiver.requests[0][2])
    assert notice["fallback"] is True
    assert notice["incidents"] == ["INC-1"]
    assert "Slack has not taken this" in notice["text"]
    assert receiver.requests[0][1]["X-Triage-Signature"].startswith("sha256=")
    assert message_from_bytes(box.mails[0][1])["Message-ID"] == f"<{notice['id']}@hbot-triage>"
    assert "Sev-1" in shown(card)

"""What init writes starts as it is: the real program in that folder, an alert, a card in Slack; on both layouts."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.commands.init import prepare, write
from bot.init.files import Asked
from bot.settings import load_settings
from demo.slack import SlackServer
from tests.bot.init import desks
from tests.flows.harness import CHANNEL, ROOT, shown
from tests.handlers.posting import alert, webhook
from tests.servers.http import plain_client
from tests.servers.process import LOOPBACK, ServerProcess, eventually, free_port
from tests.servers.prometheus import answers_ok


@pytest.mark.parametrize("layout", [desks.first, desks.later])
async def test_the_service_runs_on_what_init_wrote_without_an_edit(
    layout: Callable[[Path], Path], tmp_path: Path
) -> None:
    """Only where to listen and where Slack is come from outside; the webhook takes the token that init made."""
    root = layout(tmp_path / "desk")
    out = root / "hbot-triage"
    async with SlackServer() as slack:
        asked = Asked(slack.app.bot_token, slack.app.app_token, "C0TRIAGE01", ("U0ANA00001",))
        for change in prepare(root, out, asked).changes:
            write(change)
        token = load_settings({}, folder=out).triage_webhook_token.get_secret_value()
        port = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "SLACK_API_URL": slack.api_url,
            "TRIAGE_LISTEN": f"{LOOPBACK}:{port}",
        }
        command: list[str | Path] = ["env", "-C", out, sys.executable, "-m", "bot.cli", "run"]
        service = ServerProcess("hbot-triage", command, log=out / "service.log", env=environment)
        service.start()
        try:
            await service.ready(lambda: answers_ok(f"http://{LOOPBACK}:{port}/livez"), within=60)
            async with plain_client() as http:
                answer = await http.post(
                    f"http://{LOOPBACK}:{port}/webhooks/alertmanager",
                    json=webhook(alert()),
                    headers={"Authorization": f"Bearer {token}"},
                )
            assert answer.status_code == 200, answer.text

            async def posted() -> bool:
                return any("bot1 in hard stop" in shown(card) for card in slack.messages(CHANNEL))

            await eventually(posted, "the card", within=60)
        finally:
            await service.stop()
    assert not [change for change in prepare(root, out, Asked()).changes if change.differs]

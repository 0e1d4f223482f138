"""`python -m demo.slack [--port P]`: a server as its own process; prints one JSON line with its addresses."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

from demo.slack.page import workspace_page
from demo.slack.server import SlackServer
from demo.slack.settings import AppConfig


async def serve(port: int, request_url: str | None, *, rate_limits: bool, page: bool) -> None:
    """Serve until SIGTERM or SIGINT."""
    extend = workspace_page() if page else None
    app = AppConfig(request_url=request_url)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with SlackServer(app, port=port, rate_limits=rate_limits, extend=extend) as slack:
        addresses = {
            "base_url": slack.base_url,
            "api_url": slack.api_url,
            "bot_token": slack.app.bot_token,
            "app_token": slack.app.app_token,
            "signing_secret": slack.app.signing_secret,
        }
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="A local Slack server: Web API and Socket Mode.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--rate-limits", action="store_true", help="limit calls as Slack does")
    parser.add_argument("--page", action="store_true", help="serve the workspace page too")
    parser.add_argument("--request-url", help="POST signed requests here instead of using Socket Mode")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.request_url, rate_limits=options.rate_limits, page=options.page))


if __name__ == "__main__":
    main()

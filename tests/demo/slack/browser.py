"""Chromium with the workspace page open: helpers for the tests, and the measure of how fast a post is seen."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page
    from slack_sdk.web.async_client import AsyncWebClient

ARTIFACTS = Path(__file__).parents[3] / "artifacts"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
)

expect.set_options(timeout=20_000)  # browser, server and page share a busy machine


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run the system's Chromium, headless."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


async def visit(page: Page, base_url: str, place: str = "desk-alerts", user: str = "ana") -> None:
    """Open a place as somebody and wait until the page is live."""
    await page.goto(f"{base_url}/w/{user}/{place}")
    await page.wait_for_selector("body[data-live]")


async def keep(page: Page, name: str) -> None:
    """Save a picture of the page below artifacts/; ``name``: folder and name."""
    path = ARTIFACTS / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=path)


async def seconds_until_seen(page: Page, client: AsyncWebClient, channel: str, count: int) -> list[float]:
    """Post `count` messages, one after the other; return for each the seconds from the call to its appearance."""
    took = []
    for number in range(count):
        text = f"latency probe {number}"
        seen = page.locator("main .message .text", has_text=text).first
        since = perf_counter()
        await client.chat_postMessage(channel=channel, text=text)
        await seen.wait_for(timeout=20_000)
        took.append(perf_counter() - since)
    return took

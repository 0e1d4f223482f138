"""Makes the pictures of the README from the real page: ``python -m tools.pictures [FOLDER]``.

What they show is kept beside them as a digest (``MADE_OF``); a test fails where that is another one today.

Starts the demo, lets a deploy go wrong, and takes the channel, the thread, the modal and a KPI digest as they are shown.
"""

from __future__ import annotations

import ast
import asyncio
import json
import sys
from hashlib import sha256
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from bot.slack.blocks.card import incident_card
from bot.slack.blocks.triage import triage_message
from tests.bot.slack.blocks import samples
from tests.demo.process import running_demo
from tests.demo.slack.browser import chromium

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
MADE_OF = "made-of.txt"
SHOWN = (
    *(
        f"bot/charts/{name}.py"
        for name in ("canvas", "day", "frame", "incident", "panels", "scales", "theme")
    ),
    "demo/slack/page/static/*.css",
    "demo/slack/page/templates/*",
)
"""Files that decide how a picture looks, beside what the blocks say."""
SCENARIO = "stale-bytecode"
SOON, LATER = 20_000, 90_000
"""Milliseconds."""


def made_of() -> str:
    """Return the digest of what the pictures show: a card and its triage, the page's look, the charts."""
    view = samples.view()
    digest = sha256()
    if view.run is not None:
        for shown in (
            incident_card(view, samples.NOW, samples.names),
            triage_message([view.run], samples.NOW, "h"),
        ):
            digest.update(json.dumps(shown.blocks, sort_keys=True).encode())
    for pattern in SHOWN:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(_drawing(path))
    return digest.hexdigest()


def _drawing(path: Path) -> bytes:
    """Return what a file draws: of Python without comments and docstrings, which may change without a new picture."""
    if path.suffix != ".py":
        return path.read_bytes()
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [
                each
                for each in node.body
                if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
            ] or [ast.Pass()]
    return ast.unparse(tree).encode()


async def main(folder: Path) -> None:
    """Take all of them into ``folder``, which exists."""
    async with running_demo() as demo, chromium() as browser:
        await demo.ready()
        context = await browser.new_context(
            viewport={"width": 1280, "height": 820}, device_scale_factor=2, color_scheme="light"
        )
        page = await context.new_page()
        await page.goto(f"{demo.url}/")
        await page.wait_for_selector("body[data-live]")
        await page.get_by_role("button", name="Close the tour").click(timeout=SOON)
        await channel(page, folder / "channel.png")
        await thread(page, folder / "thread.png")
        await modal(page, folder / "modal.png")
        await digest(page, folder / "digest.png")
    (folder / MADE_OF).write_text(f"{made_of()}\n")


def card_of(page: Page) -> Locator:
    """Return the incident's message."""
    return page.locator("main .message", has_text="error spike").first


async def channel(page: Page, file: Path) -> None:
    """An incident in the channel, with the panel beside it."""
    await page.locator(f'[data-key="start-{SCENARIO}"]').click()
    await expect(card_of(page)).to_contain_text("Do: ", timeout=LATER)
    await expect(page.locator(".p-chip")).to_have_text("triaged", timeout=SOON)
    await expect(card_of(page)).to_contain_text("reply", timeout=SOON)
    await settled(page)
    await page.screenshot(path=file)


async def thread(page: Page, file: Path) -> None:
    """Its thread, with every check."""
    await card_of(page).locator(".replies").click()
    shown = page.locator("#thread")
    await expect(shown).to_contain_text("Triage", timeout=SOON)
    await page.locator("#thread .message").nth(1).evaluate("first => first.scrollIntoView()")
    await settled(page)
    await shown.screenshot(path=file)


async def modal(page: Page, file: Path) -> None:
    """The form that shows what an action will do."""
    await card_of(page).locator('[data-action="action.clear_cache"]').first.click()
    shown = page.locator("#modal")
    await expect(shown).to_contain_text("force-recreate", timeout=SOON)
    await shown.get_by_label("Reason").fill("2.4.1 was deployed over old bytecode")
    await settled(page)
    await shown.screenshot(path=file)
    await page.keyboard.press("Escape")


async def digest(page: Page, file: Path) -> None:
    """A KPI digest with its picture."""
    await page.locator('.side a[data-open="desk-digest"]').click()
    # Not "main textarea": for a moment that is still the one of the channel before.
    box = page.get_by_label("Message #desk-digest")
    await box.fill("/triage kpi bot1 24h share")
    await box.press("Enter")
    await expect(page.locator("main .messages")).to_contain_text("bot1", timeout=LATER)
    await expect(page.locator("main .picture img").first).to_be_visible(timeout=LATER)
    await settled(page)
    await page.screenshot(path=file)


async def settled(page: Page) -> None:
    """Let animations and the mark of an edit end."""
    await page.mouse.move(2, 400)
    await page.wait_for_timeout(2_500)


if __name__ == "__main__":
    wanted = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    wanted.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(wanted))

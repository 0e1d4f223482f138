"""Pictures of the demo's scenarios to look at: ``python -m tools.scenes FOLDER [NAME …]``.

Each scenario is played to its end. Its card and its thread are taken when it is triaged and when it is over, at 1,360 and
at 375 pixels, light and dark, with a text file of all that was said.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page

from demo.desk.scenarios import SCENARIOS
from demo.progress import Phase
from demo.slack import Message
from tests.demo.running import DemoUnderTest, demo_under_test
from tests.demo.slack.browser import chromium, visit
from tests.flows.test_demo_scenarios import CURES, triaged

SIZES = {1360: 900, 375: 740}
"""Width and height in pixels: a desktop and a phone."""
THEMES = ("light", "dark")
SETTLE, OVER = 6.0, 40.0
"""Seconds until the card and its thread stand still after a change, and until the chart of the end is in the thread."""


async def main(folder: Path, names: list[str]) -> None:
    """Take the scenarios one after the other."""
    async with chromium() as browser:
        for name in names:
            with tempfile.TemporaryDirectory() as made_in:
                await scene(browser, Path(made_in), name, folder)


async def scene(browser: Browser, made_in: Path, name: str, folder: Path) -> None:
    """Play one scenario; one that does not come to its end is said, and its pictures are kept."""
    async with demo_under_test(made_in, page=True) as tested:
        try:
            await triaged(tested, name)
            await asyncio.sleep(SETTLE)
            await look(browser, tested, card_of(tested, name), folder / f"{name}-1")
            await CURES[name](tested)
            await tested.reaches(name, Phase.CURED, seconds=300)
        except AssertionError as error:
            print(f"{name}: {str(error).splitlines()[0]}")  # noqa: T201 - a tool for the terminal
        await asyncio.sleep(OVER)
        await look(browser, tested, card_of(tested, name), folder / f"{name}-2")


def card_of(tested: DemoUnderTest, name: str) -> Message:
    """Return the card of the scenario's own incident, as it is now; others that it draws along are not it."""
    incident = tested.runner.runs[name].incident
    shown = [one for one in tested.cards() if "INC-" in one.text]
    own = [one for one in shown if incident is not None and f"INC-{incident.id} " in one.text]
    return (own or shown)[-1]


async def look(browser: Browser, tested: DemoUnderTest, card: Message, stem: Path) -> None:
    """Take an incident's card and thread in every size and theme."""
    stem.with_suffix(".txt").write_text(tested.story())
    for width, height in SIZES.items():
        for theme in THEMES:
            context = await browser.new_context(viewport={"width": width, "height": height})
            await context.add_cookies([{"name": "theme", "value": theme, "url": tested.slack.base_url}])
            page = await context.new_page()
            await visit(page, tested.slack.base_url, user="vik")
            await tour_closed(page)
            await card_shot(page, card, Path(f"{stem}-{width}-{theme}-card.png"))
            await thread_shot(page, tested, card, Path(f"{stem}-{width}-{theme}-thread.png"))
            await context.close()


async def tour_closed(page: Page) -> None:
    """Close the tour where there is one."""
    close = page.get_by_role("button", name="Close the tour")
    if await close.count():
        await close.click()


async def card_shot(page: Page, card: Message, file: Path) -> None:
    """Take the screen with the card at its top."""
    shown = page.locator(f'[id="m-{card.ts}"]').first
    await shown.evaluate("card => card.scrollIntoView({block: 'start'})")
    await page.wait_for_timeout(400)
    await page.screenshot(path=file)


async def thread_shot(page: Page, tested: DemoUnderTest, card: Message, file: Path) -> None:
    """Take the whole thread, as high as it is."""
    await page.goto(f"{tested.slack.base_url}/w/vik/desk-alerts?thread={card.ts}")
    await page.wait_for_selector("body[data-live]")
    await tour_closed(page)
    size = page.viewport_size or {"width": 1360, "height": 900}
    high = await page.evaluate(
        "() => Math.max(...[...document.querySelectorAll('#thread, #thread *')].map(one => one.scrollHeight))"
    )
    await page.set_viewport_size({"width": size["width"], "height": min(6000, int(high) + 200)})
    await page.wait_for_timeout(400)
    await page.locator("#thread").screenshot(path=file)


if __name__ == "__main__":
    reader = argparse.ArgumentParser(
        prog="python -m tools.scenes", description="Take pictures of the demo's scenarios."
    )
    reader.add_argument("folder", type=Path, help="where the pictures go")
    reader.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(SCENARIOS)}; all, if none is given"
    )
    wanted = reader.parse_args()
    if unknown := set(wanted.names) - set(SCENARIOS):
        reader.error(f"no scenario is called {', '.join(sorted(unknown))}")
    wanted.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(wanted.folder, wanted.names or list(SCENARIOS)))

"""The whole demo in a real browser: a scenario from its button to the truth, as a user goes through it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.demo.process import Demo, running_demo
from tests.demo.slack.browser import chromium, keep
from tests.servers.http import plain_client

# One demo for all of them: the first leaves a desk that was set up anew, the second one that is cured.
pytestmark = [pytest.mark.xdist_group("demo-page"), pytest.mark.asyncio(loop_scope="module")]
REAL_TIME, FAST = "1\N{MULTIPLICATION SIGN}", "60\N{MULTIPLICATION SIGN}"
PATIENCE = 90_000
"""Milliseconds for what takes desk time."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo() -> AsyncIterator[Demo]:
    """Run the demo."""
    async with running_demo() as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Run Chromium for all of them: each opens a profile of its own."""
    async with chromium() as one:
        yield one


async def opened(
    browser: Browser, demo: Demo, troubles: list[str], width: int = 1440, scheme: str = "light"
) -> Page:
    """Open the page; what its console complains of lands in ``troubles``."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900 if width > 800 else 800},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",  # what moves without end is drawn anew without end
    )
    page = await context.new_page()
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    await page.goto(f"{demo.url}/")
    await page.wait_for_selector("body[data-live]", timeout=60_000)
    return page


@pytest.mark.timeout(200)
async def test_the_panel_on_a_phone_in_the_dark_and_what_is_remembered(demo: Demo, browser: Browser) -> None:
    """The panel is a button away and scrolls alone; the tour, dismissed once, stays away; speeds and reset act."""
    troubles: list[str] = []
    await demo.ready()
    page = await opened(browser, demo, troubles, width=375, scheme="dark")
    await expect(page.locator(".tour")).to_be_visible()
    await keep(page, "demo/phone")
    await page.get_by_role("button", name="Close the tour").click()
    await page.reload()
    await page.wait_for_selector("body[data-live]", timeout=60_000)
    await expect(page.locator(".tour")).to_have_count(0)
    await page.locator(".panel-toggle").click()
    await expect(page.locator(".p-segments")).to_be_visible()
    await keep(page, "demo/phone-panel")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    await page.get_by_role("button", name=FAST).click()
    await expect(page.locator(".p-speed")).to_have_text(FAST)
    await page.get_by_role("button", name="Auto").click()
    await expect(page.locator(".p-speed")).to_have_text(REAL_TIME)
    await page.get_by_role("button", name="Show the tour").click()
    await expect(page.locator(".tour")).to_be_visible()
    await page.locator(".panel-toggle").click()
    async with page.expect_navigation(timeout=30_000):  # another desk: the page loads itself anew
        await page.get_by_role("button", name="Reset the desk").click()
    await demo.ready()
    assert troubles == []


@pytest.mark.timeout(300)
async def test_a_scenario_from_its_button_to_the_truth(demo: Demo, browser: Browser) -> None:
    """Start → card without reload → thread → action with a reason → recovered → the panel tells the truth."""
    troubles: list[str] = []
    page = await opened(browser, demo, troubles)
    await page.evaluate("window.same = true")
    await expect(page.locator(".tour")).to_contain_text("Let something go wrong", timeout=30_000)
    await expect(page.locator(".p-bots li")).to_have_count(3)
    await keep(page, "demo/idle")
    await page.get_by_role("button", name="Start: Frozen bot").click()
    scenario = page.locator('[data-scenario="frozen-bot"]')
    await expect(scenario.locator(".p-chip")).to_have_text("pending")
    await expect(page.locator(".tour")).to_contain_text("Its alert is pending")
    await expect(page.get_by_role("button", name="Start: Redis dies")).to_be_disabled()
    await keep(page, "demo/pending")

    card = page.locator("main .message", has_text="bot1 frozen").first
    await expect(card).to_contain_text("Do: ", timeout=PATIENCE)
    await expect(scenario.locator(".p-chip")).to_have_text("triaged")
    await expect(page.locator(".p-speed")).to_have_text(REAL_TIME)
    await keep(page, "demo/triaged")
    await scenario.get_by_role("button", name="thread").click()
    await expect(page.locator("#thread .message", has_text="Triage ·")).to_be_visible(timeout=15_000)
    await keep(page, "demo/thread")

    await card.get_by_role("button", name="Restart on bot1…").first.click()
    modal = page.locator("#modal")
    await expect(modal).to_contain_text("hbot-bot1", timeout=15_000)
    await modal.get_by_label("Reason").fill("it does nothing any more")
    await expect(modal).to_have_css("opacity", "1")
    await keep(page, "demo/modal")
    await modal.get_by_role("button", name="Confirm").click()
    await expect(modal).to_contain_text("It runs now")
    await modal.get_by_role("button", name="Close").last.click()
    await expect(page.locator("#thread")).to_contain_text("recovered", timeout=PATIENCE)
    await page.get_by_role("button", name="Close the thread").click()
    await expect(scenario.locator(".p-truth")).to_contain_text("The bot's verdict named it", timeout=PATIENCE)
    await expect(scenario.locator(".p-truth")).to_contain_text("A right remedy was used")
    await expect(card).to_contain_text("Resolved", ignore_case=True, timeout=PATIENCE)
    await keep(page, "demo/cured")
    assert await page.evaluate("window.same"), "the page was never loaded again"
    assert troubles == []


async def test_only_what_the_panel_offers_is_done(demo: Demo) -> None:
    """Unknown scenarios, verbs and speeds, and a second scenario at once, are refused with a sentence."""
    await demo.ready()
    async with plain_client(demo.url) as http:
        assert (await http.post("/panel/start", json={"name": "nonsense"})).status_code == 400
        assert (await http.post("/panel/nonsense", json={})).status_code == 400
        assert (await http.post("/panel/speed", json={"speed": 1e9})).status_code == 409
        assert (await http.post("/panel/start", json={"name": "frozen-bot"})).status_code == 200
        second = await http.post("/panel/start", json={"name": "redis-dies"})
        assert second.status_code == 409
        assert "still goes on" in second.json()["error"]
        elsewhere = await http.get("/panel/state", headers={"Host": "evil.example"})
        assert elsewhere.status_code == 403

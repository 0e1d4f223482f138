"""The workspace page in a real browser, with a real bolt app behind it."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, Literal

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import expect
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import SlackServer, Timing
from demo.slack.page import PageOptions, install, workspace_page
from demo.slack.settings import BOT_SCOPES, AppConfig
from tests.demo.slack.browser import chromium, keep, visit
from tests.demo.slack.shapes import buttons, modal
from tests.demo.slack.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import BrowserContext, Page, WebSocketRoute
    from slack_bolt.async_app import AsyncAck

    Connected = Callable[..., AbstractAsyncContextManager[list[Any]]]

CHANNEL = "C0TRIAGE01"
# On one worker: to start Chromium for each of several takes longer than most tests.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("slack-page")]
Body = dict[str, Any]


@pytest_asyncio.fixture(loop_scope="module")
async def slack() -> AsyncIterator[SlackServer]:
    """Start a server with its page."""
    app = AppConfig(scopes=(*BOT_SCOPES, "files:read"))
    page = workspace_page(PageOptions())
    async with SlackServer(app, Timing(ack=1.0, trigger=3.0), extend=page) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def profile() -> AsyncIterator[BrowserContext]:
    """Run Chromium for all of them, with one profile: to start it, or to open one, takes longer than most tests."""
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        await context.new_page()  # its window stays open
        yield context


@pytest_asyncio.fixture(loop_scope="module")
async def page(profile: BrowserContext) -> AsyncIterator[Page]:
    """Open a page whose console must stay free of errors; what it stores belongs to its server's port, cookies go."""
    troubles: list[str] = []
    opened = await profile.new_page()
    opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    yield opened
    await opened.close()
    await profile.clear_cookies()
    assert troubles == []


@pytest.fixture
def form_app(bolt: AsyncApp) -> AsyncApp:
    """Return an app whose button opens a form, which it accepts at the second try."""
    tries: list[int] = []

    @bolt.action("open")
    async def on_open(ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(title="Silence INC-42"))

    @bolt.view("form")
    async def on_submit(ack: AsyncAck, view: Body, client: AsyncWebClient) -> None:
        tries.append(1)
        if len(tries) == 1:
            await ack(response_action="errors", errors={"reason": "Say who looks meanwhile."})
            return
        await ack()
        reason = view["state"]["values"]["reason"]["reason"]["value"]
        await client.chat_postMessage(channel=CHANNEL, text=f"silenced: {reason}")

    return bolt


async def test_a_new_message_an_edit_and_a_deletion_show_without_a_reload(
    slack: SlackServer, client: AsyncWebClient, page: Page
) -> None:
    """The page is live: the same element changes in place and says (edited), then goes."""
    await visit(page, slack.base_url)
    posted = await client.chat_postMessage(channel=CHANNEL, text="bot1 *hard_stop* & <nothing>")
    message = page.locator(f'main .message[data-ts="{posted["ts"]}"]')
    await expect(message.locator(".text")).to_have_text("bot1 hard_stop & <nothing>")
    await expect(message.locator(".text strong")).to_have_text("hard_stop")
    await client.chat_update(channel=CHANNEL, ts=posted["ts"], text="resolved")
    await expect(message).to_contain_text("resolved (edited)")
    await expect(page.locator("main .message")).to_have_count(1)
    slack.delete(slack.messages(CHANNEL)[0])
    await expect(page.locator("main .message")).to_have_count(0)


async def test_a_thread_opens_counts_and_takes_replies(
    slack: SlackServer, client: AsyncWebClient, page: Page
) -> None:
    """The parent shows how many replies there are; the pane takes new ones; Esc closes it."""
    parent = await client.chat_postMessage(channel=CHANNEL, text="alert")
    await client.chat_postMessage(channel=CHANNEL, text="triage", thread_ts=parent["ts"])
    await visit(page, slack.base_url)
    await page.get_by_role("button", name="1 reply").click()
    thread = page.locator("#thread")
    await expect(thread.locator(".message")).to_have_count(2)
    await thread.get_by_label("Reply", exact=True).fill("on it")
    await page.keyboard.press("Enter")
    await expect(thread.locator(".message")).to_have_count(3)
    await expect(thread.locator(".count")).to_have_text("2 replies")
    await expect(page.locator("main .replies")).to_contain_text("2 replies")
    await keep(page, "slack/thread")
    await page.keyboard.press("Escape")
    await expect(thread).to_be_hidden()
    assert [message.user for message in slack.thread(slack.messages(CHANNEL)[0])] == [
        "U0TRIAGE01",
        "U0ANA00001",
    ]


async def test_a_button_opens_its_modal_which_says_what_is_wrong_and_closes_when_right(
    slack: SlackServer, client: AsyncWebClient, page: Page, form_app: AsyncApp, connected: Connected
) -> None:
    """Slack's own check, then the app's error, then success; what was typed stays; the focus is in the modal."""
    await client.chat_postMessage(channel=CHANNEL, text="a", blocks=buttons("open"))
    async with connected(form_app):
        await visit(page, slack.base_url)
        await page.get_by_role("button", name="open").click()
        dialog = page.get_by_role("dialog", name="Silence INC-42")
        await expect(dialog.get_by_label("Reason")).to_be_focused()
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog.get_by_role("alert")).to_have_text("Please complete this required field.")
        await dialog.get_by_label("How long").select_option("4")
        await dialog.get_by_label("Reason").fill("maintenance")
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog.get_by_role("alert")).to_have_text("Say who looks meanwhile.")
        await expect(dialog.get_by_label("Reason")).to_have_value("maintenance")
        await expect(dialog.get_by_label("How long")).to_have_value("4")
        await keep(page, "slack/modal")
        await dialog.get_by_label("Reason").fill("maintenance, ben looks")
        await page.keyboard.press("Control+Enter")
        await expect(dialog).to_be_hidden()
        await expect(page.locator("main .messages")).to_contain_text("silenced: maintenance, ben looks")


async def test_the_focus_stays_in_the_modal_and_escape_closes_it(
    slack: SlackServer, client: AsyncWebClient, page: Page, form_app: AsyncApp, connected: Connected
) -> None:
    """Tab never leaves the dialog; after Esc the focus is back on the button and the server knows."""
    await client.chat_postMessage(channel=CHANNEL, text="a", blocks=buttons("open"))
    async with connected(form_app):
        await visit(page, slack.base_url)
        await page.get_by_role("button", name="open").click()
        await page.wait_for_selector("#modal[open]")
        for _ in range(12):
            await page.keyboard.press("Tab")
            place = "['BODY'].includes(document.activeElement.tagName) || !!document.activeElement.closest('#modal')"
            assert await page.evaluate(place)
        await page.keyboard.press("Escape")
        await expect(page.locator("#modal")).to_be_hidden()
        await expect(page.get_by_role("button", name="open")).to_be_focused()
        assert slack.member("ana").modal is None


async def test_a_confirm_dialog_asks_first_and_then_acts(
    slack: SlackServer, client: AsyncWebClient, page: Page, bolt: AsyncApp, connected: Connected
) -> None:
    """No sends nothing; yes sends the click."""
    seen: list[str] = []

    @bolt.action("kill")
    async def on_kill(ack: AsyncAck, body: Body) -> None:
        await ack()
        seen.append(body["user"]["id"])

    blocks: list[Body] = buttons("kill")
    words = {"title": "Stop bot1?", "text": "It cancels all orders.", "confirm": "Stop it", "deny": "Keep it"}
    blocks[1]["elements"][0]["confirm"] = {
        name: {"type": "plain_text", "text": text} for name, text in words.items()
    } | {"style": "danger"}
    await client.chat_postMessage(channel=CHANNEL, text="a", blocks=blocks)
    async with connected(bolt):
        await visit(page, slack.base_url, user="ben")
        await page.get_by_role("button", name="kill").click()
        await expect(page.locator("#confirm")).to_contain_text("It cancels all orders.")
        await keep(page, "slack/confirm")
        await page.get_by_role("button", name="Keep it").click()
        await expect(page.locator("#confirm")).to_be_hidden()
        assert seen == []
        await page.get_by_role("button", name="kill").click()
        await page.get_by_role("button", name="Stop it").click()
        await eventually(lambda: seen == ["U0BEN00001"])


async def test_a_click_the_app_does_not_take_is_told(
    slack: SlackServer, client: AsyncWebClient, page: Page
) -> None:
    """Without a connected app a sign stands by the button and a line says why."""
    await client.chat_postMessage(channel=CHANNEL, text="a", blocks=buttons("open"))
    await visit(page, slack.base_url)
    await page.get_by_role("button", name="open").click()
    await expect(page.locator(".toast")).to_have_text("The app is not connected.")
    await expect(page.locator(".failed")).to_be_visible()


async def test_a_slash_command_is_completed_by_keyboard_and_answered_privately(
    slack: SlackServer, page: Page, bolt: AsyncApp, connected: Connected
) -> None:
    """`/` lists commands, then words; Tab completes; the answer is for the asker alone."""

    @bolt.command("/triage")
    async def on_command(ack: AsyncAck, command: Body) -> None:
        await ack(f"answer to {command['text']}")

    async with connected(bolt):
        await visit(page, slack.base_url)
        box = page.get_by_label("Message #desk-alerts")
        await box.press_sequentially("/tri")
        await page.keyboard.press("Tab")
        await box.press_sequentially("sta")
        await expect(page.get_by_role("option")).to_have_count(1)
        await keep(page, "slack/completion")
        await page.keyboard.press("Enter")
        await expect(box).to_have_value("/triage status ")
        await page.keyboard.press("Enter")
        answer = page.locator("main .message.private")
        await expect(answer).to_contain_text("Only visible to you")
        await expect(answer).to_contain_text("answer to status")
        await visit(page, slack.base_url, user="vik")
        await expect(page.locator("main .message")).to_have_count(0)


async def test_menus_in_a_message_send_what_is_chosen(
    slack: SlackServer, client: AsyncWebClient, page: Page, bolt: AsyncApp, connected: Connected
) -> None:
    """A select, checkboxes and an overflow menu each send their option."""
    seen: list[object] = []
    options = [{"text": {"type": "plain_text", "text": f"Option {n}"}, "value": f"o{n}"} for n in (1, 2)]

    async def on_choice(ack: AsyncAck, action: Body) -> None:
        await ack()
        chosen = action.get("selected_options") or [action["selected_option"]]
        seen.append([option["value"] for option in chosen])

    for name in ("window", "which", "more"):
        bolt.action(name)(on_choice)
    placeholder = {"type": "plain_text", "text": "Window"}
    elements: list[Body] = [
        {"type": "static_select", "action_id": "window", "options": options, "placeholder": placeholder},
        {"type": "checkboxes", "action_id": "which", "options": options},
        {"type": "overflow", "action_id": "more", "options": options},
    ]
    await client.chat_postMessage(
        channel=CHANNEL, text="a", blocks=[{"type": "actions", "elements": elements}]
    )
    async with connected(bolt):
        await visit(page, slack.base_url)
        await page.get_by_label("Window").select_option("o2")
        await eventually(lambda: len(seen) == 1)
        await page.get_by_role("checkbox", name="Option 1").check()
        await eventually(lambda: len(seen) == 2)
        await page.get_by_label("More actions").click()
        await page.get_by_role("menuitem", name="Option 2").click()
        await eventually(lambda: len(seen) == 3)
    assert seen == [["o2"], ["o1"], ["o2"]]


async def test_the_home_tab_is_asked_for_and_shown_live(
    slack: SlackServer, page: Page, bolt: AsyncApp, connected: Connected
) -> None:
    """Opening it tells the app; what the app publishes appears, also the second time."""
    opened: list[str] = []

    @bolt.event("app_home_opened")
    async def on_home(event: Body, client: AsyncWebClient) -> None:
        opened.append(event["user"])
        header = {"type": "header", "text": {"type": "plain_text", "text": "Desk at a glance"}}
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [header]})

    async with connected(bolt):
        await visit(page, slack.base_url, place="home")
        await expect(page.locator("main .home-view")).to_contain_text("Desk at a glance")
        assert set(opened) == {"U0ANA00001"}  # an event that is acknowledged late is sent again
        body = {
            "type": "home",
            "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Later"}}],
        }
        slack.modals.publish("U0ANA00001", body)
        await expect(page.locator("main .home-view")).to_have_text("Later")


def tiny_png() -> bytes:
    """Return an image of 2 by 2 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" + b"\x20\x90\x60" * 2 for _ in range(2)))
    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def test_an_uploaded_chart_is_visible_with_its_description(
    slack: SlackServer, client: AsyncWebClient, page: Page
) -> None:
    """The image is loaded and has its alt text; a text file shows its first lines."""
    await visit(page, slack.base_url)
    await client.files_upload_v2(
        channel=CHANNEL, filename="day.png", title="bot1", alt_txt="Equity fell 2.6 %", content=tiny_png()
    )
    await client.files_upload_v2(
        channel=CHANNEL, filename="pm.md", title="Post-mortem", content="# INC-42\nlines"
    )
    image = page.get_by_role("img", name="Equity fell 2.6 %")
    await expect(image).to_be_visible()
    await expect(image).to_have_js_property("naturalWidth", 2)
    await expect(page.locator(".paper pre")).to_contain_text("# INC-42")


async def test_unread_marks_come_live_and_go_when_read(
    slack: SlackServer, client: AsyncWebClient, page: Page
) -> None:
    """Another channel counts what came; opening it clears the mark, for the next visit too."""
    await visit(page, slack.base_url)
    for number in range(3):
        await client.chat_postMessage(channel="C0DIGEST01", text=f"digest {number}")
    link = page.locator('.side a[data-channel="C0DIGEST01"]')
    await expect(link.locator(".badge")).to_have_text("3")
    await link.click()
    await expect(page.locator("main .message")).to_have_count(3)
    await expect(link.locator(".badge")).to_have_text("")
    await visit(page, slack.base_url)
    await expect(link.locator(".badge")).to_have_text("")


async def test_nothing_is_missed_while_the_connection_was_gone(
    slack: SlackServer, client: AsyncWebClient, page: Page
) -> None:
    """The page says that it reconnects, comes back by itself, and shows what came meanwhile."""
    lines: list[WebSocketRoute] = []

    async def through(line: WebSocketRoute) -> None:
        lines.append(line)
        line.connect_to_server()

    await page.route_web_socket("**/live", through)
    await visit(page, slack.base_url)
    await lines[0].close()
    await expect(page.locator("body[data-live]")).to_have_count(0)
    await client.chat_postMessage(channel=CHANNEL, text="meanwhile")
    await page.wait_for_selector("body[data-live]")
    await expect(page.locator("main .message")).to_have_count(1)
    await expect(page.locator(".link-state")).to_be_hidden()
    assert len(lines) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_readable_on_a_phone(
    slack: SlackServer, client: AsyncWebClient, page: Page, scheme: Literal["light", "dark"]
) -> None:
    """At 375 pixels nothing is wider than the screen; channels are behind the menu button."""
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size({"width": 375, "height": 760})
    blocks: list[Body] = [*buttons(*(f"Some action {n}" for n in range(6)))]
    blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": "`" + "x" * 300 + "`"}})
    await client.chat_postMessage(channel=CHANNEL, text="a", blocks=blocks)
    await visit(page, slack.base_url)
    await expect(page.locator(".side")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") == 375
    assert await page.evaluate("document.querySelector('main .scroller').scrollWidth") == 375
    await keep(page, f"slack/phone-{scheme}")
    await page.get_by_role("button", name="Channels").click()
    await page.get_by_role("link", name="desk-digest").click()
    await expect(page.locator("main h1")).to_contain_text("desk-digest")
    await expect(page.locator(".side")).to_be_hidden()


async def test_five_hundred_messages_are_shown_and_stay_live(
    slack: SlackServer, client: AsyncWebClient, page: Page
) -> None:
    """All are there, the newest in view, and a new one still comes in at the end."""
    for number in range(499):
        await client.chat_postMessage(channel=CHANNEL, text=f"m{number}", blocks=buttons("x", "y"))
    await visit(page, slack.base_url)
    await expect(page.locator("main .message")).to_have_count(499)
    await client.chat_postMessage(channel=CHANNEL, text="the newest")
    newest = page.locator("main .message").last
    await expect(newest).to_contain_text("the newest")
    await expect(newest).to_be_in_viewport()


async def test_a_panel_is_filled_by_another_part_of_the_demo(page: Page) -> None:
    """Its module gets the element and the workspace, which acts and listens; the button hides it."""
    source = """
        export default (element, workspace) => {
            element.textContent = `panel of ${workspace.user}`;
            workspace.on("message", (note) => { element.dataset.last = note.kind; });
        };
    """

    def extend(server: SlackServer, application: web.Application) -> None:
        async def script(_: web.Request) -> web.StreamResponse:
            return web.Response(text=source, content_type="text/javascript")

        application.router.add_get("/panel.js", script)
        install(server, application, PageOptions(panel_script="/panel.js"))

    async with SlackServer(extend=extend) as slack:
        await visit(page, slack.base_url)
        panel = page.locator("#panel")
        await expect(panel).to_have_text("panel of ana")
        slack.member("ben").say(CHANNEL, "hello")
        await expect(panel).to_have_attribute("data-last", "posted")
        await page.get_by_role("button", name="Scenarios").click()
        await expect(panel).to_be_hidden()


async def test_the_theme_button_is_remembered(slack: SlackServer, page: Page) -> None:
    """It switches to the other of light and dark and survives a reload."""
    await page.emulate_media(color_scheme="light")
    await visit(page, slack.base_url)
    await page.get_by_role("button", name="Light or dark").click()
    await visit(page, slack.base_url)
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")

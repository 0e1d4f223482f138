"""Turns the workspace into HTML for one viewer: whole pages, panes, single messages, the open modal."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from demo.slack.blockkit import walk
from demo.slack.inputs import initial_state
from demo.slack.page import dates, timeline
from demo.slack.page.markdown import markdown
from demo.slack.page.rich import rich_text
from demo.slack.page.text import Text
from demo.slack.settings import SLACKBOT

if TYPE_CHECKING:
    from datetime import datetime

    from markupsafe import Markup

    from demo.slack.model import Channel, Json, Message, User
    from demo.slack.page.options import PageOptions
    from demo.slack.server import SlackServer

HERE = Path(__file__).parent
HUES = 8
PREVIEW_LINES, PREVIEW_CHARACTERS = 14, 1200


class Reads:
    """How far each person has read each channel."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, str], str] = {}

    def mark(self, user: str, channel: Channel) -> None:
        """Note that `user` has seen everything in `channel`."""
        newest = [*channel.messages, *(message.ts for message in channel.ephemerals)]
        self._marks[user, channel.id] = max(newest, default="")

    def of(self, user: str, channel_id: str) -> str:
        """Return the `ts` up to which a channel is read."""
        return self._marks.get((user, channel_id), "")


class Renderer:
    """Renders with Jinja templates; every value is escaped unless `text`, `rich` or `markdown` made it."""

    def __init__(self, server: SlackServer, options: PageOptions) -> None:
        self._server = server
        self._options = options
        self.reads = Reads()
        self._jinja = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals.update(
            options=options,
            workspace=server.workspace,
            app=server.app,
            markdown=markdown,
            clock=dates.clock,
            full=dates.full,
            address=self._address,
            preview=self._preview,
            people=self._people,
            hue=lambda user: sum(user.name.encode()) % HUES,
            bar_colour=_bar_colour,
            commands=[dataclasses.asdict(command) for command in options.commands],
        )

    def _fill(self, template: str, viewer: User, **values: Any) -> str:  # noqa: ANN401 - template values
        now = self._now()
        text = Text(self._server.workspace, viewer.id, now)
        return self._jinja.get_template(template).render(
            viewer=viewer,
            text=text,
            rich=lambda block: rich_text(text, block),
            object=lambda part: _text_object(text, part),
            ago=lambda ts: dates.ago(float(ts), now),
            state_of=lambda message: self._state(message, viewer),
            thread_of=lambda message: self._server.workspace.thread(message.channel, message.ts)[1:],
            now=now,
            **values,
        )

    def _now(self) -> datetime:
        return dates.local(self._server.workspace.clock())

    # -- pages and panes ---------------------------------------------------------------------------------------

    def page(self, viewer: User, place: str, thread: str, theme: str) -> str:
        """Return the whole page. `SlackError` when the place or the thread is not there."""
        pane = self.pane(viewer, place)
        return self._fill(
            "page.html",
            viewer,
            place=place,
            thread=thread,
            theme=theme,
            pane=pane,
            thread_pane=self.thread(viewer, place, thread) if thread else "",
            modal=self.modal(viewer),
            channels=self.channels(viewer),
            direct=self.direct(viewer),
        )

    def channels(self, viewer: User) -> list[tuple[Channel, int]]:
        """Return the channels in the sidebar with their unread counts."""
        mine = [c for c in self._server.workspace.channels.values() if viewer.id in c.members and not c.is_im]
        return [(channel, self._unread(channel, viewer)) for channel in mine]

    def direct(self, viewer: User) -> tuple[Channel, int]:
        """Return the direct message with the app and its unread count."""
        channel = self._server.workspace.direct(viewer.id)
        return channel, self._unread(channel, viewer)

    def _unread(self, channel: Channel, viewer: User) -> int:
        seen = timeline.in_channel(channel, viewer.id)
        return timeline.unread(seen, viewer.id, self.reads.of(viewer.id, channel.id))

    def pane(self, viewer: User, place: str) -> str:
        """Return the main pane: a channel by id or name, or `home`. Marks the channel as read."""
        if place == "home":
            view = self._server.workspace.homes.get(viewer.id)
            return self._fill(
                "_home.html", viewer, view=view, direct=self._server.workspace.direct(viewer.id)
            )
        channel = self._server.workspace.channel(place)
        messages = timeline.in_channel(channel, viewer.id)
        read = self.reads.of(viewer.id, channel.id)
        self.reads.mark(viewer.id, channel)
        listed = timeline.entries(messages[-timeline.SHOWN :], self._now())
        left_out = max(0, len(messages) - timeline.SHOWN)
        return self._fill(
            "_channel.html", viewer, channel=channel, entries=listed, left_out=left_out, read=read
        )

    def thread(self, viewer: User, place: str, ts: str) -> str:
        """Return the thread pane of a message."""
        channel = self._server.workspace.channel(place)
        messages = timeline.in_thread(self._server.workspace, channel, ts, viewer.id)
        listed = timeline.entries(messages, self._now(), days=False)
        return self._fill("_thread.html", viewer, channel=channel, entries=listed, ts=ts)

    def modal(self, viewer: User) -> str:
        """Return the modal the viewer has open, or nothing."""
        view = self._server.modals.top(viewer.id)
        return "" if view is None else self._fill("_modal.html", viewer, view=view)

    def message(self, viewer: User, message: Message, *, scope: str) -> str:
        """Return one message: `scope` is `c` in a channel, `t` in a thread."""
        channel = self._server.workspace.channel(message.channel)
        if scope == "c":
            around = timeline.in_channel(channel, viewer.id)
        else:
            root = message.thread_ts or message.ts
            around = timeline.in_thread(self._server.workspace, channel, root, viewer.id)
        entry = timeline.entry_of(around, message, self._now(), days=scope == "c")
        return self._fill("_one.html", viewer, entry=entry, channel=channel, scope=scope)

    # -- what the templates ask ---------------------------------------------------------------------------------

    def _people(self) -> list[User]:
        everyone = self._server.workspace.users.values()
        return [user for user in everyone if not user.is_bot and user.id != SLACKBOT.id]

    def _state(self, message: Message, viewer: User) -> Json:
        """Return what `viewer` chose in a message's menus."""
        inner = [block for attachment in message.attachments for block in attachment.get("blocks") or []]
        blocks = [*message.blocks, *inner]
        if not any(element["type"] != "button" for _, _, element in walk(blocks)):
            return {}
        return initial_state(
            blocks, self._server.message_states.get((message.channel, message.ts, viewer.id))
        )

    def _address(self, part: Json) -> str:
        """Return the address of an image block or element."""
        if part.get("image_url"):
            return str(part["image_url"])
        named = part["slack_file"]
        if named.get("url"):
            return str(named["url"])
        file = self._server.workspace.files.get(named.get("id", ""))
        return f"/files/{file.id}/{file.name}" if file else ""

    def _preview(self, file: Json) -> str:
        """Return the first lines of a shared text file, or nothing when it is none."""
        held = self._server.workspace.files.get(file["id"])
        texts = ("text/", "application/json")
        if held is None or held.content is None or not file["mimetype"].startswith(texts):
            return ""
        text = held.content[: PREVIEW_CHARACTERS * 4].decode("utf-8", "replace")[:PREVIEW_CHARACTERS]
        return "\n".join(text.splitlines()[:PREVIEW_LINES])


def _text_object(text: Text, part: Json) -> Markup:
    return text.mrkdwn(part["text"]) if part["type"] == "mrkdwn" else text.plain(part["text"])


def _bar_colour(colour: str | None) -> str:
    """Return the colour of an attachment's bar: one of Slack's words, or a hex colour."""
    named = {"good": "#2eb67d", "warning": "#ecb22e", "danger": "#e01e5a"}
    if colour in named:
        return named[colour]
    match = re.fullmatch(r"#?([0-9a-fA-F]{6})", colour or "")
    return f"#{match[1]}" if match else "#b9b9bd"

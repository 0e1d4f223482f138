"""Slack's text formats as HTML. Whatever comes in, only the tags written here come out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from demo.slack.page import dates
from demo.slack.page.emoji import EMOJI

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from demo.slack.workspace import Workspace

_HOLD = 0xF0000
_HELD = re.compile("[\U000f0000-\U000ffffd]")
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<angle>[^<>\n]+)>"
    r"|(?<![\w:]):(?P<emoji>[a-z0-9_+-]+):(?![\w:])"
    r"|(?P<url>https?://[^\s<>|*~`]*[^\s<>|*~`.,;:!?)\]}'\"])"
)
_STYLES = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), "strong"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])"), "em"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])"), "s"),
)
_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_NUMBERED = re.compile(r"\b[A-Za-z]{1,8}-\d{1,6}\b")
_WHOLE = Markup('<span class="whole">{}</span>')
"""A hyphen before a digit parts no line by Unicode's rules, as a phone's text has them; a browser has rules of its own."""
_SAFE_LINK = re.compile(r"(https?://|mailto:)\S+", re.IGNORECASE)


class Placeholders:
    """Keeps finished pieces of HTML out of the way while the text around them is escaped and styled."""

    def __init__(self) -> None:
        self._pieces: list[Markup] = []

    def keep(self, piece: Markup) -> str:
        """Return the one character that stands for a piece."""
        self._pieces.append(piece)
        return chr(_HOLD + len(self._pieces) - 1)

    def put_back(self, text: str) -> Markup:
        """Return text with every piece in its place; `text` is already escaped."""
        return Markup(_HELD.sub(lambda match: self._pieces[ord(match.group()) - _HOLD], text))  # noqa: S704 - escaped


def styled(escaped: str) -> str:
    """Turn `*bold*`, `_italic_` and `~strike~` in escaped text into tags."""
    for pattern, tag in _STYLES:
        escaped = pattern.sub(rf"<{tag}>\1</{tag}>", escaped)
    return escaped


def link(url: str, label: object = None) -> Markup:
    """Return a link that opens apart; an address that is not http(s) or mailto stays text."""
    shown = label if label is not None else url.removeprefix("mailto:")
    if _SAFE_LINK.fullmatch(url) is None:
        return escape(shown)
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(url, shown)


def emoji(name: str) -> Markup | None:
    """Return an emoji by its short name, or None when there is none of that name."""
    char = EMOJI.get(name)
    return None if char is None else Markup('<span class="emoji" title=":{}:">{}</span>').format(name, char)


class Text:
    """Renders for one viewer: their own mention is highlighted, ids are shown as names."""

    def __init__(self, workspace: Workspace, viewer: str, now: datetime) -> None:
        self._workspace = workspace
        self._viewer = viewer
        self.now = now

    # -- names -------------------------------------------------------------------------------------------------

    def user(self, user_id: str) -> Markup:
        """Return a mention of a person."""
        known = self._workspace.users.get(user_id)
        mine = " mine" if user_id == self._viewer else ""
        return Markup('<span class="mention{}">@{}</span>').format(
            mine, known.real_name if known else user_id
        )

    def group(self, group_id: str) -> Markup:
        """Return a mention of a user group."""
        known = self._workspace.groups.get(group_id)
        mine = " mine" if known and self._viewer in known.users else ""
        return Markup('<span class="mention{}">@{}</span>').format(mine, known.handle if known else group_id)

    def channel(self, channel_id: str) -> Markup:
        """Return a link to a channel."""
        known = self._workspace.channels.get(channel_id)
        if known is None:
            return Markup('<span class="mention">#{}</span>').format(channel_id)
        return Markup('<a class="mention" href="/archives/{}" data-open="{}">#{}</a>').format(
            channel_id, channel_id, known.name
        )

    def broadcast(self, reach: str) -> Markup:
        """Return `@here`, `@channel` or `@everyone`."""
        return Markup('<span class="mention mine">@{}</span>').format(reach)

    def date(self, seconds: float, pattern: str, url: str = "", fallback: str = "") -> Markup:
        """Return a date in the viewer's time zone."""
        try:
            shown = dates.formatted(seconds, pattern, self.now)
            when = dates.local(seconds).isoformat()
        except (ValueError, OverflowError, OSError):
            return escape(fallback or pattern)
        piece = Markup('<time datetime="{}" title="{}">{}</time>').format(when, fallback or when, shown)
        return link(url, piece) if url else piece

    # -- plain text and mrkdwn -----------------------------------------------------------------------------------

    def plain(self, text: str) -> Markup:
        """Return plain text: emoji by name, line breaks, and a number with its letters on one line."""
        held = Placeholders()
        text = _HELD.sub("\ufffd", text)

        def one(match: re.Match[str]) -> str:
            piece = emoji(match.group(1))
            return match.group() if piece is None else held.keep(piece)

        kept = re.sub(r"(?<![\w:]):([a-z0-9_+-]+):(?![\w:])", one, text)
        kept = _NUMBERED.sub(lambda match: held.keep(_WHOLE.format(match.group())), kept)
        return held.put_back(str(escape(kept)).replace("\n", "<br>"))

    def mrkdwn(self, text: str) -> Markup:
        """Return mrkdwn: fences, quotes, styles, code, links, mentions, dates, emoji."""
        parts = _FENCE.split(_HELD.sub("\ufffd", text))
        pieces = [
            Markup("<pre>{}</pre>").format(_unescaped(part))
            if odd % 2
            else self._paragraphs(part, odd, len(parts))
            for odd, part in enumerate(parts)
        ]
        return Markup().join(pieces)

    def _paragraphs(self, text: str, index: int, count: int) -> Markup:
        """Render what stands between fences; the line break next to a fence is the fence's own."""
        if index > 0:
            text = text.removeprefix("\n")
        if index < count - 1:
            text = text.removesuffix("\n")
        pieces, quoted, plain = [], list[str](), list[str]()

        def flush() -> None:
            if quoted:
                pieces.append(
                    Markup("<blockquote>{}</blockquote>").format(
                        Markup("<br>").join(map(self.inline, quoted))
                    )
                )
            if plain:
                pieces.append(Markup("<br>").join(map(self.inline, plain)))
            quoted.clear()
            plain.clear()

        for line in text.split("\n"):
            match = re.match(r"(?:&gt;|>) ?(.*)", line)
            if bool(match) != bool(quoted):
                flush()
            (quoted if match else plain).append(match.group(1) if match else line)
        flush()
        return Markup().join(pieces)

    def inline(self, line: str) -> Markup:
        """Render one line of mrkdwn."""
        held = Placeholders()
        kept = _INLINE.sub(lambda match: self._token(match, held.keep), line)
        return held.put_back(styled(str(escape(_unescaped(kept)))))

    def _token(self, match: re.Match[str], keep: Callable[[Markup], str]) -> str:
        if (code := match["code"]) is not None:
            return keep(Markup("<code>{}</code>").format(_unescaped(code)))
        if (angle := match["angle"]) is not None:
            return keep(self._angle(angle))
        if (name := match["emoji"]) is not None:
            piece = emoji(name)
            return match.group() if piece is None else keep(piece)
        return keep(link(_unescaped(match["url"])))

    def _angle(self, inner: str) -> Markup:
        """Render what stands in angle brackets."""
        target, _, label = inner.partition("|")
        if target.startswith("!date^"):
            return self._date(target, label)
        for prefix, named in (("@", self.user), ("#", self.channel), ("!subteam^", self.group)):
            if target.startswith(prefix):
                return named(target.removeprefix(prefix))
        if target in {"!here", "!channel", "!everyone"}:
            return self.broadcast(target[1:])
        if _SAFE_LINK.fullmatch(_unescaped(target)):
            return link(_unescaped(target), self._label(label) if label else None)
        return escape(f"<{_unescaped(inner)}>")

    def _label(self, label: str) -> Markup:
        return Markup(styled(str(escape(_unescaped(label)))))  # noqa: S704 - escaped just here

    def _date(self, target: str, fallback: str) -> Markup:
        seconds, _, rest = target.removeprefix("!date^").partition("^")
        pattern, _, url = rest.partition("^")
        if not seconds.isdigit():
            return escape(_unescaped(fallback))
        return self.date(int(seconds), _unescaped(pattern), _unescaped(url), _unescaped(fallback))


def _unescaped(text: str) -> str:
    """Undo the three escapes Slack's text uses, and no others."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

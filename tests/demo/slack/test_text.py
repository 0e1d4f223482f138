"""Slack's text as HTML: each mark, and that nothing untrusted becomes a tag."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from demo.slack.page.markdown import markdown
from demo.slack.page.rich import rich_text
from demo.slack.page.text import Text
from demo.slack.settings import AppConfig
from demo.slack.workspace import Workspace

NOW = datetime(2026, 2, 21, 12, 0, tzinfo=UTC).astimezone()
AT = int(datetime(2026, 2, 21, 9, 14, 5, tzinfo=UTC).timestamp())
TEXT = Text(Workspace(AppConfig()), "U0ANA00001", NOW)
ALLOWED = {
    *(
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "div",
        "em",
        "hr",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "s",
        "span",
        "strong",
    ),
    *("table", "tbody", "td", "th", "thead", "time", "tr", "u", "ul"),
}
ATTRIBUTES = {"href", "target", "rel", "class", "title", "datetime", "data-open", "start"}


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("*bold* _it_ ~no~ `c*o*de`", "<strong>bold</strong> <em>it</em> <s>no</s> <code>c*o*de</code>"),
        ("snake_case_name 2*3*4", "snake_case_name 2*3*4"),
        ("*_both_*", "<strong><em>both</em></strong>"),
        ("a &lt;b&gt; &amp; &amp;lt;", "a &lt;b&gt; &amp; &amp;lt;"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
        ("&gt; quoted\nplain", "<blockquote>quoted</blockquote>plain"),
        ("a\nb", "a<br>b"),
        ("```\n*x* <y>\n```", "<pre>*x* &lt;y&gt;</pre>"),
        (":red_circle: :nosuch:", '<span class="emoji" title=":red_circle:">🔴</span> :nosuch:'),
        ("12:30:45", "12:30:45"),
        ("<@U0BEN00001>", '<span class="mention">@Ben Approver</span>'),
        ("<@U0ANA00001>", '<span class="mention mine">@Ana Operator</span>'),
        ("<!channel>", '<span class="mention mine">@channel</span>'),
        ("<!subteam^S0APPROVER>", '<span class="mention">@approvers</span>'),
    ],
)
def test_mrkdwn_is_shown_as_slack_shows_it(source: str, shown: str) -> None:
    """One mark at a time, and the cases that look like marks and are none."""
    assert str(TEXT.mrkdwn(source)) == shown


def test_links_open_apart_and_keep_their_address() -> None:
    """With a label, bare, and with marks inside the address."""
    opening = 'target="_blank" rel="noopener noreferrer">'
    assert TEXT.mrkdwn("<https://e.x/a_b_c|G>") == f'<a href="https://e.x/a_b_c" {opening}G</a>'
    assert (
        TEXT.mrkdwn("see https://e.x/a_b_c.")
        == f'see <a href="https://e.x/a_b_c" {opening}https://e.x/a_b_c</a>.'
    )
    assert TEXT.mrkdwn('<https://e.x/"onclick=x>').startswith('<a href="https://e.x/&#34;onclick=x"')


def test_dates_are_shown_in_the_viewers_zone_with_a_fallback() -> None:
    """Slack's date tokens, the relative one too; a broken stamp shows the fallback."""
    local = datetime.fromtimestamp(AT, tz=UTC).astimezone()
    shown = TEXT.mrkdwn(f"<!date^{AT}^{{date_num}} {{time}}|then>")
    assert f">{local:%Y-%m-%d %H:%M}</time>" in shown
    assert 'title="then"' in shown
    assert ">2 hours ago</time>" in TEXT.mrkdwn(f"<!date^{AT}^{{ago}}|then>")
    assert TEXT.mrkdwn("<!date^soon^{ago}|then>") == "then"


def test_rich_text_styles_lists_and_code() -> None:
    """Leaves carry no markup of their own: what looks like it stays text."""
    block = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": "*a* <b>", "style": {"bold": True}}],
            },
            {
                "type": "rich_text_list",
                "style": "ordered",
                "offset": 2,
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U0NOBODY"}]}
                ],
            },
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x"}]},
        ],
    }
    shown = str(rich_text(TEXT, block))
    assert '<div class="rich"><strong>*a* &lt;b&gt;</strong></div>' in shown
    assert '<ol class="indent-0" start="3"><li><span class="mention">@U0NOBODY</span></li></ol>' in shown
    assert shown.endswith("<pre>x</pre>")


def test_markdown_has_headings_lists_tables_and_fences() -> None:
    """The subset Slack renders."""
    source = "# T\n**b** and *i* ~~s~~ [l](https://e.x)\n- one\n  - two\n\n| a | b |\n|---|--:|\n| 1 | `2` |\n```\n<x>\n```"
    shown = str(markdown(source))
    assert '<p class="h1">T</p>' in shown
    assert "<strong>b</strong> and <em>i</em> <s>s</s>" in shown
    assert '<a href="https://e.x"' in shown
    assert shown.count("<li") == 2
    assert "<th>a</th>" in shown
    assert "<td><code>2</code></td>" in shown
    assert "<pre>&lt;x&gt;</pre>" in shown


class Seen(HTMLParser):
    """Collects the tags, attributes and addresses a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one opening tag."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name == "href"]


PIECES = st.sampled_from(
    [
        "<",
        ">",
        "|",
        "*",
        "_",
        "~",
        "`",
        "```",
        "&lt;",
        "&amp;",
        "'",
        '"',
        "<!date^1^",
        "<@",
        "<#C",
        "javascript:",
        "<img src=x onerror=alert(1)>",
        "https://e.x/",
        "](",
        "[",
        ":eyes:",
        "\n",
        "> ",
        "| a |",
        "- ",
        "\U000f0000",
    ]
)
HOSTILE = st.lists(PIECES | st.text(max_size=6), max_size=14).map("".join)


@given(HOSTILE)
@example("\U000f0000`x`\U000f0001")
def test_no_text_becomes_a_tag_or_a_script(source: str) -> None:
    """Whatever is sent, only known tags and attributes come out, and addresses are http(s), mailto or our own."""
    leaf = {"type": "text", "text": source or "x"}
    link = {"type": "link", "url": source or "x", "text": source or "x"}
    block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [leaf, link]}]}
    for shown in (TEXT.mrkdwn(source), TEXT.plain(source), markdown(source), rich_text(TEXT, block)):
        seen = Seen()
        seen.feed(str(shown))
        assert seen.tags <= ALLOWED
        assert seen.attributes <= ATTRIBUTES
        assert all(
            address.lower().startswith(("http://", "https://", "mailto:", "/")) for address in seen.addresses
        )


def test_a_number_stays_with_its_letters_on_one_line() -> None:
    """A browser would part INC-42 at its hyphen; what has no digit behind it may be parted."""
    assert TEXT.plain("Sev-1 \u00b7 INC-42 up-to-date") == (
        '<span class="whole">Sev-1</span> \u00b7 <span class="whole">INC-42</span> up-to-date'
    )

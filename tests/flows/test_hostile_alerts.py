"""Labels as an attacker writes them, through the running service: they are shown as text and do nothing."""

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from demo.slack import Message
from tests.flows.harness import Harness, running_harness, shown
from tests.handlers.posting import alert, webhook

Require = Callable[..., Path]
MENTIONS = re.compile(r"<[!@#](?!date\^\d+\^\{ago\}\|)")
"""The time that our own links line tells is no mention."""
HOSTILE = {
    "channel": "<!channel> <!here> <!subteam^S0OPERATOR>",
    "user": "<@U0ANA00001> <#C0TRIAGE01|desk>",
    "markdown": "*bold* _italic_ ~struck~ > quote",
    "backticks": "```code``` and `more`",
    "link": "<https://evil.example/|the runbook> https://evil.example/",
    "quotes": "\"double\" 'single' \\ back",
    "braces": '{bot="x"} | json | {{ $labels.bot }} {0} %s %(name)s ${HOME}',
    "newlines": "first\nsecond\r\nthird\u2028fourth",
    "right_to_left": "bot1 \u202egnippots\u202c",
    "nul": "bot\0one",
    "entities": "&lt;!channel&gt; &amp;",
    "emoji": ":rotating_light: 🔥\u200d🔥",
}


@pytest.fixture
async def harness(require: Require, tmp_path: Path) -> AsyncIterator[Harness]:
    """Run the harness, in which every hostile alert has a thread of its own."""
    desk = {"correlation": {"wide_window_seconds": 0, "storm_incidents": 100, "reconcile_seconds": 3600}}
    async with running_harness(require, tmp_path, desk=desk) as running:
        yield running


def hostile(text: str, number: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of an alert
    """Return an alert that has the text wherever text can be."""
    labels = {
        "alertname": f"Alert {number} {text}",
        "bot": f"bot {number} {text}",
        "severity": text,
        "instance": text,
        "name": text,
        "job": text,
        text: text,
    }
    annotations = {"summary": text, "description": text, "runbook_url": f"https://x/{text}", text: text}
    return (
        alert(labels=labels, annotations=annotations, fingerprint=f"hostile-{number}", generatorURL=text)
        | changes
    )


def nodes(tree: object) -> Iterator[Mapping[str, Any]]:
    """Yield every object in blocks."""
    if isinstance(tree, Mapping):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, Sequence) and not isinstance(tree, str):
        for branch in tree:
            yield from nodes(branch)


def check_harmless(message: Message) -> None:
    """Assert that a message mentions nobody, whatever it quotes."""
    assert not MENTIONS.search(message.text), f"the preview mentions: {message.text!r}"
    parts = list(nodes(message.blocks))
    for text in [
        part["text"] for part in parts if part.get("type") == "mrkdwn"
    ]:  # elsewhere signs mean nothing
        assert not MENTIONS.search(text), f"a mention as markup: {text!r}"
        assert "evil.example/|" not in text, f"a link with a text of its own: {text!r}"
    mentions = {"user", "broadcast", "usergroup", "channel"} & {part.get("type") for part in parts}
    assert not mentions, f"{mentions} in {message.blocks}"
    assert not {"\0", "\u202e", "\u2028"} & set(shown(message)), "signs that change what is around them"
    assert "\n" not in message.text


async def triaged(harness: Harness, count: int) -> list[Message]:
    """Wait for that many cards, each with a triage in its thread; returns all messages."""

    def told() -> bool:
        cards = harness.cards()
        return len(cards) >= count and all(
            any("Triage" in shown(reply) for reply in harness.slack.thread(card)) for card in cards
        )

    await harness.until(told, f"{count} triaged cards", seconds=60)
    assert len(harness.cards()) == count
    return [message for card in harness.cards() for message in (card, *harness.slack.thread(card))]


@pytest.mark.timeout(150)
async def test_hostile_text_gets_a_card_and_a_triage_and_does_nothing(harness: Harness) -> None:
    """Mentions, markup, queries, control characters in every place: told as text, asked as text, nothing breaks."""
    alerts = [hostile(text, number) for number, text in enumerate(HOSTILE.values())]
    answer = await harness.bot.post(webhook(*alerts))
    assert answer.json() == {"accepted": len(HOSTILE)}
    messages = await triaged(harness, len(HOSTILE))
    for message in messages:
        check_harmless(message)
    everything = " ".join(shown(message) for message in messages)
    assert "\u2039!channel>" in everything, "what was said is shown, with a bracket that is none"
    assert "Traceback" not in harness.bot.log()


@pytest.mark.timeout(150)
async def test_text_without_measure_is_shortened_and_told(harness: Harness) -> None:
    """A megabyte in an annotation, 150 labels, endless names: one card and its triage, within Slack's limits."""
    many = {f"label_{number}": f"<!channel> {number}" for number in range(150)}
    named = {"alertname": "L" * 100_000, "bot": "<@U0ANA00001>" * 1000}
    huge = hostile("x", 0, labels=named | many, annotations={"summary": "<!here> y " * 105_000})
    assert (await harness.bot.post(webhook(huge))).json() == {"accepted": 1}
    for message in await triaged(harness, 1):
        check_harmless(message)
        assert len(shown(message)) < 20_000
    assert "Traceback" not in harness.bot.log()
    ended = huge | {"status": "resolved", "endsAt": "2026-02-20T04:00:00Z"}
    assert (await harness.bot.post(webhook(ended, status="resolved"))).json() == {"accepted": 1}
    await harness.card(lambda card: "resolved" in shown(card).lower(), what="the resolved card")
    assert "Traceback" not in harness.bot.log()

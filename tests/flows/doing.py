"""A person who types `/triage do`, reads the plan and confirms it: what the flow tests of actions share."""

from contextlib import suppress

from redis.asyncio import from_url
from redis.exceptions import RedisError, ResponseError

from demo.slack import Message
from tests.flows.harness import CHANNEL, Harness, shown
from tests.servers.desk import Desk
from tests.servers.process import eventually

PLAN = "Side effects"


def messages(harness: Harness, words: str) -> list[Message]:
    """Return the messages of actions, in the channel and in threads, that say these words."""
    cards = harness.slack.messages(CHANNEL)
    threads = [message for card in cards for message in harness.slack.thread(card)]
    return [message for message in [*cards, *threads] if words in shown(message)]


async def modal(harness: Harness, who: str, words: str) -> str:
    """Wait until the modal before somebody says these words; return all it shows."""
    person = harness.slack.member(who)
    await harness.until(
        lambda: person.modal is not None and words in str(person.modal.body), f"a modal with {words!r}"
    )
    assert person.modal is not None
    return str(person.modal.body)


async def ask(harness: Harness, line: str, words: str = PLAN) -> str:
    """Type the command as Ana and wait for a modal that says these words; return all it shows."""
    ana = harness.slack.member("ana")

    async def arrived() -> bool:  # right after its start the bot may not be connected to Slack yet
        return (await ana.command(f"/triage do {line}")).acked

    await eventually(arrived, "the command to arrive", within=30)
    return await modal(harness, "ana", words)


async def confirm(harness: Harness, who: str, reason: str) -> None:
    """Fill in the reason, confirm, and close the form."""
    person = harness.slack.member(who)
    assert (await person.submit({"reason": reason})).acked
    await person.close(cleared=True)


async def ended(harness: Harness, title: str, reason: str, *words: str) -> str:
    """Wait until the message of the action confirmed with this reason says all of these words; return its text."""

    def found() -> list[str]:
        texts = [shown(one) for one in messages(harness, title)]
        return [text for text in texts if reason in text and all(word in text for word in words)]

    await harness.until(found, f"{title} ({reason}) to say {words}", seconds=120)
    return found()[-1]


async def do(harness: Harness, line: str, title: str, *words: str) -> str:
    """Ask, confirm as Ana, and wait for the end; returns what the modal showed."""
    body = await ask(harness, line)
    await confirm(harness, "ana", f"test of {line}")
    await ended(harness, title, f"test of {line}", *(words or ("Succeeded",)))
    return body


async def left(harness: Harness, desk: Desk, *words: str) -> None:
    """Wait until the way out of degraded mode says these words, while the producers publish where Redis takes it."""

    async def published() -> bool:
        async with from_url(desk.redis_url, socket_timeout=1) as client:
            try:
                await client.xadd("hb.market_data.v1", {"payload": "{}"})
                await client.xadd("hb.audit.v1", {"payload": "{}"})
                with suppress(ResponseError):  # it is there
                    await client.xgroup_create("hb.market_data.v1", "hb_group_v1")
            except RedisError:
                return False
        found = [shown(one) for one in messages(harness, "Exit degraded mode")]
        return any(
            one.startswith("Exit degraded mode") and all(word in one for word in words) for one in found
        )

    await eventually(published, f"the streams to flow and the exit to say {words}", within=60)

"""Somebody asks for something in Slack that we fail on: they read it, and it is noted for who runs the service."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.action_dependencies import ActionDependencies
from handlers.slack.action_opening import NO_PLAN, fill_form
from handlers.slack.faults import WENT_WRONG, tell_faults
from tests.bot.slack.workbench import CHANNEL
from tests.fakes.breaking import FAULTS
from tests.handlers.slack.conftest import Desk
from tests.handlers.slack.test_buttons import now_of, opened
from triage.roles import Roles


@pytest.mark.slow
async def test_who_presses_a_button_that_we_fail_on_reads_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing at all had happened for them, whatever the fault. The next click is done."""
    incident, card = await opened(desk)
    slack, ana = desk.bench.slack, desk.bench.slack.member("ana")
    faults = [one for one in FAULTS if isinstance(one, Exception)]
    left = iter(faults)

    async def fails(*_: object) -> None:
        raise next(left)

    with monkeypatch.context() as patched:
        patched.setattr(Roles, "decide", fails)
        # At once: each waits 3 s for an acknowledgement that does not come.
        await asyncio.gather(*(ana.click(card, "incident.acknowledge") for _ in faults))
        await slack.workspace.until(
            lambda: len(slack.ephemerals(CHANNEL, "U0ANA00001")) >= len(faults), 3, "an answer to each click"
        )
    assert [one.text for one in slack.ephemerals(CHANNEL, "U0ANA00001")] == [WENT_WRONG] * len(faults)
    assert len(desk.faults) == len(faults)
    assert set(desk.faults) == set(faults)
    assert (await now_of(desk, incident)).acknowledged_by == ""
    await ana.click(card, "incident.acknowledge")
    assert (await now_of(desk, incident)).acknowledged_by == "U0ANA00001"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"user_id": "U1", "channel_id": "C1", "text": "status"}, ("C1", None)),
        ({"event": {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "2.0"}}, ("C1", None)),
        (
            {
                "event": {
                    "type": "app_mention",
                    "user": "U1",
                    "channel": "C1",
                    "ts": "2.0",
                    "thread_ts": "1.0",
                }
            },
            ("C1", "1.0"),
        ),
        ({"event": {"type": "app_home_opened", "user": "U1", "channel": "D1"}}, None),
        ({"event": {"type": "app_mention", "user": "U1", "channel": ["C1"]}}, None),
        ({"event": "odd", "channel_id": 7}, None),
    ],
)
async def test_who_types_something_that_we_fail_on_reads_it(
    body: dict[str, Any], place: tuple[str, str | None] | None
) -> None:
    """A command and a mention name who asked elsewhere than a click does: nothing at all was said, or "Looking…" stayed."""
    told: list[Any] = []
    handlers: list[Any] = []

    async def chat_postEphemeral(**content: object) -> None:  # noqa: N802 - the SDK's name
        told.append(content)

    noted: list[BaseException] = []
    tell_faults(cast("AsyncApp", SimpleNamespace(error=handlers.append)), noted.append)
    fault, client = ValueError("broken"), SimpleNamespace(chat_postEphemeral=chat_postEphemeral)
    await handlers[0](fault, body, client)
    assert noted == [fault]
    shown = [(one["user"], one["channel"], one["thread_ts"], one["text"]) for one in told]
    assert shown == ([] if place is None else [("U1", *place, WENT_WRONG)])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_form_whose_plan_we_fail_to_make_does_not_stay_as_it_is(fault: BaseException) -> None:
    """It had said for ever that the desk is looked at."""
    shown: list[Any] = []

    async def prepare(*_: object) -> None:
        raise fault

    async def views_update(*, view_id: str, view: object) -> None:
        shown.append((view_id, view))

    def notice(title: str, text: str) -> str:
        return f"{title}: {text}"

    parts = SimpleNamespace(
        engine=SimpleNamespace(prepare=prepare),
        services=SimpleNamespace(store=None),
        views=SimpleNamespace(notice=notice),
    )
    client = SimpleNamespace(views_update=views_update)
    filling = fill_form(
        cast("ActionDependencies", parts), cast("AsyncWebClient", client), "V1", {"handle": "h"}, {}
    )
    with pytest.raises(type(fault)):
        await asyncio.create_task(filling)
    assert shown == [("V1", f"Not possible: {NO_PLAN}")]

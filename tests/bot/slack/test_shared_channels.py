"""A channel that another workspace shares: whoever is of that one reads along, and is told no whatever they press."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest
from slack_bolt.async_app import AsyncApp

from bot.slack.app import build_app
from bot.slack.client import Identity, open_client
from bot.slack.refused_answers import RefusedAnswers
from bot.slack.socket_mode import Sockets
from bot.store import SqlStore
from demo.slack import Message, SlackServer
from demo.slack.model import User
from demo.slack.workspace import TEAM_ID
from handlers.slack.gate import OUTSIDER, Gate, guard
from tests.bot.slack.workbench import CHANNEL, until
from tests.flows.harness import shown
from tests.handlers.slack.test_roles_matrix import World
from triage.desk import Desk
from triage.desk_sections.roles import Role, RoleSettings
from triage.ports.clock import SystemClock

pytestmark = pytest.mark.slow

EVE = User("U0EVE00001", "eve", "Eve of another workspace", elsewhere="T0THEIRS01")
EVERYTHING = ["incident.acknowledge", "action.clear_cache"]


@dataclass
class Shared:
    """The channel with a card in it, and what came through the gate."""

    slack: SlackServer
    world: World
    card: Message
    refused: RefusedAnswers
    passed: list[str]

    def told(self, who: str) -> list[str]:
        """Return what a person alone sees in the channel."""
        return [shown(one) for one in self.slack.ephemerals(CHANNEL, who)]

    def was_told(self, who: str, times: int) -> bool:
        """Whether they saw so many answers."""
        return len(self.told(who)) == times


def listening(passed: list[str], app: AsyncApp) -> None:
    """Have the app note whatever comes through the gate."""

    @app.action("incident.acknowledge")
    @app.action("action.clear_cache")
    @app.view("confirm_action")
    @app.event("app_mention")
    async def came(ack: object, body: dict[str, object]) -> None:
        passed.append(str(body["type"]))
        await ack()  # type: ignore[operator]


@asynccontextmanager
async def shared_channel(slack: SlackServer, store: SqlStore, *, listed: bool) -> AsyncIterator[Shared]:
    """Share the channel with Eve's workspace. ``listed``: desk.yaml names her as an operator."""
    slack.workspace.users[EVE.id] = EVE
    slack.workspace.channel(CHANNEL).members.add(EVE.id)
    operators = frozenset({"U0ANA00001", *([EVE.id] if listed else [])})
    world = World(store, Desk(roles=RoleSettings(operator=Role(users=operators))))
    passed: list[str] = []
    refused = RefusedAnswers(SystemClock())
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        app = build_app(client, Identity(TEAM_ID, "desk", slack.app.bot_user, "B1"), watches=[refused])
        guard(app, Gate(world.services, TEAM_ID, world.gate.reads))
        listening(passed, app)
        async with Sockets(app, slack.app.app_token, SystemClock(), connections=1).open():
            yield Shared(slack=slack, world=world, card=_card(slack), refused=refused, passed=passed)


def _card(slack: SlackServer) -> Message:
    buttons = [
        {"type": "button", "action_id": one, "value": "h", "text": {"type": "plain_text", "text": one}}
        for one in EVERYTHING
    ]
    card = Message(
        slack.workspace.channel(CHANNEL).id,
        slack.workspace.ids.ts(),
        slack.app.bot_user,
        text="a card",
        blocks=[{"type": "actions", "block_id": "b", "elements": buttons}],
        bot_id=slack.app.bot_id,
        app_id=slack.app.app_id,
    )
    return slack.workspace.post(card)


@pytest.mark.parametrize("listed", [False, True])
async def test_a_person_of_another_workspace_is_told_no_and_it_is_recorded_whatever_they_press(
    slack: SlackServer, sqlite_store: SqlStore, *, listed: bool
) -> None:
    """Also one whose id desk.yaml lists; no listener learns of it, and Slack is asked nothing about them."""
    async with shared_channel(slack, sqlite_store, listed=listed) as shared:
        eve = slack.member("eve")
        for number, pressed in enumerate(EVERYTHING, start=1):
            assert (await eve.click(shared.card, pressed)).acked
            await until(partial(shared.was_told, "eve", number))
        eve.say(CHANNEL, "@hbot-triage status")
        await until(partial(shared.was_told, "eve", len(EVERYTHING) + 1))
        assert all(OUTSIDER in text for text in shared.told("eve"))
        assert await shared.world.denials() == [f"{EVE.id} denied"] * (len(EVERYTHING) + 1)
        assert shared.passed == []
        assert (await slack.member("ana").click(shared.card, EVERYTHING[0])).acked
        assert shared.passed == ["block_actions"], "whoever is of ours is served in the same channel"
        assert slack.calls.of("users.info") == []


async def test_an_answer_that_slack_does_not_show_to_another_workspace_is_no_trouble_of_ours(
    slack: SlackServer, sqlite_store: SqlStore
) -> None:
    """It is recorded and the log has it: nobody of ours can mend it."""
    async with shared_channel(slack, sqlite_store, listed=False) as shared:
        slack.workspace.channel(CHANNEL).members.discard(EVE.id)
        assert (await slack.member("eve").click(shared.card, EVERYTHING[0])).acked
        await until(lambda: slack.calls.of("chat.postEphemeral"))
        assert shared.told("eve") == []
        assert shared.refused.problems == {}
        assert await shared.world.denials() == [f"{EVE.id} denied"]

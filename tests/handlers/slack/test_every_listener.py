"""Whatever is registered with Slack asks for a role, or is named here as what only reads: none can be forgotten."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest

from bot.store import SqlStore
from handlers.slack.actions import PRESSED, open_offered, register_actions
from handlers.slack.cause_form import CALLBACK as CAUSE_FORM
from handlers.slack.cause_form import CAUSE, TEXT
from handlers.slack.click import Click
from handlers.slack.command_listener import register_commands
from handlers.slack.home import HomeTab
from handlers.slack.routes import register
from handlers.slack.services import InFlight
from handlers.slack.silence_form import CALLBACK as SILENCE_FORM
from handlers.slack.silence_form import COMMENT, LENGTH
from tests.handlers.slack.test_roles_matrix import PEOPLE, World
from tests.triage.incidents.desk_story import Story
from triage.desk import Desk
from triage.desk_sections.roles import Role, RoleSettings
from triage.incidents.cause_answers import SOMETHING_ELSE

READING = {"incident.report", "action_output", "home.refresh", "app_home_opened"}
"""What shows something to who pressed, and changes nothing."""
BY_WORD = {"/triage", "app_mention"}
"""Each word asks for its own role: see the matrix of the commands."""
OF_ACTIONS = {
    PRESSED.pattern,
    "action_choice",
    "action_reject",
    "action_cancel",
    "confirm_action",
}
"""They share one door: see the matrix of the actions."""
OF_INCIDENTS: dict[str, tuple[str, ...]] = {
    "incident.acknowledge": ("{}",),
    "incident.retriage": ("{}",),
    "incident.resolve": ("{}",),
    "incident.more": ("retriage:{}", "resolve:{}"),
    "incident.silence": ("{}",),
    "incident.cause_right": ("{}:1",),
    "incident.cause_wrong": ("{}:1",),
    SILENCE_FORM: ("{}",),
    CAUSE_FORM: ("{}:1",),
}
"""The values that what changes an incident carries, by its id."""


@dataclass
class Recorder:
    """An app that keeps what is registered; another way to register than these has no name here, and fails."""

    found: dict[str, Any] = field(default_factory=dict)

    def action(self, name: Any) -> Callable[[Any], None]:  # noqa: ANN401 - a text or a pattern
        """Keep a listener of a button, form, command or event."""

        def keep(listener: Any) -> None:  # noqa: ANN401 - of any kind
            self.found[getattr(name, "pattern", name)] = listener

        return keep

    view = command = event = action


def everything(services: object) -> dict[str, Any]:
    """Return every listener there is, by what it listens to."""
    app = Recorder()
    given, anything = cast("Any", app), cast("Any", AsyncMock())
    register(given, cast("Any", services))
    register_actions(given, anything)
    register_commands(given, anything, our_user="U0BOT00001")
    HomeTab.register(anything, given)
    return app.found


def test_each_listener_is_in_one_of_the_matrices() -> None:
    """A new one fails here until it is said who may."""
    assert set(everything(AsyncMock())) == READING | BY_WORD | OF_ACTIONS | set(OF_INCIDENTS)


class Engine:
    """Knows one action, and fails where it is asked for more than to look at it."""

    def __init__(self, desk: Desk) -> None:
        self.services = SimpleNamespace(desk=desk)

    async def look(self, handle: str) -> object:
        """Return the action."""
        assert handle
        return SimpleNamespace(kind="restart", target="bot1", incident_id=None, awaits_second=False)


@pytest.mark.parametrize("who", ["approver", "nobody", "removed"])
@pytest.mark.parametrize("name", sorted(OF_ACTIONS | {"incident.more"}))
async def test_who_is_no_operator_goes_through_no_door_of_an_action(
    sqlite_store: SqlStore, name: str, who: str
) -> None:
    """To open the form, choose in it, confirm, reject, cancel; also from the menu of a card: denied, and recorded once."""
    roles = RoleSettings(
        operator=Role(groups=frozenset({"S0OPERATOR"})), approver=Role(users=frozenset({"U0APPROVER"}))
    )
    world = World(sqlite_store, Desk(roles=roles))
    world.services.in_flight = InFlight()  # type: ignore[misc] # of a namespace
    views = SimpleNamespace(notice=lambda *_: {"type": "modal"})
    desk = cast("Any", SimpleNamespace(services=world.services, engine=Engine(world.desk), views=views))
    app = Recorder()
    register_actions(cast("Any", app), desk)
    register(cast("Any", app), world.services, lambda client, click: open_offered(desk, client, click))
    values = {"reason": {"reason": {"value": "why"}}}
    view = {
        "id": "V1",
        "private_metadata": json.dumps({"handle": "h", "digest": "d"}),
        "state": {"values": values},
    }
    body = {
        "user": {"id": PEOPLE[who], "username": who},
        "channel": {"id": "C1"},
        "actions": [{"action_id": name, "value": "action:h" if name == "incident.more" else "h"}],
        "view": view,
    }
    last: Any = AsyncMock()
    last.headers, last.raw_body = {}, ""
    await app.found[name](AsyncMock(), body, last)
    assert await world.denials() == [f"{PEOPLE[who]} denied"]


def payload(name: str, value: str, who: str) -> dict[str, Any]:
    """Return what Slack sends for a button, or for a form that is filled in well."""
    user = {"id": PEOPLE[who], "username": who}
    click = asdict(Click(user=user["id"], user_name=who, handle=value, action_id=name, channel="C1"))
    values: dict[str, Any] = {
        LENGTH: {LENGTH: {"selected_option": {"value": "1h"}}},
        COMMENT: {COMMENT: {"value": "why"}},
        CAUSE: {CAUSE: {"selected_option": {"value": SOMETHING_ELSE}}},
        TEXT: {TEXT: {"value": "another"}},
    }
    kept = click if name == CAUSE_FORM else {"click": click, "shown": "x"}
    return {
        "user": user,
        "channel": {"id": "C1"},
        "actions": [{"action_id": name, "value": value}],
        "view": {"state": {"values": values}, "private_metadata": json.dumps(kept)},
    }


@pytest.mark.parametrize("who", ["approver", "nobody", "removed"])
@pytest.mark.parametrize("name", OF_INCIDENTS)
async def test_who_is_no_operator_changes_no_incident(sqlite_store: SqlStore, name: str, who: str) -> None:
    """Each is pressed or submitted whole: it is denied, recorded once, and the incident is as it was."""
    roles = RoleSettings(
        operator=Role(groups=frozenset({"S0OPERATOR"})), approver=Role(users=frozenset({"U0APPROVER"}))
    )
    world = World(sqlite_store, Desk(roles=roles))
    await Story(sqlite_store).fire("BotFrozen")
    handle = await sqlite_store.read(lambda tx: tx.incidents.handle(1))
    before = await sqlite_store.read(lambda tx: tx.incidents.get(1))

    world.services.in_flight = InFlight()  # type: ignore[misc] # of a namespace
    listener = everything(world.services)[name]
    for number, value in enumerate(OF_INCIDENTS[name], start=1):
        await listener(AsyncMock(), payload(name, value.format(handle), who), AsyncMock())
        assert await world.denials() == [f"{PEOPLE[who]} denied"] * number
    assert await sqlite_store.read(lambda tx: tx.incidents.get(1)) == before

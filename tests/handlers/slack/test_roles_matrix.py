"""Every command, button and form for everybody there is: who may is decided before anything is done.

The rows come from the registries: a command or an action that is added is tried as well.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.store import SqlStore
from handlers.slack.action_dependencies import ActionDependencies, allowed
from handlers.slack.buttons import pressed
from handlers.slack.click import Click
from handlers.slack.command import Call, Command, CommandServices, authorise
from handlers.slack.command_catalogue import COMMANDS
from handlers.slack.gate import NO_READER, OUTSIDER, Gate
from handlers.slack.services import Services
from handlers.slack.silencing import open_silence_of
from tests.fakes.clock import ManualClock
from tests.triage.incidents.desk_story import Story
from triage.actions.catalogue import CATALOGUE
from triage.desk import Desk
from triage.desk_sections.roles import Role, RoleSettings
from triage.errors import Refused
from triage.incidents.operations import OperationResult
from triage.plans.record import ActionRecord
from triage.ports.store import Tx
from triage.roles import Readers, Roles

TEAM = "T0OURS0001"
PEOPLE = {
    "operator": "U0OPERATOR",
    "approver": "U0APPROVER",
    "nobody": "U0NOBODY01",
    "outsider": "U0OPERATOR",  # the very id of an operator, from another workspace
    "removed": "U0REMOVED1",
}
LET_IN = [name for name in PEOPLE if name != "outsider"]
"""Whoever the gate lets in: the others are stopped before a role is asked for."""
READING = {"status", "incidents", "show", "kpi", "checklist", "actions", "help", "oncall", "run"}
"""Commands that only read."""
BY_FORM = {"do", "silence"}
"""Commands whose form asks for the role."""


class Members:
    """A user group that one person was removed from."""

    async def members(self, group_id: str) -> frozenset[str]:
        """Return who is in it now."""
        del group_id
        return frozenset({"U0OPERATOR"})


@dataclass
class World:
    """The services that decide, with a store that keeps what was denied."""

    store: SqlStore
    desk: Desk
    services: Services = field(init=False)
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        roles = Roles(self.desk.roles, Members())
        self.services = cast(
            "Services",
            SimpleNamespace(store=self.store, clock=ManualClock(), roles=roles, changed=lambda: None),
        )
        readers = Readers(self.desk.roles, roles, nobody)
        self.gate = Gate(self.services, TEAM, readers.may_read)

    async def passes(self, who: str, kind: str) -> bool:
        """Tell whether the gate lets a payload of some kind through."""
        return not await self.gate.why_not(payload(who, kind))

    async def denials(self) -> list[str]:
        """Return what was denied to whom."""
        entries = await self.store.read(lambda tx: tx.audit.entries())
        return [f"{entry.actor} {entry.event}" for entry in entries if entry.event == "denied"]


async def nobody() -> frozenset[str]:
    """Return the people of an empty channel."""
    return frozenset()


def payload(who: str, kind: str) -> dict[str, Any]:
    """Return what Slack sends for a person: of a command, a button, a form, a mention, the Home tab."""
    team = "T0THEIRS01" if who == "outsider" else TEAM
    user = PEOPLE[who]
    if kind == "command":
        return {"command": "/triage", "team_id": team, "user_id": user}
    if kind == "event":
        return {"team_id": TEAM, "event": {"type": "app_mention", "user": user, "user_team": team}}
    if kind == "home":
        return {"team_id": TEAM, "event": {"type": "app_home_opened", "user": user, "team": team}}
    return {"type": kind, "team": {"id": team}, "user": {"id": user, "team_id": team}}


@pytest.fixture
def world(sqlite_store: SqlStore) -> World:
    """Make a desk with an operator by group and an approver by id."""
    roles = RoleSettings(
        operator=Role(groups=frozenset({"S0OPERATOR"})), approver=Role(users=frozenset({"U0APPROVER"}))
    )
    return World(sqlite_store, Desk(roles=roles))


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("kind", ["command", "block_actions", "view_submission", "event", "home"])
async def test_the_gate_stops_another_workspace_whatever_it_sends(world: World, who: str, kind: str) -> None:
    """Also with the id of somebody who may everything here."""
    assert await world.passes(who, kind) is (who != "outsider")
    assert (await world.gate.why_not(payload("outsider", kind))) == OUTSIDER


OURS, THEIRS, GRID = TEAM, "T0THEIRS01", "E0OURS0001"
_USER = PEOPLE["operator"]


def _click(team: object, user_team: str | None, **more: object) -> dict[str, Any]:
    return {"type": "block_actions", "team": team, "user": {"id": _USER, "team_id": user_team}, **more}


def _mention(outer: str, *, shared: bool = False, **event: object) -> dict[str, Any]:
    return {
        "type": "event_callback",
        "team_id": outer,
        "context_team_id": OURS,
        "authorizations": [{"team_id": OURS, "user_id": "U0BOT00001", "is_bot": True}],
        "is_ext_shared_channel": shared,
        "event": {"type": "app_mention", "user": _USER, **event},
    }


SHAPES: dict[str, tuple[dict[str, Any], bool]] = {
    "a click that names no workspace": (_click(None, None), False),
    "a click whose workspaces are empty": (_click({"id": ""}, ""), False),
    "a click of an organisation's install": (
        _click(None, OURS, enterprise={"id": GRID}, is_enterprise_install=True),
        True,
    ),
    "a click of our workspace by a guest of a shared channel": (_click({"id": OURS}, THEIRS), False),
    "a click in their workspace by one of ours": (_click({"id": THEIRS}, OURS), False),
    "a click of a person whom our organisation names": (_click({"id": OURS}, GRID), True),
    "a click of another workspace of our organisation": (_click({"id": THEIRS}, GRID), False),
    "a click of our organisation, no workspace named": (_click(None, GRID), False),
    "a click of another organisation": (_click({"id": OURS}, "E0THEIRS01"), False),
    "a command that names no workspace": ({"command": "/triage", "user_id": _USER}, False),
    "a command of another workspace of the organisation": (
        {"command": "/triage", "user_id": _USER, "team_id": THEIRS, "enterprise_id": GRID},
        False,
    ),
    "a form that names no workspace": ({"type": "view_submission", "user": {"id": _USER}}, False),
    "a mention of ours": (_mention(OURS, team=OURS), True),
    "a mention of ours in a shared channel": (_mention(THEIRS, shared=True, team=OURS), True),
    "a mention of a guest of a shared channel": (_mention(OURS, shared=True, team=THEIRS), False),
    "a mention of a guest, named by the source": (
        _mention(OURS, shared=True, user_team=THEIRS, source_team=THEIRS),
        False,
    ),
    "a mention in a shared channel, by nobody knows whom": (_mention(OURS, shared=True), False),
    "a mention of another workspace, named outside alone": (_mention(THEIRS), False),
    "a mention of ours, named by the organisation": (_mention(OURS, user_team=GRID, source_team=GRID), True),
    "an event of no person": ({"team_id": OURS, "event": {"type": "channel_archive"}}, True),
    "an event of another workspace": ({"team_id": THEIRS, "event": {"type": "channel_archive"}}, False),
}
"""What Slack sends of shared channels and of Enterprise Grid, and whether it is of our workspace."""


@pytest.mark.parametrize(("body", "ours"), SHAPES.values(), ids=SHAPES)
async def test_only_who_is_named_as_of_our_workspace_passes(
    world: World, body: dict[str, Any], *, ours: bool
) -> None:
    """A payload that names no workspace is no proof of one."""
    gate = Gate(world.services, OURS, world.gate.reads, GRID)
    assert (await gate.why_not(body) == "") is ours


@pytest.mark.parametrize("who", PEOPLE)
async def test_the_gate_stops_who_may_not_read_where_that_is_limited(
    sqlite_store: SqlStore, who: str
) -> None:
    """Who holds a role may."""
    roles = RoleSettings.model_validate(
        {"operator": {"groups": ["S0OPERATOR"]}, "approver": {"users": ["U0APPROVER"]}, "reading": "operator"}
    )
    limited = World(sqlite_store, Desk(roles=roles))
    why = await limited.gate.why_not(payload(who, "command"))
    assert why == {"operator": "", "approver": "", "outsider": OUTSIDER}.get(who, NO_READER)


@pytest.mark.parametrize("word", COMMANDS)
async def test_a_command_asks_for_its_role(world: World, word: str) -> None:
    """What changes, writes or uploads takes the operator; reading is for everybody whom the gate lets in."""
    command = COMMANDS[word]
    commands = cast("CommandServices", SimpleNamespace(services=world.services))
    reads = word in READING | BY_FORM
    assert command.role == (None if reads else "operator"), (
        f"{word}: asks for a role, or is known to read only"
    )
    passed = [who for who in LET_IN if await _authorised(commands, command, who)]
    assert passed == (LET_IN if reads else ["operator"])
    assert await world.denials() == [f"{PEOPLE[who]} denied" for who in LET_IN if who not in passed]


async def _authorised(commands: CommandServices, command: Command, who: str) -> bool:
    try:
        await authorise(commands, Call(user=PEOPLE[who], user_name=who, channel="C1"), command, None)
    except Refused:
        return False
    return True


@pytest.mark.parametrize("kind", CATALOGUE)
async def test_a_button_of_an_action_asks_for_its_role(world: World, kind: str) -> None:
    """To see the plan, confirm, reject or cancel."""
    role = world.desk.policy(CATALOGUE[kind].kind).role
    tries = [(verb, who) for verb in ("", "confirm ", "reject ", "cancel ") for who in LET_IN]
    assert [each for each in tries if await _allowed(world, kind, *each)] == [
        (verb, who) for verb, who in tries if who == role
    ]
    assert await world.denials() == [f"{PEOPLE[who]} denied" for _, who in tries if who != role]


async def _allowed(world: World, kind: str, verb: str, who: str) -> bool:
    record = cast(
        "ActionRecord", SimpleNamespace(kind=kind, target="bot1", incident_id=None, awaits_second=False)
    )

    async def look(handle: str) -> ActionRecord:
        del handle
        return record

    engine = SimpleNamespace(look=look, services=SimpleNamespace(desk=world.desk))
    desk = cast("ActionDependencies", SimpleNamespace(services=world.services, engine=engine))
    click = Click(user=PEOPLE[who], user_name=who, handle="h", action_id=f"action.{kind}")
    try:
        return await allowed(desk, "h", click, verb) is record
    except Refused:
        return False


@pytest.mark.parametrize("who", LET_IN)
async def test_a_button_of_an_incident_and_the_silence_form_ask_for_the_operator(
    world: World, who: str
) -> None:
    """Acknowledge, triage again and resolve share one door; the form has its own, asked when it is submitted too."""
    await Story(world.store).fire("BotFrozen")
    handle = await world.store.read(lambda tx: tx.incidents.handle(1))
    done: list[str] = []

    def operation(tx: Tx, incident_id: int, *, actor: str, now: object) -> OperationResult:
        del tx, incident_id, now
        done.append(actor)
        return OperationResult(changed=True, text="done")

    click = Click(user=PEOPLE[who], user_name=who, handle=handle, action_id="incident.acknowledge")
    said = await pressed(world.services, click, "acknowledge incidents", operation)
    assert (said == "done", done) == ((True, [PEOPLE[who]]) if who == "operator" else (False, []))
    if who != "operator":
        assert "may not" in said
        with pytest.raises(Refused, match="may not"):
            await open_silence_of(world.services, cast("Any", None), 1, click)
        assert len(await world.denials()) == 2

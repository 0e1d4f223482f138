"""Who left a group has no role: not for longer than a stale answer may serve, and not after a lasting error."""

from typing import Any, cast

import pytest

from bot.slack.client import SlackClient
from bot.slack.directory import ChannelMembers, UserGroups
from bot.slack.errors import Misconfigured, NotDone, OutcomeUnknown, RateLimited, SlackFailure
from tests.fakes.clock import ManualClock
from triage.desk_sections.roles import Role, RoleSettings
from triage.roles import Readers, Roles


class Listing:
    """Slack's lists of members, or the trouble that it was given."""

    def __init__(self) -> None:
        self.trouble: SlackFailure | None = None
        self.asked: list[str] = []

    async def read(self, method: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as Slack's methods
        """Answer a call."""
        self.asked.append(method)
        if self.trouble is not None:
            raise self.trouble
        if method == "conversations.members":
            more = {} if arguments["cursor"] else {"response_metadata": {"next_cursor": "2"}}
            return {"members": ["U0BEN00001" if arguments["cursor"] else "U0ANA00001"], **more}
        return {"users": ["U0ANA00001"]}


def world() -> tuple[Listing, ManualClock, UserGroups, Roles]:
    """Return a listing, the clock, the groups and roles that ask it."""
    listing, clock = Listing(), ManualClock()
    groups = UserGroups(cast("SlackClient", listing), clock, ttl_seconds=300, stale_seconds=3600)
    settings = RoleSettings(operator=Role(groups=frozenset({"S0OPERATOR"})))
    return listing, clock, groups, Roles(settings, groups)


@pytest.mark.parametrize(
    "trouble", [OutcomeUnknown("m", "timeout"), RateLimited("m", 9), NotDone("m", "internal_error")]
)
async def test_an_older_list_serves_for_an_hour_and_then_nobody_is_a_member(trouble: SlackFailure) -> None:
    """A removed operator must not keep the role for as long as Slack is silent."""
    listing, clock, _, roles = world()
    assert (await roles.decide("U0ANA00001", "operator", "x")).allowed
    listing.trouble = trouble
    clock.move(3500)
    assert (await roles.decide("U0ANA00001", "operator", "x")).allowed
    clock.move(200)
    decision = await roles.decide("U0ANA00001", "operator", "x")
    assert (decision.allowed, decision.unsure) == (False, True)
    clock.move(30 * 24 * 3600)
    assert not (await roles.decide("U0ANA00001", "operator", "x")).allowed


async def test_an_answer_without_a_list_is_no_empty_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator would lose the role by an answer that was cut off."""
    listing, clock, _, roles = world()
    assert (await roles.decide("U0ANA00001", "operator", "x")).allowed

    async def nothing(method: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as Slack's methods
        del method, arguments
        return {"ok": True}

    monkeypatch.setattr(listing, "read", nothing)
    clock.move(400)
    assert (await roles.decide("U0ANA00001", "operator", "x")).allowed


@pytest.mark.parametrize(
    "trouble",
    [Misconfigured("m", "missing_scope"), NotDone("m", "no_such_subteam"), NotDone("m", "subteam_disabled")],
)
async def test_an_error_that_lasts_means_no_member_at_once(trouble: SlackFailure) -> None:
    """And it stays so when Slack is silent afterwards."""
    listing, clock, groups, roles = world()
    assert (await roles.decide("U0ANA00001", "operator", "x")).allowed
    listing.trouble = trouble
    clock.move(301)
    assert not (await roles.decide("U0ANA00001", "operator", "x")).allowed
    assert await groups.members("S0OPERATOR") == frozenset()
    assert str(trouble) in groups.problems["S0OPERATOR"]
    listing.trouble = OutcomeUnknown("m", "timeout")
    assert not (await roles.decide("U0ANA00001", "operator", "x")).allowed
    listing.trouble = None
    assert (await roles.decide("U0ANA00001", "operator", "x")).allowed
    assert groups.problems == {}


@pytest.mark.parametrize(
    ("reading", "may"),
    [("everybody", {"ana", "ben", "vik"}), ("operator", {"ana"}), ("channel", {"ana", "ben"})],
)
async def test_reading_is_limited_by_the_setting(reading: str, may: set[str]) -> None:
    """Ana holds a role, ben is in the channel only, vik neither; what cannot be found out is a no."""
    listing, clock, _, roles = world()
    members = ChannelMembers(cast("SlackClient", listing), clock)
    settings = RoleSettings.model_validate({"reading": reading})
    readers = Readers(settings, roles, lambda: members.members("C1"))
    people = {"ana": "U0ANA00001", "ben": "U0BEN00001", "vik": "U0VIK00001"}
    assert {name for name, user in people.items() if await readers.may_read(user)} == may
    listing.trouble = OutcomeUnknown("m", "timeout")
    clock.move(7200)
    everybody = set(people) if reading == "everybody" else set()
    assert {name for name, user in people.items() if await readers.may_read(user)} == everybody

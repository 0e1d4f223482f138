"""Who may do what: roles of desk.yaml, held by people of the chat and by members of its groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from triage.desk_sections.roles import Role, RoleSettings
from triage.errors import Refused, TriageError
from triage.wording import listed

MOST_NAMED = 6
RoleName = Literal["operator", "approver"]


class Membership(Protocol):
    """Who is in a user group of the workspace."""

    async def members(self, group_id: str) -> frozenset[str]:
        """Return the user ids of a group. Raises TriageError where that cannot be found out."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether somebody may; ``why`` is for that person."""

    allowed: bool
    why: str = ""
    unsure: bool = False
    """Not allowed because it could not be found out."""


class Roles:
    """Answers who holds a role. What cannot be found out is a no that says so."""

    def __init__(self, settings: RoleSettings, membership: Membership) -> None:
        self._settings = settings
        self._membership = membership

    async def decide(self, user: str, role: RoleName, what: str) -> Decision:
        """Decide whether a user may do something that a role may do; ``what`` ends ``You may not …``."""
        settings: Role = getattr(self._settings, role)
        if user in settings.users:
            return Decision(allowed=True)
        unsure: list[str] = []
        for group in sorted(settings.groups):
            try:
                if user in await self._membership.members(group):
                    return Decision(allowed=True)
            except TriageError as error:
                unsure.append(str(error))
        if unsure:
            return Decision(
                allowed=False,
                unsure=True,
                why=f"I could not check whether you may {what} ({unsure[0]}). Please try again in a moment.",
            )
        if not settings.users and not settings.groups:
            return Decision(
                allowed=False, why=f"Nobody may {what}: desk.yaml gives the role {role} to nobody."
            )
        return Decision(
            allowed=False,
            why=f"You may not {what}: it takes the role {role}, which desk.yaml gives to "
            f"{listed(sorted({*settings.users, *settings.groups}), MOST_NAMED)}.",
        )

    async def require(self, user: str, role: RoleName, what: str) -> None:
        """Return where the user may; raise Refused with the reason otherwise."""
        decision = await self.decide(user, role, what)
        if not decision.allowed:
            raise Refused(decision.why)


class Readers:
    """Answers who may read the desk in the chat. What cannot be found out is a no, where reading is limited."""

    def __init__(
        self, settings: RoleSettings, roles: Roles, in_channel: Callable[[], Awaitable[frozenset[str]]]
    ) -> None:
        self._settings = settings
        self._roles = roles
        self._in_channel = in_channel

    async def may_read(self, user: str) -> bool:
        """Tell whether somebody may read: by the setting, or because they hold a role."""
        if self._settings.reading == "everybody":
            return True
        if self._settings.reading == "channel":
            try:
                if user in await self._in_channel():
                    return True
            except TriageError:
                pass  # the role below may still say yes
        roles: tuple[RoleName, ...] = ("operator", "approver")
        return any([(await self._roles.decide(user, role, "read")).allowed for role in roles])

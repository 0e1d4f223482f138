"""The parts of desk.yaml about who may do what: ``roles``, ``actions``, ``agent``."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from triage.action_kinds import KINDS
from triage.desk_sections.names import ActionKind
from triage.desk_sections.section import DeskSection


class Role(DeskSection):
    """People and groups of the chat who hold a role."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


class RoleSettings(DeskSection):
    """Who may do what. With no role nobody may act; who may read is ``reading``."""

    operator: Role = Role()
    approver: Role = Role()
    reading: Literal["everybody", "operator", "channel"] = "everybody"
    """Who may read: everybody of the workspace, who holds a role, or who is in the incidents' channel (or holds one)."""


class ActionPolicy(DeskSection):
    """Who may run an action and how many different people must confirm it."""

    role: Literal["operator", "approver"] = "operator"
    confirmations: Annotated[int, Field(ge=1, le=2)] = 1


class AgentPeople(DeskSection):
    """People whom the agent itself believes to hold a role that is given to a group."""

    operator: frozenset[str] = frozenset()
    approver: frozenset[str] = frozenset()


class AgentSettings(DeskSection):
    """What the agent that touches the desk allows at all, whoever confirms it."""

    kinds: tuple[ActionKind, ...] = KINDS
    """Kinds of actions that may be done here."""
    actions_per_hour: int = Field(default=20, ge=1, le=1000)
    workspace: str = ""
    """Whose people may confirm (HTTP mode): the workspace's id. Empty: that in which Slack says the app is installed."""
    people: AgentPeople = AgentPeople()
    """Who is in the roles' groups: the chat alone knows that, and the agent cannot ask it."""

    @field_validator("workspace")
    @classmethod
    def _is_workspace(cls, value: str) -> str:
        if not re.fullmatch(r"(T[A-Z0-9]{2,30})?", value):
            raise ValueError(f"{value!r} is no workspace's id; write T…, or leave it empty")
        return value

    def allows(self, kind: str) -> bool:
        """Whether a kind may be done here."""
        return kind in self.kinds

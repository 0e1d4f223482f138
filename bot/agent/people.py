"""Who may confirm, as the agent knows it: by desk.yaml's own lists. Pure.

Who is in a user group Slack alone knows, and the agent cannot ask it. So a group counts only where Slack's signature
proves the person (HTTP mode), and where ``agent.people`` does not name the people of that role.
"""

from __future__ import annotations

from collections.abc import Sequence

from triage.desk import Desk
from triage.desk_sections.roles import Role

ROLES = ("operator", "approver")


def why_not_person(
    desk: Desk, kind: str, actor: str, actors: Sequence[str], *, apart: bool, proven: bool
) -> str:
    """Return why a person may not confirm a plan that ``actors`` confirmed before; empty where he may.

    ``apart`` False: the bot is in the same process, and has asked Slack who is in a group. ``proven``: Slack's
    signature proves the person, so that a group counts where no list says more.
    """
    # Loads the catalogue of actions, which an agent without anything to do does not need.
    from triage.actions.authority import role_for  # noqa: PLC0415

    wanted = role_for(desk, kind, actors.index(actor) if actor in actors else len(actors))
    role, named = _role(desk, wanted), _named(desk, wanted)
    by_group = role.groups and (not apart or (proven and not named))
    if by_group or actor in role.users or actor in named:
        return ""
    if role.groups:
        return (
            f"{actor} is named neither in roles.{wanted}.users nor in agent.people.{wanted} of desk.yaml here, "
            "and who is in a group only Slack knows"
        )
    if not role.users:
        return f"desk.yaml here gives the role {wanted} to nobody"
    return f"{actor} has not the role {wanted} in desk.yaml here"


def why_not_known(desk: Desk, *, by_group: bool) -> str:
    """Return why nobody of a role can ever be believed, with the mend; empty where somebody can."""
    for name in ROLES:
        role = _role(desk, name)
        if role.groups and not (role.users or _named(desk, name) or by_group):
            return (
                f"roles.{name} names groups alone, and who is in a group only Slack knows: name the people in "
                f"agent.people.{name}, or give the agent SLACK_SIGNING_SECRET (HTTP mode), which proves the person"
            )
    return ""


def _role(desk: Desk, name: str) -> Role:
    return desk.roles.approver if name == "approver" else desk.roles.operator


def _named(desk: Desk, name: str) -> frozenset[str]:
    return desk.agent.people.approver if name == "approver" else desk.agent.people.operator

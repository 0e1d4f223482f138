"""Who of those that confirmed an action still may: asked again when the last one confirms, and before the first step."""

from __future__ import annotations

from triage.actions.catalogue import CATALOGUE
from triage.desk import Desk
from triage.plans.record import ActionRecord
from triage.roles import RoleName, Roles


def role_for(desk: Desk, kind: str, number: int) -> RoleName:
    """Return the role of the ``number``-th person (0: the first) who confirms an action of a kind.

    The second person is an approver, where desk.yaml names any; else another one of those who may act.
    """
    approvers = desk.roles.approver
    if number and (approvers.users or approvers.groups):
        return "approver"
    return desk.policy(CATALOGUE[kind].kind).role


async def no_longer_allowed(roles: Roles, desk: Desk, record: ActionRecord) -> dict[str, str]:
    """Return who confirmed and may no longer, with the reason. What cannot be found out is a no as well."""
    found: dict[str, str] = {}
    for number, confirmation in enumerate(record.confirmations):
        role = role_for(desk, record.kind, number)
        decision = await roles.decide(confirmation.actor, role, f"confirm {record.kind}")
        if not decision.allowed:
            found[confirmation.actor] = (
                "the role could not be checked" if decision.unsure else f"no longer {role}"
            )
    return found

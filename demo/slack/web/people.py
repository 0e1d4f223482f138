"""auth.*, users.*, usergroups.*, reactions.*: the token's own identity, people, user groups, reactions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from demo.slack.errors import SlackError
from demo.slack.web.call import page
from demo.slack.workspace import TEAM_ID, TEAM_NAME, Change

if TYPE_CHECKING:
    from demo.slack.model import Json, Usergroup
    from demo.slack.web.call import WebCall


async def auth_test(call: WebCall) -> Json:
    """auth.test."""
    app = call.workspace.app
    identity = {
        "url": f"{call.server.base_url}/",
        "team": TEAM_NAME,
        "team_id": TEAM_ID,
        "is_enterprise_install": False,
    }
    if call.token.kind == "app":
        return identity | {"app_id": app.app_id, "app_name": app.display_name}
    return identity | {"user": app.name, "user_id": app.bot_user, "bot_id": app.bot_id}


async def users_info(call: WebCall) -> Json:
    """users.info."""
    user = call.workspace.users.get(call.args.text("user", ""))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user.to_slack(TEAM_ID)}


async def users_list(call: WebCall) -> Json:
    """users.list."""
    everyone = list(call.workspace.users.values())
    some, following = page(everyone, call.args.maybe("cursor"), call.args.number("limit", 200, 1000))
    return {
        "members": [user.to_slack(TEAM_ID) for user in some],
        "response_metadata": {"next_cursor": following},
    }


async def users_lookup_by_email(call: WebCall) -> Json:
    """users.lookupByEmail."""
    email = call.args.text("email")
    for user in call.workspace.users.values():
        if user.to_slack(TEAM_ID)["profile"]["email"] == email:
            return {"user": user.to_slack(TEAM_ID)}
    raise SlackError("users_not_found")


def _group_json(group: Usergroup, *, users: bool) -> Json:
    body: Json = {
        "id": group.id,
        "team_id": TEAM_ID,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "date_delete": 0,
        "user_count": len(group.users),
    }
    return body | ({"users": list(group.users)} if users else {})


async def usergroups_list(call: WebCall) -> Json:
    """usergroups.list."""
    users = call.args.flag("include_users")
    return {"usergroups": [_group_json(group, users=users) for group in call.workspace.groups.values()]}


async def usergroups_users_list(call: WebCall) -> Json:
    """usergroups.users.list."""
    group = call.workspace.groups.get(call.args.text("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


async def reactions_add(call: WebCall) -> Json:
    """reactions.add."""
    channel = call.joined_channel()
    message = call.workspace.message(channel.id, call.args.text("timestamp"))
    name = call.args.text("name")
    if re.fullmatch(r"[a-z0-9_+'-]+", name) is None:
        raise SlackError("invalid_name")
    users = message.reactions.setdefault(name, [])
    if call.token.user in users:
        raise SlackError("already_reacted")
    users.append(call.token.user)
    call.workspace.tell(Change("reaction", message))
    return {}

"""The views people have open: a stack of at most three modals each, and a Home tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.slack.blockkit import check_view, fill_ids
from demo.slack.errors import SlackError
from demo.slack.inputs import initial_state
from demo.slack.model import View
from demo.slack.workspace import Change

if TYPE_CHECKING:
    from demo.slack.model import Json, ViewKind
    from demo.slack.workspace import Workspace

DEPTH = 3


class Modals:
    """Opens, stacks, updates and closes views, and tells the workspace of each change."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stacks: dict[str, list[View]] = {}

    def checked(self, body: Json) -> Json:
        """Return a modal's body if Slack would take it; `SlackError` `invalid_arguments` else."""
        check_view(body, "modal")
        return body

    def top(self, user: str) -> View | None:
        """Return the modal a user has before them."""
        stack = self._stacks.get(user)
        return stack[-1] if stack else None

    def find(self, view_id: str | None, external_id: str | None) -> View:
        """Return an open view by id or external id; `SlackError` `not_found`."""
        shown = [view for stack in self._stacks.values() for view in stack]
        for view in (*shown, *self._workspace.homes.values()):
            if view.id == view_id or (external_id and view.external_id == external_id):
                return view
        raise SlackError("not_found")

    def _new(self, user: str, body: Json, kind: ViewKind, below: View | None = None) -> View:
        external = body.get("external_id") or ""
        shown = [view for stack in self._stacks.values() for view in stack]
        if external and any(view.external_id == external for view in shown):
            raise SlackError("duplicate_external_id")
        view_id = self._workspace.ids.object("V")
        blocks = fill_ids(body["blocks"], self._workspace.ids)
        return View(
            id=view_id,
            kind=kind,
            user=user,
            body=body,
            hash=self._hash(),
            root_id=below.root_id if below else view_id,
            previous_id=below.id if below else None,
            external_id=external,
            state=initial_state(blocks),
        )

    def _hash(self) -> str:
        return f"{self._workspace.ids.ts().partition('.')[0]}.{self._workspace.ids.short()}"

    def _tell(self, user: str) -> None:
        self._workspace.tell(Change("view", user=user, view=self.top(user)))

    def open(self, user: str, body: Json) -> View:
        """Show a modal alone."""
        view = self._new(user, body, "modal")
        self._stacks[user] = [view]
        self._tell(user)
        return view

    def push(self, user: str, body: Json) -> View:
        """Show a modal over the one that is open; `push_limit_reached` at the fourth."""
        stack = self._stacks.get(user) or []
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= DEPTH:
            raise SlackError("push_limit_reached")
        view = self._new(user, body, "modal", below=stack[-1])
        stack.append(view)
        self._tell(user)
        return view

    def update(self, view: View, body: Json, view_hash: str | None = None) -> View:
        """Replace a view's content; what was entered under ids that stay is kept. `hash_conflict`."""
        check_view(body, view.kind)
        if view_hash is not None and view_hash != view.hash:
            raise SlackError("hash_conflict")
        blocks = fill_ids(body["blocks"], self._workspace.ids)
        view.body, view.hash, view.errors = body, self._hash(), {}
        view.state = initial_state(blocks, view.state)
        view.external_id = body.get("external_id") or view.external_id
        if view.kind == "modal":
            self._tell(view.user)
        else:
            self._workspace.tell(Change("home", user=view.user, view=view))
        return view

    def publish(self, user: str, body: Json, view_hash: str | None = None) -> View:
        """Set a user's Home tab."""
        check_view(body, "home")
        current = self._workspace.homes.get(user)
        if current is not None:
            return self.update(current, body, view_hash)
        if view_hash is not None:
            raise SlackError("hash_conflict")
        view = self._new(user, body, "home")
        self._workspace.homes[user] = view
        self._workspace.tell(Change("home", user=user, view=view))
        return view

    def reject(self, view: View, errors: dict[str, str]) -> None:
        """Show what is wrong under the inputs of a view."""
        view.errors = errors
        self._tell(view.user)

    def close(self, view: View) -> None:
        """Take one modal off its stack; the one below shows again."""
        stack = self._stacks.get(view.user, [])
        if view in stack:
            stack.remove(view)
            self._tell(view.user)

    def clear(self, user: str) -> None:
        """Close all of a user's modals."""
        if self._stacks.pop(user, None):
            self._tell(user)

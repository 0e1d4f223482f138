"""Acts as a person who uses Slack: writes, clicks, chooses, fills in forms, and sees what they would see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from demo.slack import payloads
from demo.slack.blockkit import walk
from demo.slack.errors import NoSuchElementError, SlackError
from demo.slack.hooks import show
from demo.slack.inputs import filled, initial_state
from demo.slack.model import Json, Message, View
from demo.slack.submission import TROUBLE, ActOutcome, answered, outcome_of, refused_by_slack
from demo.slack.triggers import Reply
from demo.slack.web.call import Args

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.slack.backend import SlackBackend
    from demo.slack.model import User
    from demo.slack.sockets import Ack

_OF_BUTTON = ("text", "value", "style", "url", "confirm")


class Actor:
    """Acts as one user. Get it with `SlackBackend.member("ana")`."""

    def __init__(self, server: SlackBackend, user: User) -> None:
        self._server = server
        self.user = user

    # -- what they see -----------------------------------------------------------------------------------------

    @property
    def modal(self) -> View | None:
        """The modal before them, if one is open."""
        return self._server.modals.top(self.user.id)

    @property
    def home(self) -> View | None:
        """The app's Home tab as published for them."""
        return self._server.workspace.homes.get(self.user.id)

    async def sees_modal(self, callback_id: str | None = None, seconds: float = 20.0) -> View:
        """Wait for a modal (with this callback id) and return it."""

        def there() -> bool:
            view = self.modal
            return view is not None and callback_id in {None, view.body.get("callback_id")}

        await self._server.workspace.until(
            there, seconds, f"a modal {callback_id or ''} for {self.user.name}"
        )
        view = self.modal
        if view is None:
            raise TimeoutError(f"the modal for {self.user.name} was closed at once")
        return view

    # -- what they write ---------------------------------------------------------------------------------------

    def say(self, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Write a message; `@app` mentions the app. The app gets an event if it is subscribed."""
        server = self._server
        place = server.workspace.channel(channel)
        if self.user.id not in place.members:
            raise SlackError("not_in_channel")
        text = self._mentions(text)
        message = server.workspace.post(
            Message(place.id, server.workspace.ids.ts(), self.user.id, text=text, thread_ts=thread_ts)
        )
        if f"<@{server.app.bot_user}>" in text and server.app.bot_user in place.members and not place.is_im:
            server.delivery.event(payloads.message_event(server, self.user, message, "app_mention"))
        server.delivery.event(payloads.message_event(server, self.user, message, "message"))
        return message

    def _mentions(self, text: str) -> str:
        """Write names after an @ as Slack does: `@Ana Operator` and `@ana` become `<@U0ANA00001>`."""
        users = self._server.workspace.users.values()
        names = {name: user.id for user in users for name in (user.real_name, user.name)}
        for name in sorted(names, key=len, reverse=True):
            text = re.sub(rf"(?<![\w<])@{re.escape(name)}(?![\w-])", f"<@{names[name]}>", text)
        return text

    async def command(self, line: str, channel: str = "desk-alerts") -> ActOutcome:
        """Send a slash command such as `/triage status`; the answer of the acknowledgement is shown at once."""
        server = self._server
        place = server.workspace.channel(channel)
        command, _, text = line.partition(" ")
        if command not in server.app.commands:
            server.workspace.notice(place.id, self.user.id, f"`{command}` is not a valid command.")
            return ActOutcome(acked=False, why="invalid_command", sent=False)
        ack = await server.delivery.command(
            payloads.slash_command(server, self.user, place, command, text.strip())
        )
        if not ack.acked:
            code = "operation_timeout" if ack.why == "operation_timeout" else "dispatch_failed"
            server.workspace.notice(place.id, self.user.id, f"`{command}` failed with the error `{code}`")
        elif ack.payload:
            return self._answered(place.id, ack)
        return outcome_of(ack)

    def _answered(self, channel: str, ack: Ack) -> ActOutcome:
        """Show the payload of a command's acknowledgement; a payload Slack refuses shows as a failed command."""
        try:
            show(self._server, Reply(channel, self.user.id, None, 0.0), Args(ack.payload or {}))
        except SlackError as error:
            self._server.workspace.notice(channel, self.user.id, f"The command's answer was refused: {error}")
            return ActOutcome(acked=True, seconds=ack.seconds, payload=ack.payload, why=str(error))
        return outcome_of(ack)

    # -- what they click ---------------------------------------------------------------------------------------

    async def click(
        self,
        where: Message | View | None,
        action_id: str,
        value: object = None,
        *,
        block_id: str | None = None,
    ) -> ActOutcome:
        """Use a button, a menu or another element of a message or a view (None: the open modal).

        `value` is what is chosen in a menu. `NoSuchElementError` when the element is not there. A confirmation
        dialog is taken as answered with yes.
        """
        target = where or self.modal
        if target is None:
            raise NoSuchElementError(f"{self.user.name} has no modal open")
        block, element = self._element(target, action_id, block_id)
        action = _action(block, element, value)
        state = self._state(target)
        if element["type"] not in {"button", "overflow"}:
            state.setdefault(block["block_id"], {})[action_id] = filled(element, value)
        if isinstance(target, View):
            payload = payloads.view_action(self._server, self.user, target, action)
        else:
            payload = payloads.message_action(self._server, self.user, target, action, state)
        return outcome_of(await self._server.delivery.interactive(payload))

    def _element(self, target: Message | View, action_id: str, block_id: str | None) -> tuple[Json, Json]:
        blocks = _blocks(target)
        for _, block, element in walk(blocks):
            if element["action_id"] == action_id and block_id in {None, block["block_id"]}:
                return block, element
        offered = ", ".join(element["action_id"] for _, _, element in walk(blocks)) or "nothing"
        raise NoSuchElementError(f"no element {action_id!r} here; there is {offered}")

    def _state(self, target: Message | View) -> dict[str, dict[str, Json]]:
        if isinstance(target, View):
            return target.state
        key = (target.channel, target.ts, self.user.id)
        fresh = initial_state(_blocks(target), self._server.message_states.get(key))
        self._server.message_states[key] = fresh
        return fresh

    # -- forms -------------------------------------------------------------------------------------------------

    def enter(self, action_id: str, value: object, *, block_id: str | None = None) -> None:
        """Fill one input of the open modal, without sending anything."""
        view = self._open_modal()
        block, element = self._element(view, action_id, block_id)
        view.state.setdefault(block["block_id"], {})[action_id] = filled(element, value)

    async def submit(self, values: Mapping[str, object] | None = None) -> ActOutcome:
        """Fill the open modal (action id → value) and press its submit button."""
        view = self._open_modal()
        for action_id, value in (values or {}).items():
            self.enter(action_id, value)
        errors = refused_by_slack(view)
        if errors:
            self._server.modals.reject(view, errors)
            return ActOutcome(acked=False, errors=errors, sent=False)
        payload = payloads.view_submission(self._server, self.user, view)
        ack = await self._server.delivery.interactive(payload)
        if not ack.acked:
            self._server.modals.reject(view, {"": TROUBLE})
            return outcome_of(ack)
        return answered(self._server, view, ack)

    async def close(self, *, cleared: bool = False) -> ActOutcome:
        """Close the open modal, or with `cleared` (or when the view says so) all that are stacked."""
        view = self._open_modal()
        everything = cleared or bool(view.body.get("clear_on_close"))
        if everything:
            self._server.modals.clear(self.user.id)
        else:
            self._server.modals.close(view)
        if not view.body.get("notify_on_close"):
            return ActOutcome(acked=True, sent=False)
        payload = payloads.view_closed(self._server, self.user, view, cleared=everything)
        return outcome_of(await self._server.delivery.interactive(payload))

    def open_home(self) -> None:
        """Open the app's Home tab; the app gets an event if it is subscribed."""
        self._server.delivery.event(payloads.home_opened(self._server, self.user))

    def _open_modal(self) -> View:
        view = self.modal
        if view is None:
            raise NoSuchElementError(f"{self.user.name} has no modal open")
        return view


def _blocks(target: Message | View) -> list[Json]:
    if isinstance(target, View):
        return list(target.body["blocks"])
    inner = [block for attachment in target.attachments for block in attachment.get("blocks") or []]
    return [*target.blocks, *inner]


def _action(block: Json, element: Json, value: object) -> Json:
    """Return the entry of `actions` for using an element."""
    action: Json = {"action_id": element["action_id"], "block_id": block["block_id"], "type": element["type"]}
    if element["type"] == "button":
        return action | {name: element[name] for name in _OF_BUTTON if name in element}
    return action | filled(element, value)

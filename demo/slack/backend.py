"""What the parts of the server share: the workspace, what calls it, and what a test asks of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from demo.slack.calls import CallLog
from demo.slack.delivery import Delivery
from demo.slack.faults import Faults
from demo.slack.modals import Modals
from demo.slack.model import Token
from demo.slack.pace import Pace
from demo.slack.settings import AppConfig, Timing
from demo.slack.signed import SignedRequests
from demo.slack.sockets import Sockets
from demo.slack.tasks import Background
from demo.slack.triggers import ResponseUrls, Triggers
from demo.slack.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from demo.slack.model import Json, Message


class SlackBackend:
    """A workspace with one app in it, and no server: ``base_url`` is empty until one serves it."""

    def __init__(
        self, app: AppConfig | None, timing: Timing | None, clock: Callable[[], float], *, rate_limits: bool
    ) -> None:
        self.app = app or AppConfig()
        self.timing = timing or Timing()
        self.base_url = ""
        self._tasks = Background()
        self.workspace = Workspace(self.app, clock)
        self.faults, self.calls, self.pace = Faults(), CallLog(), Pace(enabled=rate_limits)
        self.triggers = Triggers(self.workspace.ids, self.timing)
        self.response_urls = ResponseUrls(self.workspace.ids, self.timing)
        self.modals = Modals(self.workspace)
        self.sockets = Sockets(self.workspace)
        self._signed = SignedRequests(self.app)
        self.delivery = Delivery(self.workspace, self.timing, self.sockets, self._signed, tasks=self._tasks)
        self.message_states: dict[tuple[str, str, str], dict[str, dict[str, Json]]] = {}
        self.tokens: dict[str, Token] = {}
        self.add_token(self.app.bot_token, "bot", self.app.scopes)
        self.add_token(self.app.app_token, "app", self.app.app_scopes)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background, until the server stops."""
        self._tasks.spawn(work)

    @property
    def api_url(self) -> str:
        """The Web API's base address, for `AsyncWebClient(base_url=…)` and `SLACK_API_URL`."""
        return f"{self.base_url}/api/"

    def add_token(self, value: str, kind: str, scopes: tuple[str, ...]) -> None:
        """Accept another token, or change the scopes of one; `kind` is `bot` or `app`."""
        known = Token(value, "app" if kind == "app" else "bot", frozenset(scopes), self.app.bot_user)
        self.tokens[value] = known

    def revoke_token(self, value: str, why: str = "token_revoked") -> None:
        """Refuse a token from now on; `why` is what its calls are told (`token_expired`, `account_inactive`, …)."""
        self.tokens[value] = replace(self.tokens[value], refused=why)

    def response_url(self, channel: str, user: str, message: Message | None = None) -> str:
        """Return a new `response_url` for what `user` just did."""
        return f"{self.base_url}/response/{self.response_urls.issue(channel, user, message)}"

    # -- looking -----------------------------------------------------------------------------------------------

    def messages(self, channel: str, *, replies: bool = False) -> list[Message]:
        """Return the messages of a channel, oldest first; with `replies` those in threads too."""
        found = self.workspace.channel(channel).messages.values()
        return [message for message in found if replies or not message.is_reply]

    def thread(self, message: Message) -> list[Message]:
        """Return the replies to a message, oldest first, the message itself left out."""
        return self.workspace.thread(message.channel, message.ts)[1:]

    def ephemerals(self, channel: str, user: str | None = None) -> list[Message]:
        """Return what only one person sees in a channel, all of them or one user's (id or name)."""
        wanted = None if user is None else self.workspace.user(user).id
        return [m for m in self.workspace.channel(channel).ephemerals if wanted in {None, m.ephemeral_to}]

    def delivered(self, delivery_id: str) -> list[Message]:
        """Return the messages that carry a `delivery_id`: exactly once means exactly one."""
        return [message for message in self.workspace.all_messages() if message.delivery_id == delivery_id]

    def deliveries(self) -> Counter[str]:
        """Return how often each `delivery_id` is in the workspace."""
        ids = (message.delivery_id for message in self.workspace.all_messages())
        return Counter(each for each in ids if each is not None)

    def delete(self, message: Message) -> None:
        """Delete a message as an admin would."""
        self.workspace.delete(message)

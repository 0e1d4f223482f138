"""What a step of a plan does, as data: a small closed set, shown to the person and executed as it stands.

A step is stored with the plan that was confirmed. The executor interprets it; nothing is computed anew
between what was shown and what is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

Verb = Literal["up", "recreate", "restart", "stop", "up_all", "up_rest", "down", "ps", "logs"]
"""The calls of Docker Compose that actions make; what each is, is ``triage.actions.compose.WORDS``."""


@dataclass(frozen=True, slots=True)
class ComposeCall:
    """Call Docker Compose for one service, or for the desk. Exit code 0 is success.

    ``external`` False leaves out the profile of the external stack. ``line`` is the command line as it is shown; what is
    run is resolved again by whoever runs it.
    """

    verb: Verb
    service: str
    external: bool
    line: str
    type: Literal["compose"] = "compose"

    @property
    def shown(self) -> str:
        """The command line as a person would type it."""
        return self.line


@dataclass(frozen=True, slots=True)
class RemoveCaches:
    """Remove the configured folders of bytecode in a bot's container."""

    bot: str
    line: str
    type: Literal["remove_caches"] = "remove_caches"

    @property
    def shown(self) -> str:
        """The command line that does the same."""
        return self.line


@dataclass(frozen=True, slots=True)
class AwaitContainer:
    """Wait until a container runs (and is healthy, where it has a health check)."""

    container: str
    type: Literal["await_container"] = "await_container"

    @property
    def shown(self) -> str:
        """What is waited for."""
        return f"wait until {self.container} runs and is healthy"


@dataclass(frozen=True, slots=True)
class AwaitStreams:
    """Wait until a Redis stream takes new entries: its newest one younger than ``fresh_seconds``."""

    stream: str
    fresh_seconds: float
    type: Literal["await_streams"] = "await_streams"

    @property
    def shown(self) -> str:
        """What is waited for."""
        return f"wait until {self.stream} has an entry younger than {self.fresh_seconds:g} s"


@dataclass(frozen=True, slots=True)
class PingRedis:
    """Ask Redis whether it serves: answers, is a master, has loaded its data."""

    type: Literal["ping_redis"] = "ping_redis"

    @property
    def shown(self) -> str:
        """The command line that does the same."""
        return "redis-cli ping"


@dataclass(frozen=True, slots=True)
class CheckEnv:
    """Compare ``.env`` with its template: every key there and filled."""

    env: str
    template: str
    type: Literal["check_env"] = "check_env"

    @property
    def shown(self) -> str:
        """What is compared."""
        return f"compare {self.env} with {self.template}"


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Write a bot's conf, data, scripts and pmm_scripts into a new archive in ``backups/``."""

    bot: str
    archive: str
    type: Literal["take_snapshot"] = "take_snapshot"

    @property
    def shown(self) -> str:
        """The archive that is written."""
        return f"write backups/{self.archive}"


@dataclass(frozen=True, slots=True)
class Extract:
    """Verify an archive against its checksum and extract it beside the bot's folder, under ``token``."""

    bot: str
    archive: str
    sha256: str
    token: str
    type: Literal["extract"] = "extract"

    @property
    def shown(self) -> str:
        """What is extracted and by which checksum it is known."""
        return f"verify backups/{self.archive} (sha256 {self.sha256[:12]}…) and extract it beside data/{self.bot}"


@dataclass(frozen=True, slots=True)
class Swap:
    """Exchange the bot's folder for the one extracted under ``token``, in one rename; logs stay."""

    bot: str
    token: str
    type: Literal["swap"] = "swap"

    @property
    def shown(self) -> str:
        """What is exchanged."""
        return f"exchange data/{self.bot} for the extracted folder, in one rename (logs stay)"


@dataclass(frozen=True, slots=True)
class Discard:
    """Remove the folder that lies under ``token`` beside the bot's: the one that was replaced."""

    bot: str
    token: str
    type: Literal["discard"] = "discard"

    @property
    def shown(self) -> str:
        """What is removed."""
        return f"remove the replaced folder of {self.bot} (its content is in the pre-rollback snapshot)"


@dataclass(frozen=True, slots=True)
class SetEnv:
    """Change one key of ``.env``; refused when its value is no longer ``was``."""

    key: str
    value: str
    was: str
    type: Literal["set_env"] = "set_env"

    @property
    def shown(self) -> str:
        """The change, as a line of a diff."""
        return f".env: {self.key}={self.was} → {self.key}={self.value}"


@dataclass(frozen=True, slots=True)
class SetController:
    """Change one boolean of a bot's controller YAML; comments stay. Refused when it is no longer ``was``."""

    bot: str
    file: str
    key: str
    value: bool
    was: bool
    type: Literal["set_controller"] = "set_controller"

    @property
    def shown(self) -> str:
        """The change, as a line of a diff."""
        return f"data/{self.bot}/conf/{self.file}: {self.key}: {str(self.was).lower()} → {str(self.value).lower()}"


@dataclass(frozen=True, slots=True)
class PublishIntent:
    """Append an execution intent to its stream; it expires ``expires_seconds`` after that."""

    stream: str
    bot: str
    controller: str
    action: Literal["soft_pause", "resume", "kill_switch"]
    event_id: str
    expires_seconds: float
    type: Literal["publish_intent"] = "publish_intent"

    @property
    def shown(self) -> str:
        """The command line that does the same, in short."""
        return (
            f"XADD {self.stream} payload {{execution_intent {self.action} for {self.bot}, "
            f"expires in {self.expires_seconds:g} s, event_id {self.event_id[:8]}…}}"
        )


@dataclass(frozen=True, slots=True)
class FollowIntent:
    """Wait until an intent is applied, rejected or dead-lettered."""

    audit: str
    dead_letter: str
    event_id: str
    type: Literal["follow_intent"] = "follow_intent"

    @property
    def shown(self) -> str:
        """What is waited for."""
        return f"follow event_id {self.event_id[:8]}… to intent_applied, a rejection or a dead letter"


Op = Annotated[
    ComposeCall
    | RemoveCaches
    | AwaitContainer
    | AwaitStreams
    | PingRedis
    | CheckEnv
    | TakeSnapshot
    | Extract
    | Swap
    | Discard
    | SetEnv
    | SetController
    | PublishIntent
    | FollowIntent,
    Field(discriminator="type"),
]
"""What a step does: any of the operations above."""

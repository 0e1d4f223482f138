"""Settings from the environment, from ``.env`` and from files (``NAME_FILE``), and the desk from ``desk.yaml``.

A wrong setting raises SettingError with one line: the setting, what is wrong with its value, the mend.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from bot.desk_file import one_line, read_desk, why_unread
from bot.fallback import registry as fallback
from bot.http_url import HttpUrl
from bot.sources.registry import settings_of_all
from triage.desk import Desk
from triage.diagnosis.playbook_settings import validate_playbooks
from triage.env_text import read_env
from triage.errors import SettingError

_BRACED = re.compile(r"\$\{(?P<name>[A-Za-z_]\w*)(?::?-(?P<default>[^}]*))?\}")
_DATABASE = re.compile(
    r"sqlite(\+\w+)?://.*|postgresql(\+\w+)?://([^@]*@)?(\[[^\]]+\]|[^@:/\s]*)(:\d+)?([/?]\S*)?"
)


if TYPE_CHECKING:
    from bot.sources.alertmanager.settings import AlertmanagerSettings
    from bot.sources.docker.settings import DockerSettings
    from bot.sources.grafana.settings import GrafanaSettings
    from bot.sources.loki.settings import LokiSettings
    from bot.sources.prometheus.settings import PrometheusSettings
    from bot.sources.redis.settings import RedisSettings

    class SourceSettings(
        PrometheusSettings, LokiSettings, AlertmanagerSettings, RedisSettings, DockerSettings, GrafanaSettings
    ):
        """The settings of every source, as far as they are asked for by name here."""

    class ChannelSettings(BaseModel):
        """The settings of every fallback channel: none of them is asked for by name here."""

else:
    # Pydantic takes the fields of the last base first.
    SourceSettings = create_model("SourceSettings", __base__=settings_of_all()[::-1])
    ChannelSettings = create_model("ChannelSettings", __base__=fallback.settings_of_all()[::-1])


class Settings(SourceSettings, ChannelSettings):
    """Every setting of the service, checked. Empty means not set."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slack_bot_token: SecretStr = SecretStr("")
    slack_app_token: SecretStr = SecretStr("")
    slack_signing_secret: SecretStr = SecretStr("")
    slack_api_url: HttpUrl = "https://slack.com/api/"
    triage_channel: str = ""
    triage_digest_channel: str = ""
    triage_database_url: SecretStr = SecretStr("sqlite:///var/triage.db")
    triage_listen: str = "127.0.0.1:8085"
    triage_webhook_token: SecretStr = SecretStr("")
    triage_audit_key: SecretStr = SecretStr("")
    triage_webhook_auth: Literal["", "on", "off"] = ""
    triage_desk: str = ""
    triage_agent: str = ""
    triage_agent_state: str = ""
    triage_log_level: Literal["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    triage_log_format: Literal["text", "json"] = "text"
    triage_heartbeat_url: HttpUrl = ""
    desk: Desk = Field(default_factory=Desk)

    @field_validator("slack_api_url")
    @classmethod
    def _ends_in_slash(cls, value: str) -> str:
        return value if value.endswith("/") else f"{value}/"

    @field_validator("triage_agent")
    @classmethod
    def _is_agent(cls, value: str) -> str:
        if value and not re.fullmatch(r"unix:///\S+", value):
            raise ValueError(
                "is no agent's socket; write unix:///run/hbot-triage/agent.sock, or leave it empty"
            )
        return value

    @field_validator("triage_database_url")
    @classmethod
    def _is_database_url(cls, value: SecretStr) -> SecretStr:
        if not _DATABASE.fullmatch(value.get_secret_value()):
            raise ValueError(
                "is no database URL; write sqlite:///var/triage.db or postgresql://user:password@host/name"
            )
        return value

    @field_validator("triage_audit_key")
    @classmethod
    def _is_key(cls, value: SecretStr) -> SecretStr:
        least = 32
        if value.get_secret_value() and len(value.get_secret_value()) < least:
            raise ValueError("has fewer than 32 characters; make one with: openssl rand -hex 32")
        return value

    @field_validator("triage_listen")
    @classmethod
    def _is_address(cls, value: str) -> str:
        found = re.fullmatch(r"([\w.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})", value)
        if found is None or int(found[2]) > 65535:  # noqa: PLR2004 - the largest port there is
            raise ValueError("is no address; write HOST:PORT, for instance 127.0.0.1:8085")
        return value

    @field_validator("slack_bot_token")
    @classmethod
    def _is_bot_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith("xoxb-"):
            raise ValueError("does not begin with xoxb-; take the Bot User OAuth Token of the Slack app")
        return value

    @field_validator("slack_app_token")
    @classmethod
    def _is_app_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith("xapp-"):
            raise ValueError("does not begin with xapp-; make an app-level token with connections:write")
        return value

    @property
    def agent_record(self) -> Path | None:
        """Where an agent in this process keeps its record: beside a SQLite file; None with replicas: in memory alone."""
        if self.triage_agent_state:
            return Path(self.triage_agent_state) / "record.jsonl"
        scheme, _, place = self.triage_database_url.get_secret_value().partition("://")
        path = place.partition("?")[0].removeprefix("/")
        return Path(f"{path}.agent.jsonl") if scheme.startswith("sqlite") and path else None

    @property
    def digest_channel(self) -> str:
        """Where digests go: the incidents' channel where nothing else is set."""
        return self.triage_digest_channel or self.triage_channel

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        host, _, port = self.triage_listen.rpartition(":")
        return host.strip("[]"), int(port)

    def missing(self) -> tuple[tuple[str, str], ...]:
        """Return what the service cannot run without, as the setting and the sentence that asks for it."""
        listening = self.slack_app_token.get_secret_value() or self.slack_signing_secret.get_secret_value()
        open_webhook = self.triage_webhook_auth == "off"
        asked = (
            (
                "SLACK_BOT_TOKEN",
                bool(self.slack_bot_token.get_secret_value()),
                "is not set: take the Bot User OAuth Token (xoxb-…) of the Slack app",
            ),
            (
                "SLACK_APP_TOKEN",
                bool(listening),
                (
                    "is not set: take an app-level token (xapp-…) for Socket Mode, "
                    "or set SLACK_SIGNING_SECRET for HTTP mode"
                ),
            ),
            (
                "TRIAGE_CHANNEL",
                bool(self.triage_channel),
                "is not set: name the channel for incidents, by id or as #name",
            ),
            (
                "TRIAGE_WEBHOOK_TOKEN",
                bool(self.triage_webhook_token.get_secret_value()) or open_webhook,
                (
                    "is not set: choose one and give it to Alertmanager, "
                    "or set TRIAGE_WEBHOOK_AUTH=off to let anybody post"
                ),
            ),
        )
        lacking = tuple((name, what) for name, is_there, what in asked if not is_there)
        channels = fallback.addresses()
        if any(step.fallback for step in self.desk.escalation.steps) and not any(
            fallback.is_set(self, address) for address in channels
        ):
            what = f"has a step with fallback: true and no channel is set: set one of {', '.join(channels)}"
            return (*lacking, ("desk.yaml escalation.steps", what))
        return lacking

    def ready_to_run(self) -> Self:
        """Return the settings, or raise SettingError where the service cannot run with them."""
        for name, what in self.missing():
            raise SettingError(f"{name} {what}")
        return self

    @model_validator(mode="after")
    def _one_mode(self) -> Self:
        if self.triage_webhook_auth == "off" and self.triage_webhook_token.get_secret_value():
            raise ValueError(
                "TRIAGE_WEBHOOK_AUTH: it is off and TRIAGE_WEBHOOK_TOKEN is set; keep one of them"
            )
        if self.triage_agent and self.docker_host:
            raise ValueError(
                "TRIAGE_AGENT: DOCKER_HOST is set too; with an agent the bot has no way to Docker"
            )
        return self

    @property
    def audit_key(self) -> bytes:
        """The key of the audit trail; empty where none is set: then its lines are chained and not signed."""
        return self.triage_audit_key.get_secret_value().encode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret that is set: what logs must never show."""
        fields = (value.get_secret_value() for _, value in self if isinstance(value, SecretStr))
        return tuple(value for value in fields if value)


def load_settings(environment: Mapping[str, str] | None = None, *, folder: Path | None = None) -> Settings:
    """Read the settings: the environment before ``.env`` in ``folder`` (default: where the process stands)."""
    folder = folder or Path.cwd()
    values = {**file_values(folder), **(os.environ if environment is None else environment)}
    given = {name.lower(): setting_value(name, values) for name in setting_names()}
    given = {name: value for name, value in given.items() if value}
    desk = load_desk(given.get("triage_desk", ""), folder)
    try:
        return Settings.model_validate({**given, "desk": desk})
    except ValidationError as error:
        raise SettingError(one_line(error, upper=True)) from None


def setting_names() -> list[str]:
    """Return the name of every setting."""
    return [name.upper() for name in Settings.model_fields if name != "desk"]


def file_values(folder: Path) -> dict[str, str]:
    """Return what the ``.env`` of a folder sets. Raises SettingError where it cannot be read."""
    path = folder / ".env"
    if not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: cannot be read: {why_unread(error)}") from error
    found: dict[str, str] = {}
    for entry in read_env(text).entries:
        found[entry.key] = _filled(entry.value, {**os.environ, **found}) if entry.refers else entry.value
    return found


def _filled(value: str, known: Mapping[str, str]) -> str:
    """Return a value of ``.env`` with what stands for other variables filled in: ``${NAME}`` and ``${NAME:-default}``."""
    return _BRACED.sub(lambda place: known.get(place["name"]) or place["default"] or "", value)


def setting_value(name: str, values: Mapping[str, str]) -> str:
    """Return a setting's value, from its file where ``NAME_FILE`` names one. Raises SettingError."""
    path = values.get(f"{name}_FILE", "").strip()
    if not path:
        return values.get(name, "").strip()
    if values.get(name):
        raise SettingError(f"{name}: {name}_FILE is set too; keep one of them")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            f"{name}_FILE: {path} cannot be read: {why_unread(error)}; check the path and its permissions"
        ) from error


def load_desk(path: str, folder: Path) -> Desk:
    """Read desk.yaml, its playbooks checked; the built-in desk without one. Raises SettingError."""
    desk = read_desk(path, folder)
    validate_playbooks(desk)
    return desk

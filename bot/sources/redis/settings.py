"""The settings of Redis."""

from pydantic import BaseModel, SecretStr, field_validator

from bot.sources.redis.url import check_redis_url
from triage.errors import SettingError


class RedisSettings(BaseModel):
    """Where Redis is, its password in the URL; empty: not configured."""

    redis_url: SecretStr = SecretStr("")

    @field_validator("redis_url")
    @classmethod
    def _is_redis_url(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            try:
                check_redis_url(value.get_secret_value())
            except SettingError as error:
                raise ValueError(str(error).removeprefix("REDIS_URL").lstrip(": ")) from error
        return value


SETTINGS = RedisSettings

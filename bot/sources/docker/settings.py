"""The settings of the Docker Engine."""

import re

from pydantic import BaseModel, field_validator


class DockerSettings(BaseModel):
    """Where the engine listens; empty: not configured, or seen through the agent."""

    docker_host: str = ""

    @field_validator("docker_host")
    @classmethod
    def _is_docker_host(cls, value: str) -> str:
        if value and not re.fullmatch(r"(unix:///\S+|(tcp|https?)://[^\s/]+/?)", value):
            raise ValueError("is no Docker address; write unix:///var/run/docker.sock or tcp://host:2375")
        return value


SETTINGS = DockerSettings

"""Which images the Docker Engine has."""

from __future__ import annotations

import httpx

from triage.errors import SourceBadAnswer, SourceNotConfigured, SourceTimeout, SourceUnreachable
from triage.model import utc
from triage.ports.actions import Image

_SOURCE = "Docker"
_TIMEOUT_SECONDS = 5.0


class EngineImages:
    """Implements ``triage.ports.actions.Images`` over the Engine API. ``host``: DOCKER_HOST."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def list(self, repository: str) -> tuple[Image, ...]:
        """Return the tagged images of a repository, the newest first."""
        if not self._host:
            raise SourceNotConfigured(_SOURCE)
        try:
            async with self._client() as client:
                answer = await client.get("/images/json")
            answer.raise_for_status()
            found = [
                Image(tag, str(each["Id"]), int(each["Size"]), utc(float(each["Created"])))
                for each in answer.json()
                for tag in each.get("RepoTags") or ()
                if tag.rpartition(":")[0] == repository
            ]
        except httpx.TimeoutException as error:
            raise SourceTimeout(_SOURCE, f"no answer within {_TIMEOUT_SECONDS:g} s") from error
        except httpx.HTTPStatusError as error:
            raise SourceBadAnswer(_SOURCE, f"GET /images/json gave {error.response.status_code}") from error
        except httpx.HTTPError as error:
            raise SourceUnreachable(_SOURCE, str(error) or type(error).__name__) from error
        except (ValueError, KeyError, TypeError) as error:
            raise SourceBadAnswer(_SOURCE, f"GET /images/json is not as expected: {error}") from error
        return tuple(sorted(found, key=lambda image: (image.created_at, image.tag), reverse=True))

    def _client(self) -> httpx.AsyncClient:
        if self._host.startswith("unix://"):
            transport = httpx.AsyncHTTPTransport(uds=self._host.removeprefix("unix://"))
            return httpx.AsyncClient(
                transport=transport, base_url="http://docker", timeout=_TIMEOUT_SECONDS, trust_env=False
            )
        url = self._host.replace("tcp://", "http://", 1)
        return httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)

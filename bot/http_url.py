"""Addresses in settings: ``http://host:port``, nothing else."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr


def http_url(value: str) -> str:
    """Return an address that may be empty. Raises ValueError where it is none."""
    found = re.fullmatch(r"https?://[^\s/]+?(?::(\d+))?(/\S*)?", value)
    if value and (found is None or int(found[1] or 1) not in range(1, 65536)):
        raise ValueError("is no http(s) URL; write http://host:port")
    return value


HttpUrl = Annotated[str, AfterValidator(http_url)]
"""A setting that is an address, or empty."""


def _secret_url(value: SecretStr) -> SecretStr:
    http_url(value.get_secret_value())
    return value


SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
"""As above, for an address that is a secret itself: whoever knows it may post there."""

"""Addresses in settings: ``http://host:port``, nothing else."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator


def http_url(value: str) -> str:
    """Return an address that may be empty. Raises ValueError where it is none."""
    if value and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise ValueError("is no http(s) URL; write for instance http://prometheus:9090")
    return value


HttpUrl = Annotated[str, AfterValidator(http_url)]
"""A setting that is an address, or empty."""

"""Text that every database takes."""

from __future__ import annotations


def clean(text: str) -> str:
    """Replace NUL, which PostgreSQL refuses, and lone surrogates, which no database can encode."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()

"""``hbot-triage schema``: the JSON schema of desk.yaml."""

from __future__ import annotations

from typing import Any

from triage.desk import Desk

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def desk_schema() -> dict[str, Any]:
    """Return the schema; ``# yaml-language-server: $schema=FILE`` in desk.yaml's first line lets an editor use it."""
    return {"$schema": DIALECT, "title": "desk.yaml of hbot-triage", **Desk.model_json_schema()}

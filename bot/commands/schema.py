"""``hbot-triage schema``: the JSON schema of desk.yaml."""

from __future__ import annotations

from functools import cache
from typing import Any

from bot.slack_ids import PERSON
from triage.desk import Desk
from triage.diagnosis.checks import CHECKS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def desk_schema() -> dict[str, Any]:
    """Return the schema; ``# yaml-language-server: $schema=FILE`` in desk.yaml's first line lets an editor use it.

    It knows the checks' names and how Slack writes ids, which are told beside the desk and not by it.
    """
    schema = {"$schema": DIALECT, "title": "desk.yaml of hbot-triage", **Desk.model_json_schema()}
    parts = schema["$defs"]
    parts["Role"]["properties"]["users"]["items"]["pattern"] = f"^{PERSON.pattern}$"
    parts["PlaybookSettings"]["properties"]["checks"]["anyOf"][0]["items"]["enum"] = sorted(CHECKS)
    return schema

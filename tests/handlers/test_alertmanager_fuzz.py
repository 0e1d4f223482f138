"""The webhook under requests that nobody thought of: made from the OpenAPI document, and of hostile text."""

import asyncio
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.store import SqlStore, open_store
from handlers.alertmanager import WEBHOOK_PATH
from tests.handlers.posting import TOKEN, Doorway, alert, webhook
from tests.schema import with_schema

pytestmark = pytest.mark.slow


def test_whatever_the_openapi_document_allows_or_forbids_gets_a_documented_answer(tmp_path: Path) -> None:
    """Requests made from /openapi.json, right and wrong: never a 5xx, no status or type that is not documented."""
    import schemathesis.checks  # noqa: PLC0415 - a second of imports, in each worker, for this test alone
    from schemathesis.specs.openapi import checks as documented  # noqa: PLC0415 - as above

    checks = [
        schemathesis.checks.not_a_server_error,
        documented.status_code_conformance,
        documented.content_type_conformance,
        documented.response_schema_conformance,
    ]
    wrong = schemathesis.GenerationMode.NEGATIVE
    seen: Counter[tuple[str, int]] = Counter()

    def send(schema: Any, path: str, method: str) -> None:  # noqa: ANN401 - it has no public type
        @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(
            case=schema[path][method].as_strategy() | schema[path][method].as_strategy(generation_mode=wrong)
        )
        def fuzz(case: schemathesis.Case[Any]) -> None:
            answer = case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, checks=checks)
            seen[path, answer.status_code] += 1

        fuzz()

    with asyncio.Runner() as runner:
        opened = open_store(with_schema(tmp_path / "triage.db"))
        door = Doorway(runner.run(opened.__aenter__()))
        try:
            schema = schemathesis.openapi.from_asgi("/openapi.json", door.web)
            for path, method in (
                (WEBHOOK_PATH, "POST"),
                ("/livez", "GET"),
                ("/readyz", "GET"),
                ("/metrics", "GET"),
            ):
                send(schema, path, method)
        finally:
            runner.run(opened.__aexit__(None, None, None))
    for status in (200, 422):
        assert seen[WEBHOOK_PATH, status] > 3, f"right and wrong ones are sent: {seen}"


HOSTILE = st.sampled_from(
    [
        "<!channel>",
        "<@U0ANA00001>",
        "a\0b",
        "\u202egnitaert",
        "🔥" * 40,
        "*_~`",
        '{bot="x"}',
        "\n\r\u2028",
        "%s{0}",
    ]
)
ANY_TEXT = HOSTILE | st.text(max_size=80)
NAMES = st.sampled_from(["alertname", "bot", "name", "container", "instance", "job", "severity"]) | ANY_TEXT


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    labels=st.dictionaries(NAMES, ANY_TEXT, max_size=8),
    annotations=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=4),
)
async def test_any_text_is_stored_and_sorted(
    sqlite_store: SqlStore, labels: dict[str, str], annotations: dict[str, str]
) -> None:
    """Whatever labels hold, the alert ends up in an incident, and nothing waits in the inbox."""
    door = Doorway(sqlite_store)
    fingerprint = uuid.uuid4().hex
    answer = await door.post(webhook(alert(labels=labels, annotations=annotations, fingerprint=fingerprint)))
    assert answer.json() == {"accepted": 1}
    incidents = await door.sorted()
    assert await door.signals() == []
    if labels.get("alertname") != door.desk.watchdog.alertname:
        episodes = await sqlite_store.read(lambda tx: tx.incidents.episodes([one.id for one in incidents]))
        assert fingerprint in {episode.fingerprint for episode in episodes}

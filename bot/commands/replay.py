"""``hbot-triage replay``: recorded evidence through today's rules, and as files that the lab judges."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path

from bot.settings import Settings
from bot.store import has_database, open_store
from bot.whole_files import write_whole
from triage.errors import BadInput, DeskFailure
from triage.ports.store import Tx
from triage.reports.cases import RecordedCase, case_from_json, cases_of
from triage.reports.replay import Replay, replay

_NUMBER = re.compile(r"(?:INC-)?([0-9]{1,18})", re.IGNORECASE)
FILE_MAX = 64_000_000
"""Bytes of a file that are read."""


async def gather_cases(
    settings: Settings, asked: Sequence[str], *, every: bool = False
) -> list[RecordedCase]:
    """Return the cases of files and incidents, in the order asked. Raises BadInput."""
    numbers = {each: int(found[1]) for each in asked if (found := _NUMBER.fullmatch(each))}
    stored = await _stored(settings, list(numbers.values()), every=every) if numbers else {}
    cases: list[RecordedCase] = []
    for each in asked:
        if each in numbers:
            cases += stored[numbers[each]]
        else:
            cases.append(await asyncio.to_thread(_read, Path(each)))
    return cases


async def _stored(
    settings: Settings, numbers: Sequence[int], *, every: bool
) -> dict[int, tuple[RecordedCase, ...]]:
    url = settings.triage_database_url.get_secret_value()
    if not await asyncio.to_thread(has_database, url):
        raise BadInput("the service has no database at TRIAGE_DATABASE_URL", "INCIDENT")

    def read(tx: Tx) -> dict[int, tuple[RecordedCase, ...]]:
        return {number: cases_of(tx, settings.desk, number, every=every) for number in numbers}

    async with open_store(url) as store:
        return await store.read(read)


def _read(path: Path) -> RecordedCase:
    try:
        if path.stat().st_size > FILE_MAX:
            raise BadInput(f"larger than {FILE_MAX // 1_000_000} MB", str(path))
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = error.strerror or type(error).__name__
        raise BadInput(f"cannot be read ({what}); an incident is written INC-42", str(path)) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"is no JSON: {error}", str(path)) from error
    try:
        return case_from_json(data, path.stem)
    except BadInput as error:
        raise BadInput(str(error), str(path)) from error


def replayed(cases: Sequence[RecordedCase]) -> list[Replay]:
    """Judge each case by today's rules."""
    return [replay(each) for each in cases]


def export(cases: Sequence[RecordedCase], folder: Path) -> list[str]:
    """Write each case into a folder, as a file that the lab judges; return one line each. Raises DeskFailure."""
    said = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for case in cases:
            path = folder / f"{re.sub(r'[^a-z0-9]+', '-', case.name.lower()).strip('-') or 'case'}.json"
            text = json.dumps(case.to_json(), indent=1, ensure_ascii=False) + "\n"
            write_whole(path, text.encode())
            known = "" if case.truth is not None else ' (nobody said what it was: write its "truth" by hand)'
            said.append(f"written: {path}{known}")
    except OSError as error:
        raise DeskFailure(f"{folder} cannot be written: {error.strerror}") from error
    return said

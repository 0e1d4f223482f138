"""What runs on the threads that all share: what thinks, or a file of our own, and nothing that a dead disk can hold."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_POOLED = re.compile(r"asyncio\.to_thread\((?P<what>[\w.]+)")
THINKS_OR_OURS = {
    "bot/agent/core.py: masked",
    "bot/agent/engine.py: last_lines.last_lines",
    "bot/agent/engine.py: listing",
    "bot/agent/server.py: importlib.import_module",
    "bot/app.py: mend_log",
    "bot/charts/process.py: path.read_bytes",
    "bot/desk/project.py: _images",
    "bot/sources/docker/client.py: last_lines.last_lines",
    "bot/sources/docker/client.py: listing",
    "bot/sources/minute_csv/digests.py: _with_pictures",
    "bot/sources/minute_csv/picture_process.py: self._folder.mkdir",
    "bot/store/store.py: migrate",
    "bot/store/store.py: self._readers.shutdown",
    "bot/store/store.py: self.writer.close",
    "bot/tuning.py: self._make",
    "handlers/alertmanager.py: self._read",
}
"""File and function; ``triage`` does no I/O. The desk's files go through ``bot.watched_reads`` or ``bot.threads``."""


def test_nothing_that_can_hang_runs_on_the_shared_threads() -> None:
    """They are few: six files on a dead disk would hold up every triage, and the end of the process."""
    found = {
        f"{file.relative_to(ROOT)}: {match['what']}"
        for folder in ("bot", "handlers", "schedules")
        for file in (ROOT / folder).rglob("*.py")
        if not file.is_relative_to(ROOT / "bot/commands") and not file.is_relative_to(ROOT / "bot/doctor")
        for match in _POOLED.finditer(re.sub(r"\(\s+", "(", file.read_text()))
    }
    assert not found - THINKS_OR_OURS

"""SQLite files with the schema and nothing in them: made by the migrations once a process, copied for each test."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.store.migrate import migrate


def with_schema(file: Path) -> str:
    """Return the URL of a SQLite file; where there is none yet, it is made with the schema."""
    if not file.exists():
        file.write_bytes(_migrated())
        file.chmod(0o600)
    return f"sqlite:///{file}"


@cache
def _migrated() -> bytes:
    with TemporaryDirectory(prefix="hbt-") as folder:
        file = Path(folder) / "triage.db"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()

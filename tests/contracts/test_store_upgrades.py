"""A rolling upgrade: the version before works on beside the newer one, on the newer one's schema."""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store import migrate, open_store
from bot.store.engine import open_engine
from tests.contracts.store_samples import NOW, open_incident, signal
from triage.ports.store import Tx

FIRST, FROZEN = "0001_memory.py", "d33109faee383a76"
"""The first migration, and what its tables were when services of two commits first had to run side by side."""
ADDS = frozenset({"create_table", "create_index", "add_column", "batch_alter_table", "f", "execute"})
"""What a migration may call. What takes away or renames waits for the version after the one that stopped using it."""


def takes_away(source: str) -> Iterator[str]:
    """Yield what of a migration's upgrade the code of the version before would trip over."""
    [upgrade] = [
        one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef) and one.name == "upgrade"
    ]
    for call in (node for node in ast.walk(upgrade) if isinstance(node, ast.Call)):
        if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
            continue
        owner, name = call.func.value.id, call.func.attr
        if owner in {"op", "batch_op"} and name not in ADDS:
            yield f"{owner}.{name}"
        if owner == "sa" and name == "Column" and "add_column" in source and not _may_be_left_out(call):
            yield "a column that must be given"


def what_it_makes(source: str) -> str:
    """Return a sign of what the first migration makes: its comments and what takes it back do not count."""
    parts = [
        one
        for one in ast.walk(ast.parse(source))
        if isinstance(one, ast.FunctionDef) and one.name != "downgrade"
    ]
    return hashlib.sha256("".join(ast.unparse(one) for one in parts).encode()).hexdigest()[:16]


def _may_be_left_out(column: ast.Call) -> bool:
    """Whether a row can be written without the column: the version before does not know it."""
    given = {one.arg: one.value for one in column.keywords}
    nullable = given.get("nullable")
    return "server_default" in given or (isinstance(nullable, ast.Constant) and nullable.value is True)


def test_an_upgrade_in_a_process_of_its_own_reaches_the_database_as_we_do() -> None:
    """Certificates and tickets that the environment names are its too; secrets are not."""
    ours = ("PGSSLROOTCERT", "SSL_CERT_FILE", "SSL_CERT_DIR", "KRB5CCNAME", "KRB5_CONFIG", "PATH")
    secrets = ("SLACK_BOT_TOKEN", "TRIAGE_WEBHOOK_TOKEN", "TRIAGE_AUDIT_KEY", "AWS_SECRET_ACCESS_KEY")
    assert set(migrate.passed_on(dict.fromkeys((*ours, *secrets), "x"))) == set(ours)


def test_migrations_only_add() -> None:
    """Every one after the first."""
    for file in sorted((Path(migrate.__file__).parent / "migrations" / "versions").glob("0*.py")):
        if file.name != FIRST:
            assert list(takes_away(file.read_text(encoding="utf-8"))) == [], file.name


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("op.add_column('messages', sa.Column('x', sa.Text(), nullable=True))", []),
        ("op.add_column('messages', sa.Column('x', sa.Text(), nullable=False, server_default=''))", []),
        ("op.create_index('ix_x', 'messages', ['post_id'])", []),
        (
            "op.add_column('messages', sa.Column('x', sa.Text(), nullable=False))",
            ["a column that must be given"],
        ),
        ("op.drop_column('messages', 'post_id')", ["op.drop_column"]),
        ("op.alter_column('messages', 'post_id', new_column_name='stamp')", ["op.alter_column"]),
        ("op.rename_table('messages', 'posts')", ["op.rename_table"]),
    ],
)
def test_what_only_adds_is_told_from_what_takes_away(line: str, found: list[str]) -> None:
    """The rule itself."""
    assert list(takes_away(f"def upgrade():\n    {line}\n")) == found


def test_the_first_migration_is_not_edited_any_more() -> None:
    """Code of different commits runs side by side on one schema: what changes it is a new migration, which only adds."""
    source = (Path(migrate.__file__).parent / "migrations" / "versions" / FIRST).read_text("utf-8")
    assert what_it_makes(source) == FROZEN


def newer(url: str) -> None:
    """Make the schema what a later version would: more columns, another table and index; ours works on it."""
    engine = open_engine(url, writer=True)
    with engine.begin() as connection:
        for text in (
            "ALTER TABLE messages ADD COLUMN mood TEXT",
            "ALTER TABLE incidents ADD COLUMN weight INTEGER NOT NULL DEFAULT 1",
            "ALTER TABLE signals ADD COLUMN origin TEXT NOT NULL DEFAULT ''",
            "CREATE TABLE moods (id INTEGER PRIMARY KEY)",
            "CREATE INDEX ix_messages_mood ON messages (mood)",
            "UPDATE alembic_version SET version_num = '0099'",
            "DELETE FROM notes WHERE key = 'schema/oldest'",
            "INSERT INTO notes (key, value) VALUES ('schema/oldest', '0001')",
        ):
            connection.execute(sa.text(text))
    engine.dispose()


async def test_the_version_before_works_on_while_the_schema_is_made_newer(store_url: str) -> None:
    """It has used its statements by then, as a running service has."""

    def work(tx: Tx) -> int:
        incident = open_incident(tx)
        tx.runs.queue(incident.id, "opened", NOW)
        claimed = tx.outbox.claim(NOW, owner="before", lease_seconds=30, limit=5)
        for message in claimed:
            tx.outbox.posted(
                message.id, post_id="1.0", channel_id="C1", revision=message.wanted_revision, now=NOW
            )
        return len(claimed)

    async with open_store(store_url) as store:
        for number in range(8):  # often enough that a server has prepared them
            await store.keep([signal(f"before-{number}")])
            assert await store.write(work) == 1
        newer(store_url)
        for number in range(8):
            await store.keep([signal(f"after-{number}")])
            assert await store.write(work) == 1
        assert await store.read(lambda tx: len(tx.signals.inbox(50))) == 16
    async with open_store(store_url, migrate_apart=True) as store:  # killed meanwhile, it starts again
        assert await store.write(work) == 1
        engine = open_engine(store_url, writer=False)
        assert migrate.current(engine) == "0099"
        engine.dispose()

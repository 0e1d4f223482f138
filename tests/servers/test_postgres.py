import psycopg
import pytest

from tests.servers.postgres import PostgresCluster


async def test_each_test_gets_an_empty_database_that_is_dropped(postgres_cluster: PostgresCluster) -> None:
    """Two databases do not see each other, and a dropped one refuses connections."""
    async with postgres_cluster.database() as one, postgres_cluster.database() as two:
        assert one != two
        async with await psycopg.AsyncConnection.connect(one, autocommit=True) as connection:
            await connection.execute("CREATE TABLE t (n int)")
        async with await psycopg.AsyncConnection.connect(two) as connection:
            with pytest.raises(psycopg.errors.UndefinedTable):
                await connection.execute("SELECT * FROM t")
    with pytest.raises(psycopg.OperationalError):
        await psycopg.AsyncConnection.connect(one)


async def test_the_url_of_a_fresh_database_takes_connections(postgres_url: str) -> None:
    """The fixture's URL is that of the cluster's superuser, in UTF-8."""
    async with await psycopg.AsyncConnection.connect(postgres_url) as connection:
        row = await (await connection.execute("SHOW server_encoding")).fetchone()
    assert row == ("UTF8",)

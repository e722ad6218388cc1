"""Tenants: a shop sees and writes its own rows, whatever is asked and however."""

from uuid import UUID

import psycopg
import pytest
from psycopg import errors, sql

from neanelu_pipelines.database.connect import Database, Role, set_tenant
from tests.database.rows import insert, new_shop, product, scalar, tenant_tables, without_foreign_keys

SECRETS = ("access_token_ciphertext", "access_token_iv", "access_token_tag", "webhook_secret")


@pytest.fixture
def shops(database: Database) -> tuple[UUID, UUID]:
    return new_shop(database, "unelte.myshopify.com"), new_shop(database, "gradina.myshopify.com")


@pytest.fixture
def filled(database: Database, shops: tuple[UUID, UUID]) -> list[str]:
    """Every tenant table, with a row of each of two shops (and of no shop, where that is possible)."""
    with database.connect(Role.ADMIN) as connection:
        without_foreign_keys(connection)
        tables = tenant_tables(connection)
        for table in tables:
            for shop in shops if table != "public.shops" else ():
                insert(connection, table.removeprefix("public."), shop_id=shop)
    return tables


def _name(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def _may(connection: psycopg.Connection, table: str, privilege: str) -> bool:
    return bool(scalar(connection, "SELECT has_any_column_privilege(%s, %s)", table, privilege))


def test_every_tenant_table_is_bound(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        tables = tenant_tables(connection)
        assert len(tables) > 40
        for table in tables:
            bound = "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = %s::regclass"
            assert scalar(connection, bound, table), table
            checked = "SELECT count(*) FROM pg_policy WHERE polrelid = %s::regclass AND polcmd = '*' AND polwithcheck"
            assert scalar(connection, f"{checked} IS NOT NULL", table) == 1, table


def test_a_tenant_reads_its_own_rows_only(database: Database, shops: tuple[UUID, UUID], filled: list[str]) -> None:
    mine, _ = shops
    with database.tenant(mine) as connection:
        for table in filled:
            key = "id" if table == "public.shops" else "shop_id"
            query = sql.SQL("SELECT DISTINCT {} FROM {}").format(sql.Identifier(key), _name(table))
            assert connection.execute(query).fetchall() == [(mine,)], table


def test_without_a_context_a_tenant_reads_nothing(database: Database, filled: list[str]) -> None:
    with database.connect(Role.TENANT) as connection:
        for table in filled:
            assert scalar(connection, f"SELECT count(*) FROM {table}") == 0, table


def test_a_tenant_changes_no_row_of_another_shop(
    database: Database, shops: tuple[UUID, UUID], filled: list[str]
) -> None:
    mine, other = shops
    with database.tenant(mine) as connection:
        for table in filled:
            if table == "public.shops":
                continue
            if _may(connection, table, "UPDATE"):
                assert connection.execute(f"UPDATE {table} SET shop_id = shop_id").rowcount == 1, table
            if scalar(connection, "SELECT has_table_privilege(%s, 'DELETE')", table):
                assert connection.execute(f"DELETE FROM {table} WHERE shop_id = '{other}'").rowcount == 0, table


@pytest.mark.parametrize("to_nobody", [False, True])
def test_a_tenant_gives_no_row_away(
    database: Database, shops: tuple[UUID, UUID], filled: list[str], to_nobody: bool
) -> None:
    """WITH CHECK: neither to another shop nor to nobody, where everyone would see it."""
    mine, other = shops
    with database.tenant(mine) as connection:
        for table in filled:
            if table == "public.shops" or not _may(connection, table, "UPDATE"):
                continue
            query = sql.SQL("UPDATE {} SET shop_id = {}").format(
                _name(table), sql.Literal(None if to_nobody else other)
            )
            with pytest.raises((errors.InsufficientPrivilege, errors.NotNullViolation)), connection.transaction():
                connection.execute(query)


def test_rows_of_no_shop_are_read_and_not_taken(database: Database, shops: tuple[UUID, UUID]) -> None:
    with database.connect(Role.ADMIN) as connection:
        insert(connection, "scheduled_tasks")
    with database.tenant(shops[0]) as connection:
        assert scalar(connection, "SELECT count(*) FROM scheduled_tasks") == 1
        assert connection.execute("UPDATE scheduled_tasks SET shop_id = %s", [shops[0]]).rowcount == 0
        assert connection.execute("DELETE FROM scheduled_tasks").rowcount == 0
        with pytest.raises(errors.InsufficientPrivilege):
            insert(connection, "scheduled_tasks")


def test_after_a_transaction_with_a_context_the_connection_still_works(
    database: Database, shops: tuple[UUID, UUID]
) -> None:
    """Then the setting is '' and not NULL."""
    with database.connect(Role.TENANT, autocommit=True) as connection:
        with connection.transaction():
            set_tenant(connection, shops[0])
            assert scalar(connection, "SELECT id FROM shops") == shops[0]
        assert scalar(connection, "SELECT current_setting('app.current_shop_id')") == ""
        assert scalar(connection, "SELECT count(*) FROM shopify_products") == 0


def test_the_context_is_evaluated_once_per_query(database: Database, shops: tuple[UUID, UUID]) -> None:
    with database.tenant(shops[0]) as connection:
        plan = "\n".join(row[0] for row in connection.execute("EXPLAIN SELECT * FROM shopify_products"))
    assert "InitPlan" in plan


def test_a_tenant_never_reads_the_secrets_of_a_shop(database: Database, shops: tuple[UUID, UUID]) -> None:
    with database.tenant(shops[0]) as connection:
        for secret in SECRETS:
            with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                connection.execute(sql.SQL("SELECT {} FROM shops").format(sql.Identifier(secret)))
    with database.connect(Role.PIPELINE) as connection:  # it calls Shopify
        assert scalar(connection, "SELECT count(access_token_ciphertext) FROM shops") == 2


@pytest.mark.parametrize(
    "table", ["oauth_states", "system_config", "key_rotations", "prod_sources", "scraper_configs", "prod_raw_harvest"]
)
def test_what_concerns_no_shop_is_closed(database: Database, shops: tuple[UUID, UUID], table: str) -> None:
    with database.tenant(shops[0]) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(table)))


def test_the_global_catalogue_is_at_most_read(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        written = connection.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'prod\\_%' AND relkind IN ('r', 'p')"
            " AND has_table_privilege('neanelu_tenant', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
        ).fetchall()
    assert written == []


def test_a_new_table_is_closed(database: Database) -> None:
    """No default privileges."""
    with database.connect(Role.ADMIN) as connection:
        assert scalar(connection, "SELECT count(*) FROM pg_default_acl") == 0


def test_the_roles_are_what_they_should_be(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        rows = connection.execute(
            "SELECT rolname, rolcanlogin, rolbypassrls, rolsuper FROM pg_roles WHERE rolname = ANY (%s) ORDER BY 1",
            [["neanelu_owner", "neanelu_pipeline", "neanelu_tenant"]],
        ).fetchall()
        owners = "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relkind = ANY (%s::char[])"
        inside = " AND relnamespace IN ('public'::regnamespace, 'pipeline'::regnamespace)"
        assert connection.execute(owners + inside, [["r", "p"]]).fetchall() == [("neanelu_owner",)]
        assert connection.execute(owners + inside, [["m"]]).fetchall() == [("neanelu_pipeline",)]
        create = "SELECT has_schema_privilege(r, s, 'CREATE') FROM unnest(%s::text[]) r, unnest(%s::text[]) s"
        names = ["neanelu_pipeline", "neanelu_tenant"]
        assert not any(may for (may,) in connection.execute(create, [names, ["public", "pipeline"]]))
    assert rows == [
        ("neanelu_owner", False, False, False),
        ("neanelu_pipeline", True, True, False),
        ("neanelu_tenant", True, False, False),
    ]


def test_the_loader_copies_and_the_tenant_merges(database: Database, shops: tuple[UUID, UUID]) -> None:
    """COPY FROM is not possible under row-level security; and who fills staging is not who writes the mirror."""
    mine, other = shops
    with database.connect(Role.PIPELINE) as connection:
        run = insert(connection, "bulk_runs", shop_id=mine)
        columns = "(bulk_run_id, shop_id, shopify_gid, title)"
        with connection.cursor().copy(f"COPY staging_products {columns} FROM STDIN") as copy:
            for shop in shops:
                copy.write_row((run, shop, "gid://shopify/Product/1", "Ciocan"))
    with database.tenant(mine) as connection:
        assert scalar(connection, "SELECT count(*) FROM staging_products") == 1
        with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
            insert(connection, "staging_products", shop_id=mine, bulk_run_id=run)
        with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
            product(connection, other)
        product(connection, mine)

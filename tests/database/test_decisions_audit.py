"""The audit trail: what a statement changed, by whom, and never a secret."""

from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from neanelu_pipelines.database.connect import Database, Role, set_tenant
from tests.database.rows import insert, new_shop, product, scalar

Entry = tuple[str, str, UUID | None, dict[str, object] | None, dict[str, object] | None]


def _trail(database: Database, table: str) -> list[Entry]:
    with database.connect(Role.ADMIN) as connection:
        return connection.execute(
            "SELECT action, entity_type, shop_id, old_values, new_values FROM audit_logs"
            " WHERE entity_type = %s ORDER BY id",
            [table],
        ).fetchall()


@pytest.fixture
def shop(database: Database) -> UUID:
    return new_shop(database)


@pytest.fixture
def hammer(database: Database, shop: UUID) -> UUID:
    with database.connect(Role.ADMIN) as connection:
        return product(connection, shop, title="Ciocan", vendor="Unelte SRL")


def test_only_what_changed_is_kept(database: Database, shop: UUID, hammer: UUID) -> None:
    with database.tenant(shop, trace_id="run-17") as connection:
        connection.execute("UPDATE shopify_products SET title = 'Ciocan dulgher', synced_at = now(), vendor = vendor")
    assert _trail(database, "shopify_products") == [
        ("UPDATE", "shopify_products", shop, {"title": "Ciocan"}, {"title": "Ciocan dulgher"})
    ]
    with database.connect(Role.ADMIN) as connection:
        assert connection.execute(
            "SELECT entity_id, request_id FROM audit_logs WHERE action = 'UPDATE'"
        ).fetchall() == [(hammer, "run-17")]


def test_seen_again_is_no_change(database: Database, shop: UUID, hammer: UUID) -> None:
    with database.tenant(shop) as connection:
        connection.execute("UPDATE shopify_products SET synced_at = now(), updated_at = now(), fingerprint = 7")
        connection.execute("UPDATE shopify_products SET title = title")
    assert _trail(database, "shopify_products") == []


def test_a_statement_that_changes_a_thousand_rows_writes_their_entries_at_once(database: Database, shop: UUID) -> None:
    with database.connect(Role.ADMIN) as connection:
        connection.execute(
            "INSERT INTO shopify_products (shop_id, shopify_gid, legacy_resource_id, title, handle, status)"
            " SELECT %s, 'gid://shopify/Product/' || n, n, 'Cui', 'cui-' || n, 'ACTIVE'"
            " FROM generate_series(1, 1000) n",
            [shop],
        )
    with database.tenant(shop) as connection:
        connection.execute("UPDATE shopify_products SET title = 'Cui ' || legacy_resource_id")
    assert len(_trail(database, "shopify_products")) == 1000
    with database.connect(Role.ADMIN) as connection:
        row_wise = "SELECT count(*) FROM pg_trigger WHERE tgfoid = 'audit_log_changes'::regproc AND tgtype & 1 = 1"
        assert scalar(connection, row_wise) == 0


def test_making_and_deleting_products_and_users(database: Database, shop: UUID, hammer: UUID) -> None:
    """A product's making is not audited (a first load would double itself); its end is, whole."""
    with database.tenant(shop) as connection:
        user = insert(connection, "staff_users", shop_id=shop, email="ana@unelte.ro")
        connection.execute("DELETE FROM shopify_products")
        connection.execute("DELETE FROM staff_users")
    ((action, _, owner, old, new),) = _trail(database, "shopify_products")
    assert (action, owner, new) == ("DELETE", shop, None)
    assert old is not None
    assert old["title"] == "Ciocan"
    made, gone = _trail(database, "staff_users")
    assert (made[0], made[3], gone[0], gone[4]) == ("INSERT", None, "DELETE", None)
    assert made[4] is not None
    assert made[4]["id"] == str(user)


def test_secrets_never_enter(database: Database, shop: UUID) -> None:
    secrets = "access_token_ciphertext", "access_token_iv", "access_token_tag", "webhook_secret"
    with database.connect(Role.PIPELINE) as connection:
        sets = ", ".join(f"{column} = 'geheim'" for column in secrets)
        connection.execute(f"UPDATE shops SET {sets}, key_version = 2")
        connection.execute(f"UPDATE shops SET {sets.replace('geheim', 'anders')}")
        connection.execute("DELETE FROM shops")
    trail = _trail(database, "shops")
    assert [entry[0] for entry in trail] == ["INSERT", "UPDATE", "DELETE"]
    assert trail[1][3:] == ({"key_version": 1}, {"key_version": 2})
    for entry in trail:
        assert not any(column in values for values in entry[3:] if values for column in secrets)


def test_the_end_of_a_shop_is_recorded_as_its_own(database: Database, shop: UUID) -> None:
    """With a foreign key it could not be; with no shop every tenant would read it."""
    other = new_shop(database, "gradina.myshopify.com")
    with database.connect(Role.PIPELINE) as connection:
        connection.execute("DELETE FROM shops WHERE id = %s", [shop])
    assert _trail(database, "shops")[-1][:3] == ("DELETE", "shops", shop)
    with database.tenant(other) as connection:
        assert scalar(connection, "SELECT count(*) FROM audit_logs WHERE shop_id IS DISTINCT FROM %s", other) == 0


def test_it_works_whoever_writes_and_whatever_the_context(database: Database, shop: UUID, hammer: UUID) -> None:
    """audit_logs is under FORCE ROW LEVEL SECURITY: the entry is the row's shop's even with another one in context."""
    other = new_shop(database, "gradina.myshopify.com")
    for role in (Role.PIPELINE, Role.ADMIN):
        with database.connect(role) as connection:
            set_tenant(connection, other)
            connection.execute("UPDATE shopify_products SET title = %s", [role])
    assert [entry[2] for entry in _trail(database, "shopify_products")] == [shop, shop]


@pytest.mark.parametrize("table", ["prod_master", "key_rotations"])
def test_global_tables_have_no_shop(database: Database, shop: UUID, table: str) -> None:
    with database.connect(Role.PIPELINE) as connection:
        set_tenant(connection, shop)
        insert(connection, table)
        connection.execute(f"DELETE FROM {table}")
    assert {entry[2] for entry in _trail(database, table)} == {None}
    assert [entry[0] for entry in _trail(database, table)] == ["INSERT", "DELETE"][table == "prod_master" :]


def test_changing_an_id_does_not_slip_through(database: Database, shop: UUID, hammer: UUID) -> None:
    with database.tenant(shop) as connection:
        connection.execute("UPDATE shopify_products SET id = uuidv7()")
    assert len(_trail(database, "shopify_products")) == 2


def test_a_user_of_the_context_is_named_and_a_long_trace_does_no_harm(
    database: Database, shop: UUID, hammer: UUID
) -> None:
    with database.tenant(shop, trace_id="t" * 300) as connection:
        connection.execute("SELECT set_config('app.current_user_id', %s, true)", [str(hammer)])
        connection.execute("UPDATE shopify_products SET title = 'Clește'")
    with database.connect(Role.ADMIN) as connection:
        found = connection.execute("SELECT user_id, request_id FROM audit_logs WHERE action = 'UPDATE'").fetchall()
    assert found == [(hammer, "t" * 100)]


def test_tenants_read_their_trail_and_forge_none(database: Database, shop: UUID) -> None:
    with database.tenant(shop) as connection:
        assert scalar(connection, "SELECT count(*) FROM audit_logs") == 1
        for attempt in (
            "INSERT INTO audit_logs (action, entity_type, entity_id) VALUES ('UPDATE', 'shops', uuidv7())",
            "DELETE FROM audit_logs",
            "UPDATE audit_logs SET action = 'none'",
        ):
            with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                connection.execute(attempt)
        connection.execute("CREATE TEMP TABLE bait (id uuid, shop_id uuid)")
        with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
            connection.execute(
                "CREATE TRIGGER forge AFTER INSERT ON bait REFERENCING NEW TABLE AS new_rows"
                " FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes('shop_id')"
            )


def test_functions_that_run_as_others_pin_their_search_path(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        rows = connection.execute(
            "SELECT proname, proconfig FROM pg_proc WHERE prosecdef"
            " AND pronamespace IN ('public'::regnamespace, 'pipeline'::regnamespace)"
        ).fetchall()
    assert {name for name, _ in rows} == {
        "audit_log_changes",
        "default_partition_rows",
        "drop_partitions",
        "ensure_partitions",
        "hold_run",
        "record_inventory",
    }
    assert all("search_path=pg_catalog, pg_temp" in config for _, config in rows)


def test_a_table_of_the_same_name_does_not_catch_the_entries(database: Database, shop: UUID, hammer: UUID) -> None:
    with database.tenant(shop) as connection:
        connection.execute("CREATE TEMP TABLE audit_logs (LIKE public.audit_logs)")
        connection.execute("UPDATE shopify_products SET title = 'Clește'")
    assert len(_trail(database, "shopify_products")) == 1


def test_inserting_a_product_twice_by_upsert_is_an_update(database: Database, shop: UUID, hammer: UUID) -> None:
    with database.tenant(shop) as connection:
        _upsert(connection, shop, "Ciocan")
        _upsert(connection, shop, "Topor")
    assert [entry[4] for entry in _trail(database, "shopify_products")] == [{"title": "Topor"}]


def _upsert(connection: psycopg.Connection, shop: UUID, title: str) -> None:
    connection.execute(
        "INSERT INTO shopify_products (shop_id, shopify_gid, legacy_resource_id, title, handle, status)"
        " VALUES (%s, 'gid://shopify/Product/1', 1, %s, 'x', 'ACTIVE')"
        " ON CONFLICT (shop_id, shopify_gid) DO UPDATE SET title = EXCLUDED.title",
        [shop, title],
    )

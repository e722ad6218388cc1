"""Keys, checks and ids as corrected by the decisions, and what Shopify sends that the document did not expect."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from psycopg import errors

from neanelu_pipelines.database.connect import Database, Role
from tests.database.rows import insert, new_shop, product, scalar, variant


@pytest.fixture
def shop(database: Database) -> UUID:
    return new_shop(database)


def test_ids_are_native_and_sort_by_time(database: Database) -> None:
    """The document's polyfill writes the time two bytes late."""
    with database.connect(Role.ADMIN) as connection:
        assert scalar(connection, "SELECT pronamespace::regnamespace::text FROM pg_proc WHERE proname = 'uuidv7'") == (
            "pg_catalog"
        )
        made = scalar(connection, "SELECT uuid_extract_timestamp(uuidv7())")
    assert isinstance(made, datetime)
    assert abs((datetime.now(UTC) - made).total_seconds()) < 60


def test_a_replayed_webhook_is_refused(database: Database, shop: UUID) -> None:
    """The key table and the event are written in one transaction: the replay leaves neither."""

    def receive() -> None:
        with database.connect(Role.PIPELINE) as connection:
            event = insert(connection, "webhook_events", shop_id=shop, idempotency_key="b54557e4")
            key = "INSERT INTO pipeline.webhook_keys (idempotency_key, shop_id, event_id) VALUES ('b54557e4', %s, %s)"
            connection.execute(key, [shop, event])

    receive()
    with pytest.raises(errors.UniqueViolation):
        receive()
    with database.connect(Role.PIPELINE) as connection:
        assert scalar(connection, "SELECT count(*) FROM webhook_events") == 1
        assert scalar(connection, "SELECT relkind::text FROM pg_class WHERE relname = 'webhook_keys'") == "r"
        connection.execute("DELETE FROM pipeline.webhook_keys WHERE received_at <= now()")
    receive()


def test_media_are_referred_to_by_their_key(database: Database, shop: UUID) -> None:
    with database.connect(Role.ADMIN) as connection:
        item = product(connection, shop)
        media = insert(connection, "shopify_media", shop_id=shop, status="READY")
        insert(connection, "shopify_product_media", shop_id=shop, product_id=item, media_id=media)
        with pytest.raises(errors.ForeignKeyViolation), connection.transaction():
            insert(connection, "shopify_product_media", shop_id=shop, product_id=item, media_id=item)
        item = variant(connection, shop, item)
        with pytest.raises(errors.ForeignKeyViolation), connection.transaction():
            insert(connection, "shopify_variant_media", shop_id=shop, variant_id=item, media_id=item)


def test_the_audit_is_searched_by_user(database: Database) -> None:
    """idx_audit_actor names columns that are not there."""
    with database.connect(Role.ADMIN) as connection:
        assert scalar(connection, "SELECT to_regclass('idx_audit_actor')") is None
        assert scalar(connection, "SELECT pg_get_indexdef('idx_audit_user'::regclass) LIKE '%%(user_id)'") is True


def test_the_vector_index_is_the_tables_own(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        options = scalar(connection, "SELECT reloptions FROM pg_class WHERE relname = 'idx_embeddings_vector'")
    assert options == ["m=16", "ef_construction=64"]


def test_not_on_sale_is_null_and_not_the_price(database: Database, shop: UUID) -> None:
    with database.connect(Role.ADMIN) as connection:
        variant(connection, shop, product(connection, shop), price=10, compare_at_price=None)
        assert scalar(connection, "SELECT compare_at_price FROM shopify_variants") is None


@pytest.mark.parametrize(
    ("table", "column", "values"),
    [
        ("shopify_products", "status", ["UNLISTED"]),
        ("shopify_orders", "financial_status", ["EXPIRED", None]),
        (
            "shopify_orders",
            "fulfillment_status",
            ["IN_PROGRESS", "OPEN", "PENDING_FULFILLMENT", "RESTOCKED", "REQUEST_DECLINED"],
        ),
        ("shopify_customers", "state", ["DECLINED"]),
    ],
)
def test_values_of_the_api_version_are_accepted_and_others_refused(
    database: Database, shop: UUID, table: str, column: str, values: list[str]
) -> None:
    with database.connect(Role.ADMIN) as connection:
        for number, value in enumerate(values):
            insert(connection, table, **{"shop_id": shop, "shopify_gid": f"gid://{number}", column: value})
        with pytest.raises(errors.CheckViolation), connection.transaction():
            insert(connection, table, **{"shop_id": shop, "shopify_gid": "gid://x", column: "NONSENSE"})


@pytest.mark.parametrize(("column", "value"), [("inventory_policy", "MAYBE"), ("weight_unit", "STONES")])
def test_variants_are_checked_too(database: Database, shop: UUID, column: str, value: str) -> None:
    given: dict[str, Any] = {column: value}
    with database.connect(Role.ADMIN) as connection, pytest.raises(errors.CheckViolation):
        variant(connection, shop, product(connection, shop), **given)


def test_one_external_id_per_channel_also_without_a_shop(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        golden = insert(connection, "prod_master")
        insert(connection, "prod_channel_mappings", product_id=golden, channel="google", external_id="1")
        with pytest.raises(errors.UniqueViolation):
            insert(connection, "prod_channel_mappings", product_id=golden, channel="google", external_id="1")


def test_one_current_specification_per_product(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        golden = insert(connection, "prod_master")
        insert(connection, "prod_specs_normalized", product_id=golden, is_current=False)
        insert(connection, "prod_specs_normalized", product_id=golden)
        with pytest.raises(errors.UniqueViolation):
            insert(connection, "prod_specs_normalized", product_id=golden)


def test_the_same_text_is_embedded_once(database: Database) -> None:
    same = {"embedding_type": "title", "model_version": "text-embedding-3-small"}
    with database.connect(Role.ADMIN) as connection:
        golden = insert(connection, "prod_master")
        insert(connection, "prod_embeddings", product_id=golden, **same)
        with pytest.raises(errors.UniqueViolation):
            insert(connection, "prod_embeddings", product_id=golden, **same)


def test_names_of_another_technology_are_explained(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        texts = [text for (text,) in connection.execute("SELECT description FROM pg_description WHERE objsubid > 0")]
        job = scalar(connection, "SELECT col_description('job_runs'::regclass, 4)")
    assert not any("BullMQ" in text for text in texts)
    assert job == "Dagster run ID"

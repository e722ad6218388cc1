"""What the tenant's login may write, whatever a later migration grants it."""

from neanelu_pipelines.database.connect import Database, Role
from tests.database.rows import scalar

MIRROR = {
    "public.inventory_locations",
    "public.shopify_collection_products",
    "public.shopify_collections",
    "public.shopify_customers",
    "public.shopify_media",
    "public.shopify_menu_items",
    "public.shopify_menus",
    "public.shopify_metaobjects",
    "public.shopify_orders",
    "public.shopify_product_media",
    "public.shopify_products",
    "public.shopify_publications",
    "public.shopify_resource_publications",
    "public.shopify_variant_media",
    "public.shopify_variants",
    "public.shopify_webhooks",
    "pipeline.inventory_items",
    "pipeline.inventory_levels",
    "pipeline.product_publications",
    "pipeline.variant_media",
}
"""What the merge writes."""

WITH_ITS_ROWS = {"public.analytics_product_performance", "public.shop_product_embeddings"}
"""What goes with the mirror's rows when they are removed."""

APPLICATION = {
    "public.app_sessions",
    "public.oauth_nonces",
    "public.scheduled_tasks",
    "public.shops",
    "public.staff_users",
}
"""What only an application writes; of `shops` its settings."""

APPENDED = {"pipeline.removals"}
"""Records that a tenant adds and never changes."""

_WRITABLE = """
SELECT n.nspname || '.' || c.relname, p.privilege
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('MAINTAIN'), ('TRIGGER'), ('REFERENCES'))
       AS p (privilege)
 WHERE c.relkind IN ('r', 'p', 'v', 'm')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
   AND (has_table_privilege('neanelu_tenant', c.oid, p.privilege)
        OR (p.privilege IN ('INSERT', 'UPDATE', 'REFERENCES')
            AND has_any_column_privilege('neanelu_tenant', c.oid, p.privilege)))
"""


def test_a_tenant_writes_what_is_listed_here_and_nothing_else(database: Database) -> None:
    found: dict[str, set[str]] = {}
    with database.connect(Role.ADMIN) as connection:
        for table, privilege in connection.execute(_WRITABLE):
            found.setdefault(table, set()).add(privilege)
        assert scalar(connection, "SELECT has_schema_privilege('neanelu_tenant', 'public', 'CREATE')") is False
        assert scalar(connection, "SELECT has_schema_privilege('neanelu_tenant', 'pipeline', 'CREATE')") is False
    allowed = {table: {"INSERT", "UPDATE", "DELETE"} for table in MIRROR | WITH_ITS_ROWS | APPLICATION}
    allowed |= {table: {"INSERT"} for table in APPENDED} | {"public.shops": {"UPDATE"}}
    assert found == allowed

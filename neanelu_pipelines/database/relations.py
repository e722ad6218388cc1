"""The schema's relations as data: what a catalogue of assets shows without a database.

Belongs here: reading sql/relations.json, and writing it from a migrated database (`python -m
neanelu_pipelines.database.relations --write`, after every migration; a test holds that it is current). Does not belong
here: the schema itself (sql/migrations), and what is made of the relations (defs).
"""

import json
import sys
from dataclasses import asdict, dataclass
from functools import cache

import psycopg

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.migrations import pending
from neanelu_pipelines.database.server import open_database
from neanelu_pipelines.database.statements import sql_root, statement
from neanelu_pipelines.settings import settings


@dataclass(frozen=True)
class Column:
    """A column as the catalog describes it."""

    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True)
class Relation:
    """A table, view or materialized view of schema public.

    `module` is the document's letter, A to M. `tenant`: its rows belong to shops.
    """

    name: str
    kind: str
    module: str
    comment: str
    tenant: bool
    columns: tuple[Column, ...]


@cache
def relations() -> tuple[Relation, ...]:
    """Every relation of schema public, in the document's order of modules. Needs no database."""
    rows = json.loads((sql_root() / "relations.json").read_text(encoding="utf-8"))
    return tuple(Relation(**{**row, "columns": tuple(Column(**column) for column in row["columns"])}) for row in rows)


def read_relations(connection: psycopg.Connection) -> tuple[Relation, ...]:
    """The same, from the catalog of a migrated database."""
    found = [
        Relation(name, kind, MODULES[name], comment, tenant, tuple(Column(**column) for column in columns))
        for name, kind, comment, tenant, columns in connection.execute(statement("database/relations")).fetchall()
    ]
    order = {name: place for place, name in enumerate(MODULES)}
    return tuple(sorted(found, key=lambda relation: order[relation.name]))


def as_json(found: tuple[Relation, ...]) -> str:
    """The text of sql/relations.json: a column a line, so that a change reads as one."""
    return "[\n" + ",\n".join(_relation_json(relation) for relation in found) + "\n]\n"


def _relation_json(relation: Relation) -> str:
    row = asdict(relation)
    columns = ",\n".join(f"  {json.dumps(column, ensure_ascii=False)}" for column in row.pop("columns"))
    head = json.dumps(row, ensure_ascii=False).removesuffix("}")
    return f'{head}, "columns": [\n{columns}\n]}}'


_IN_MODULES = {
    "A": "shops staff_users app_sessions oauth_states oauth_nonces key_rotations feature_flags system_config "
    "migration_history",
    "B": "shopify_products shopify_variants shopify_collections shopify_collection_products shopify_orders "
    "shopify_customers shopify_metaobjects shopify_webhooks webhook_events",
    "C": "bulk_runs bulk_steps bulk_artifacts bulk_errors staging_products staging_variants",
    "D": "prod_taxonomy prod_sources prod_raw_harvest prod_extraction_sessions prod_master prod_specs_normalized "
    "prod_semantics prod_channel_mappings prod_proposals prod_dedupe_clusters prod_dedupe_cluster_members "
    "prod_similarity_matches prod_quality_events prod_translations",
    "E": "prod_attr_definitions prod_attr_synonyms prod_embeddings shop_product_embeddings",
    "F": "ai_batches ai_batch_items embedding_batches",
    "G": "job_runs scheduled_tasks rate_limit_buckets api_cost_tracking",
    "H": "audit_logs sync_checkpoints",
    "I": "inventory_ledger inventory_current inventory_locations",
    "J": "shopify_media shopify_product_media shopify_variant_media shopify_publications shopify_resource_publications",
    "K": "shopify_menus shopify_menu_items",
    "L": "scraper_configs scraper_runs scraper_queue api_usage_log v_api_daily_costs",
    "M": "analytics_daily_shop analytics_product_performance mv_shop_summary mv_low_stock_alerts mv_top_sellers "
    "mv_pim_quality_progress mv_pim_enrichment_status mv_pim_source_performance",
}
MODULES = {name: module for module, names in _IN_MODULES.items() for name in names.split()}


def main() -> None:
    """Write sql/relations.json from the database of the settings."""
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m neanelu_pipelines.database.relations --write")
    database = open_database(settings())
    if pending(database):
        sys.exit("This database has not the whole schema: run `neanelu migrate` first, or half of it would be written.")
    with database.connect(Role.ADMIN) as connection:
        text = as_json(read_relations(connection))
    (sql_root() / "relations.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

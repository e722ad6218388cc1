"""Who writes each relation, and what it is made from.

Belongs here: two tables of facts about the schema, by relation. Does not belong here: the relations that a declared
resource writes; those follow from the declaration.
"""

from enum import StrEnum


class Writer(StrEnum):
    """Who writes a relation that no load materializes, as a sentence for its description."""

    APPLICATION = "Written by the application; Neanelu Pipelines only reads it."
    LEDGER = "Written by every load, as its ledger; not materialized by itself."
    CLIENT = "Written by every request to Shopify, whichever asset or command sends it; not materialized by itself."
    KEYS = "Written by its own asset, when a person materializes it after adding a key."
    COMMAND = "Written by `neanelu shop` and by the application."
    MIGRATIONS = "Written by `neanelu migrate`."
    TRIGGERS = "Written by the audit triggers, whoever changes the audited tables."
    SHOPIFY_RIVER = "Part of the Shopify river; no load fills it yet."
    HARVEST_RIVER = "Part of the harvest river; no step fills it yet."
    CATALOG_RIVER = "Part of the golden-record river; no step fills it yet."
    EMBEDDINGS_RIVER = "Part of the embeddings river; no step fills it yet."
    OPERATIONS = "Kept by the orchestrator's own bookkeeping; no step fills it yet."
    VIEW = "Read through to its tables; it stores nothing."
    MATERIALIZED_VIEW = "Stored by REFRESH MATERIALIZED VIEW; no step refreshes it yet."


_BY_WRITER: dict[Writer, str] = {
    Writer.APPLICATION: """
        staff_users app_sessions oauth_states oauth_nonces feature_flags system_config
        prod_taxonomy prod_sources prod_channel_mappings prod_attr_definitions prod_attr_synonyms
        prod_translations scheduled_tasks scraper_configs""",
    Writer.LEDGER: "bulk_runs bulk_steps bulk_artifacts bulk_errors sync_checkpoints",
    Writer.CLIENT: "rate_limit_buckets api_cost_tracking",
    Writer.KEYS: "key_rotations",
    Writer.COMMAND: "shops",
    Writer.MIGRATIONS: "migration_history",
    Writer.TRIGGERS: "audit_logs",
    Writer.SHOPIFY_RIVER: """
        staging_products staging_variants
        shopify_products shopify_variants shopify_collections shopify_collection_products shopify_orders
        shopify_customers shopify_metaobjects shopify_webhooks webhook_events shopify_media shopify_product_media
        shopify_variant_media shopify_publications shopify_resource_publications shopify_menus shopify_menu_items
        inventory_ledger inventory_locations analytics_daily_shop analytics_product_performance""",
    Writer.HARVEST_RIVER: """
        scraper_runs scraper_queue prod_raw_harvest prod_extraction_sessions""",
    Writer.CATALOG_RIVER: """
        prod_master prod_specs_normalized prod_semantics prod_proposals prod_dedupe_clusters
        prod_dedupe_cluster_members prod_similarity_matches prod_quality_events""",
    Writer.EMBEDDINGS_RIVER: """
        prod_embeddings shop_product_embeddings embedding_batches ai_batches ai_batch_items""",
    Writer.OPERATIONS: """
        job_runs api_usage_log""",
    Writer.VIEW: "v_api_daily_costs",
    Writer.MATERIALIZED_VIEW: """
        inventory_current mv_shop_summary mv_low_stock_alerts mv_top_sellers mv_pim_quality_progress
        mv_pim_enrichment_status mv_pim_source_performance""",
}

WRITERS: dict[str, Writer] = {name: writer for writer, names in _BY_WRITER.items() for name in names.split()}
"""Every relation of the schema and who writes it as long as no declared resource does."""

UPSTREAM: dict[str, tuple[str, ...]] = {
    "inventory_ledger": ("shopify_variants", "inventory_locations"),
    "inventory_current": ("inventory_ledger",),
    "mv_shop_summary": (
        "shops",
        "shopify_products",
        "shopify_variants",
        "shopify_collections",
        "shopify_orders",
        "shopify_customers",
    ),
    "mv_low_stock_alerts": ("shopify_variants", "shopify_products"),
    "mv_top_sellers": ("shopify_orders", "shopify_variants", "shopify_products"),
    "analytics_daily_shop": ("shopify_orders",),
    "analytics_product_performance": ("shopify_orders", "shopify_products"),
    "shop_product_embeddings": ("shopify_products",),
    "scraper_queue": ("prod_sources", "scraper_configs"),
    "scraper_runs": ("scraper_queue",),
    "prod_raw_harvest": ("scraper_queue",),
    "prod_extraction_sessions": ("prod_raw_harvest",),
    "prod_similarity_matches": ("shopify_products", "prod_extraction_sessions"),
    "prod_proposals": ("prod_extraction_sessions",),
    "prod_specs_normalized": ("prod_proposals", "prod_attr_definitions", "prod_attr_synonyms"),
    "prod_master": ("prod_proposals", "prod_similarity_matches"),
    "prod_semantics": ("prod_master",),
    "prod_dedupe_clusters": ("prod_master",),
    "prod_dedupe_cluster_members": ("prod_dedupe_clusters",),
    "prod_quality_events": ("prod_master",),
    "prod_embeddings": ("prod_master", "prod_specs_normalized"),
    "mv_pim_quality_progress": ("prod_master",),
    "mv_pim_enrichment_status": ("prod_master", "prod_similarity_matches", "prod_specs_normalized"),
    "mv_pim_source_performance": ("prod_sources", "prod_similarity_matches", "prod_extraction_sessions"),
    "v_api_daily_costs": ("api_usage_log",),
}
"""What a relation is made from, by relation: the rivers of the architecture and the views' own definitions."""

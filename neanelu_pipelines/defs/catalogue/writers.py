"""Who writes the relations that nothing here materializes, and what they are made from.

Belongs here: two tables of facts about external assets, by relation. Does not belong here: relations that an asset
writes; what those are follows from their declaration or their own definition.
"""

from enum import StrEnum


class Writer(StrEnum):
    """Who writes a relation that no load materializes, as a sentence for its description."""

    APPLICATION = "Written by the application; Neanelu Pipelines only reads it."
    LEDGER = "Written by every load, as its ledger; not materialized by itself."
    CLIENT = "Written by every request to Shopify, whichever asset or command sends it; not materialized by itself."
    COMMAND = "Written by `neanelu shop` and by the application."
    MIGRATIONS = "Written by `neanelu migrate`."
    TRIGGERS = "Written by the audit triggers, whoever changes the audited tables."
    SHOPIFY_RIVER = "Part of the Shopify river; no load fills it yet."
    HARVEST_RIVER = "Part of the harvest river; no step fills it yet."
    CATALOG_RIVER = "Part of the golden-record river; no step fills it yet."
    EMBEDDINGS_RIVER = "Part of the embeddings river; no step fills it yet."
    OPERATIONS = "Kept by the orchestrator's own bookkeeping; no step fills it yet."
    VIEW = "Read through to its tables; it stores nothing."
    MATERIALIZED_VIEW = "Stored by REFRESH MATERIALIZED VIEW; so far only erasing a shop refreshes it."


_BY_WRITER: dict[Writer, str] = {
    Writer.APPLICATION: """
        staff_users app_sessions oauth_states oauth_nonces feature_flags system_config
        prod_taxonomy prod_sources prod_channel_mappings prod_attr_definitions prod_attr_synonyms
        prod_translations scheduled_tasks scraper_configs""",
    Writer.LEDGER: "bulk_runs bulk_steps bulk_artifacts bulk_errors sync_checkpoints",
    Writer.CLIENT: "rate_limit_buckets api_cost_tracking",
    Writer.COMMAND: "shops",
    Writer.MIGRATIONS: "migration_history",
    Writer.TRIGGERS: "audit_logs",
    Writer.SHOPIFY_RIVER: "analytics_daily_shop analytics_product_performance",
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
        mv_shop_summary mv_low_stock_alerts mv_top_sellers mv_pim_quality_progress
        mv_pim_enrichment_status mv_pim_source_performance""",
}

WRITERS: dict[str, Writer] = {name: writer for writer, names in _BY_WRITER.items() for name in names.split()}
"""Every external asset's relation and who writes it."""

UPSTREAM: dict[str, tuple[str, ...]] = {
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
"""What they are made from: the rivers of the architecture and the views' own definitions."""

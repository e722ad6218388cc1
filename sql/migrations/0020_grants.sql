-- Who may do what. Row-level security decides which rows; this decides which tables and columns.
--
-- neanelu_pipeline: everything but the schema. neanelu_tenant: the mirror, the ledger of bulk runs and the merge from
-- staging; of the global catalogue it reads what a shop is shown. Partitions are granted to nobody, and there are no
-- default privileges: a new table is closed until a migration opens it.

SET LOCAL ROLE neanelu_owner;

-- The pipeline -------------------------------------------------------------------------------------

GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON
    shops, staff_users, app_sessions, oauth_states, oauth_nonces, key_rotations, feature_flags, system_config,
    shopify_products, shopify_variants, shopify_collections, shopify_collection_products, shopify_customers,
    shopify_orders, shopify_metaobjects, shopify_webhooks, webhook_events, pipeline.webhook_keys,
    bulk_runs, bulk_steps, bulk_artifacts, bulk_errors,
    prod_taxonomy, prod_sources, prod_raw_harvest, prod_extraction_sessions, prod_master, prod_specs_normalized,
    prod_semantics, prod_channel_mappings,
    prod_proposals, prod_dedupe_clusters, prod_dedupe_cluster_members, prod_similarity_matches, prod_quality_events,
    prod_translations,
    prod_attr_definitions, prod_attr_synonyms, prod_embeddings, shop_product_embeddings,
    ai_batches, ai_batch_items, embedding_batches,
    job_runs, scheduled_tasks, rate_limit_buckets, api_cost_tracking,
    audit_logs, sync_checkpoints,
    inventory_locations, inventory_ledger,
    shopify_media, shopify_product_media, shopify_variant_media, shopify_publications, shopify_resource_publications,
    shopify_menus, shopify_menu_items,
    scraper_configs, scraper_runs, scraper_queue, api_usage_log,
    analytics_daily_shop, analytics_product_performance
    TO neanelu_pipeline;

GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON
    staging_products, staging_variants,
    pipeline.staging_media, pipeline.staging_children, pipeline.staging_links, pipeline.staging_lines
    TO neanelu_pipeline;

GRANT SELECT ON migration_history, v_api_daily_costs TO neanelu_pipeline;

-- The tenant ---------------------------------------------------------------------------------------

-- Without the access token and the webhook secret.
GRANT SELECT (
    id, shopify_domain, shopify_shop_id, plan_tier, api_version, key_version, scopes, timezone, currency_code,
    settings, installed_at, uninstalled_at, created_at, updated_at
) ON shops TO neanelu_tenant;
GRANT UPDATE (timezone, currency_code, settings, updated_at) ON shops TO neanelu_tenant;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    staff_users, app_sessions, oauth_nonces,
    shopify_products, shopify_variants, shopify_collections, shopify_collection_products, shopify_customers,
    shopify_orders, shopify_metaobjects, shopify_webhooks, webhook_events, pipeline.webhook_keys,
    bulk_runs, bulk_steps, bulk_artifacts, bulk_errors,
    shop_product_embeddings, scheduled_tasks, rate_limit_buckets, sync_checkpoints, inventory_locations,
    shopify_media, shopify_product_media, shopify_variant_media, shopify_publications, shopify_resource_publications,
    shopify_menus, shopify_menu_items,
    analytics_daily_shop, analytics_product_performance
    TO neanelu_tenant;

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, UPDATE, DELETE ON
    staging_products, staging_variants,
    pipeline.staging_media, pipeline.staging_children, pipeline.staging_links, pipeline.staging_lines
    TO neanelu_tenant;

-- Only ever appended to.
GRANT SELECT, INSERT ON inventory_ledger, api_cost_tracking, api_usage_log TO neanelu_tenant;

GRANT SELECT ON
    audit_logs, job_runs, ai_batches, ai_batch_items, embedding_batches, v_api_daily_costs,
    prod_taxonomy, prod_master, prod_specs_normalized, prod_semantics, prod_translations, prod_channel_mappings,
    prod_attr_definitions, prod_attr_synonyms, prod_embeddings
    TO neanelu_tenant;

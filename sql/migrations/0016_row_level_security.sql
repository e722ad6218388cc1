-- Row-level security: every table with a shop_id, and shops.
--
-- A tenant reads and writes the rows of the shop in its context and no others; without a context, none. WITH CHECK
-- demands the tenant's own shop, so that nobody can make, or take over, a row that belongs to all. Where the document
-- lets tenants read rows without a shop (shop_id IS NULL), a second policy allows reading and nothing else.
-- FORCE binds the owner too; neanelu_pipeline bypasses all of it. Partitions: see the migration that makes them.

SET LOCAL ROLE neanelu_owner;

-- Module A: system core ----------------------------------------------------------------------------

ALTER TABLE shops ENABLE ROW LEVEL SECURITY;
ALTER TABLE shops FORCE ROW LEVEL SECURITY;
CREATE POLICY shops_tenant_isolation ON shops
    USING (id = (SELECT app_current_shop_id()))
    WITH CHECK (id = (SELECT app_current_shop_id()));

ALTER TABLE staff_users ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff_users FORCE ROW LEVEL SECURITY;
CREATE POLICY staff_users_tenant_isolation ON staff_users
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE app_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE app_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY app_sessions_tenant_isolation ON app_sessions
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE oauth_nonces ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_nonces FORCE ROW LEVEL SECURITY;
CREATE POLICY oauth_nonces_tenant_isolation ON oauth_nonces
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Module B: the Shopify mirror ---------------------------------------------------------------------

ALTER TABLE shopify_products ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_products FORCE ROW LEVEL SECURITY;
CREATE POLICY products_tenant_isolation ON shopify_products
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_variants ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_variants FORCE ROW LEVEL SECURITY;
CREATE POLICY variants_tenant_isolation ON shopify_variants
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_collections ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_collections FORCE ROW LEVEL SECURITY;
CREATE POLICY collections_tenant_isolation ON shopify_collections
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_collection_products ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_collection_products FORCE ROW LEVEL SECURITY;
CREATE POLICY collection_products_tenant_isolation ON shopify_collection_products
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_orders FORCE ROW LEVEL SECURITY;
CREATE POLICY orders_tenant_isolation ON shopify_orders
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_customers FORCE ROW LEVEL SECURITY;
CREATE POLICY customers_tenant_isolation ON shopify_customers
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_metaobjects ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_metaobjects FORCE ROW LEVEL SECURITY;
CREATE POLICY metaobjects_tenant_isolation ON shopify_metaobjects
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY webhooks_tenant_isolation ON shopify_webhooks
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE webhook_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_events FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_events_tenant_isolation ON webhook_events
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE pipeline.webhook_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.webhook_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_keys_tenant_isolation ON pipeline.webhook_keys
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Module C: bulk operations and staging ------------------------------------------------------------

ALTER TABLE bulk_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE bulk_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY bulk_runs_tenant_isolation ON bulk_runs
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE bulk_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE bulk_steps FORCE ROW LEVEL SECURITY;
CREATE POLICY bulk_steps_tenant_isolation ON bulk_steps
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE bulk_artifacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE bulk_artifacts FORCE ROW LEVEL SECURITY;
CREATE POLICY bulk_artifacts_tenant_isolation ON bulk_artifacts
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE bulk_errors ENABLE ROW LEVEL SECURITY;
ALTER TABLE bulk_errors FORCE ROW LEVEL SECURITY;
CREATE POLICY bulk_errors_tenant_isolation ON bulk_errors
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE staging_products ENABLE ROW LEVEL SECURITY;
ALTER TABLE staging_products FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_products_tenant_isolation ON staging_products
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE staging_variants ENABLE ROW LEVEL SECURITY;
ALTER TABLE staging_variants FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_variants_tenant_isolation ON staging_variants
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE pipeline.staging_media ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_media FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_media_tenant_isolation ON pipeline.staging_media
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE pipeline.staging_children ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_children FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_children_tenant_isolation ON pipeline.staging_children
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE pipeline.staging_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_links FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_links_tenant_isolation ON pipeline.staging_links
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE pipeline.staging_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_lines_tenant_isolation ON pipeline.staging_lines
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Modules D and E: what of the catalogue belongs to a shop; the rest is global ---------------------

ALTER TABLE prod_channel_mappings ENABLE ROW LEVEL SECURITY;
ALTER TABLE prod_channel_mappings FORCE ROW LEVEL SECURITY;
CREATE POLICY channel_mappings_tenant_isolation ON prod_channel_mappings
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));
CREATE POLICY channel_mappings_global_read ON prod_channel_mappings FOR SELECT
    USING (shop_id IS NULL);

ALTER TABLE shop_product_embeddings ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop_product_embeddings FORCE ROW LEVEL SECURITY;
CREATE POLICY shop_embeddings_tenant_isolation ON shop_product_embeddings
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Module F: AI batches -----------------------------------------------------------------------------

ALTER TABLE ai_batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE ai_batches FORCE ROW LEVEL SECURITY;
CREATE POLICY ai_batches_tenant_isolation ON ai_batches
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));
CREATE POLICY ai_batches_global_read ON ai_batches FOR SELECT
    USING (shop_id IS NULL);

ALTER TABLE ai_batch_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE ai_batch_items FORCE ROW LEVEL SECURITY;
CREATE POLICY ai_batch_items_tenant_isolation ON ai_batch_items
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (
        shop_id = (SELECT app_current_shop_id())
        AND batch_id IN (SELECT id FROM ai_batches WHERE shop_id = (SELECT app_current_shop_id()))
    );
CREATE POLICY ai_batch_items_global_read ON ai_batch_items FOR SELECT
    USING (shop_id IS NULL AND batch_id IN (SELECT id FROM ai_batches WHERE shop_id IS NULL));

ALTER TABLE embedding_batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE embedding_batches FORCE ROW LEVEL SECURITY;
CREATE POLICY embedding_batches_tenant_isolation ON embedding_batches
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));
CREATE POLICY embedding_batches_global_read ON embedding_batches FOR SELECT
    USING (shop_id IS NULL);

-- Module G: jobs -----------------------------------------------------------------------------------

ALTER TABLE job_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY job_runs_tenant_isolation ON job_runs
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));
CREATE POLICY job_runs_global_read ON job_runs FOR SELECT
    USING (shop_id IS NULL);

ALTER TABLE scheduled_tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE scheduled_tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY scheduled_tasks_tenant_isolation ON scheduled_tasks
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));
CREATE POLICY scheduled_tasks_global_read ON scheduled_tasks FOR SELECT
    USING (shop_id IS NULL);

ALTER TABLE rate_limit_buckets ENABLE ROW LEVEL SECURITY;
ALTER TABLE rate_limit_buckets FORCE ROW LEVEL SECURITY;
CREATE POLICY rate_limit_buckets_tenant_isolation ON rate_limit_buckets
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE api_cost_tracking ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_cost_tracking FORCE ROW LEVEL SECURITY;
CREATE POLICY api_cost_tracking_tenant_isolation ON api_cost_tracking
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Module H: audit ----------------------------------------------------------------------------------

ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_logs_tenant_isolation ON audit_logs
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));
CREATE POLICY audit_logs_global_read ON audit_logs FOR SELECT
    USING (shop_id IS NULL);

ALTER TABLE sync_checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE sync_checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY sync_checkpoints_tenant_isolation ON sync_checkpoints
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Module I: inventory ------------------------------------------------------------------------------

ALTER TABLE inventory_ledger ENABLE ROW LEVEL SECURITY;
ALTER TABLE inventory_ledger FORCE ROW LEVEL SECURITY;
CREATE POLICY inventory_ledger_tenant_isolation ON inventory_ledger
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE inventory_locations ENABLE ROW LEVEL SECURITY;
ALTER TABLE inventory_locations FORCE ROW LEVEL SECURITY;
CREATE POLICY inventory_locations_tenant_isolation ON inventory_locations
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Module J: media and publications -----------------------------------------------------------------

ALTER TABLE shopify_media ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_media FORCE ROW LEVEL SECURITY;
CREATE POLICY media_tenant_isolation ON shopify_media
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_product_media ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_product_media FORCE ROW LEVEL SECURITY;
CREATE POLICY product_media_tenant_isolation ON shopify_product_media
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_variant_media ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_variant_media FORCE ROW LEVEL SECURITY;
CREATE POLICY variant_media_tenant_isolation ON shopify_variant_media
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_publications ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_publications FORCE ROW LEVEL SECURITY;
CREATE POLICY publications_tenant_isolation ON shopify_publications
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_resource_publications ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_resource_publications FORCE ROW LEVEL SECURITY;
CREATE POLICY resource_publications_tenant_isolation ON shopify_resource_publications
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Module K: menus ----------------------------------------------------------------------------------

ALTER TABLE shopify_menus ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_menus FORCE ROW LEVEL SECURITY;
CREATE POLICY menus_tenant_isolation ON shopify_menus
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE shopify_menu_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE shopify_menu_items FORCE ROW LEVEL SECURITY;
CREATE POLICY menu_items_tenant_isolation ON shopify_menu_items
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Module L: external APIs --------------------------------------------------------------------------

ALTER TABLE api_usage_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_usage_log FORCE ROW LEVEL SECURITY;
CREATE POLICY api_usage_log_tenant_isolation ON api_usage_log
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Module M: analytics ------------------------------------------------------------------------------

ALTER TABLE analytics_daily_shop ENABLE ROW LEVEL SECURITY;
ALTER TABLE analytics_daily_shop FORCE ROW LEVEL SECURITY;
CREATE POLICY analytics_daily_tenant_isolation ON analytics_daily_shop
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

ALTER TABLE analytics_product_performance ENABLE ROW LEVEL SECURITY;
ALTER TABLE analytics_product_performance FORCE ROW LEVEL SECURITY;
CREATE POLICY product_perf_tenant_isolation ON analytics_product_performance
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

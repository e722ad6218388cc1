-- Materialized views, and the views through which tenants read them.
--
-- A materialized view has no row-level security: it belongs to neanelu_pipeline, which sees all shops and refreshes it,
-- and tenants are granted nothing on it. They read security-barrier views that show the shop in their context.
-- Each has a unique index, which REFRESH … CONCURRENTLY needs.

GRANT CREATE ON SCHEMA public TO neanelu_pipeline;
SET LOCAL ROLE neanelu_owner;
GRANT CREATE ON SCHEMA pipeline TO neanelu_pipeline;
SET LOCAL ROLE neanelu_pipeline;

-- inventory_current -------------------------------------------------------------------------------

CREATE MATERIALIZED VIEW inventory_current AS
SELECT
    shop_id,
    variant_id,
    location_id,
    SUM(delta) AS quantity,
    MAX(recorded_at) AS last_updated_at
FROM inventory_ledger
GROUP BY shop_id, variant_id, location_id;

CREATE UNIQUE INDEX idx_inventory_current_pk ON inventory_current (variant_id, location_id);
CREATE INDEX idx_inventory_current_quantity ON inventory_current (quantity);

-- mv_shop_summary ---------------------------------------------------------------------------------
-- Each table is aggregated by itself and then joined: joined first, every order would count once per product.

CREATE MATERIALIZED VIEW mv_shop_summary AS
SELECT
    s.id AS shop_id,
    s.shopify_domain,
    COALESCE(products.total, 0) AS total_products,
    COALESCE(variants.total, 0) AS total_variants,
    COALESCE(collections.total, 0) AS total_collections,
    COALESCE(orders.total, 0) AS total_orders,
    COALESCE(orders.revenue, 0) AS total_revenue,
    COALESCE(customers.total, 0) AS total_customers,
    products.last_sync AS last_product_sync,
    orders.last_sync AS last_order_sync
FROM shops AS s
LEFT JOIN (
    SELECT shop_id, COUNT(*) AS total, MAX(synced_at) AS last_sync
    FROM shopify_products
    WHERE status = 'ACTIVE'
    GROUP BY shop_id
) AS products ON products.shop_id = s.id
LEFT JOIN (
    SELECT shop_id, COUNT(*) AS total FROM shopify_variants GROUP BY shop_id
) AS variants ON variants.shop_id = s.id
LEFT JOIN (
    SELECT shop_id, COUNT(*) AS total FROM shopify_collections GROUP BY shop_id
) AS collections ON collections.shop_id = s.id
LEFT JOIN (
    SELECT shop_id, COUNT(*) AS total, SUM(total_price) AS revenue, MAX(synced_at) AS last_sync
    FROM shopify_orders
    GROUP BY shop_id
) AS orders ON orders.shop_id = s.id
LEFT JOIN (
    SELECT shop_id, COUNT(*) AS total FROM shopify_customers GROUP BY shop_id
) AS customers ON customers.shop_id = s.id;

CREATE UNIQUE INDEX idx_mv_shop_summary_pk ON mv_shop_summary (shop_id);

-- mv_low_stock_alerts -----------------------------------------------------------------------------
-- The threshold is a metafield that a merchant types: what is not a whole number counts as not set.

CREATE MATERIALIZED VIEW mv_low_stock_alerts AS
SELECT
    v.shop_id,
    v.id AS variant_id,
    v.product_id,
    v.sku,
    v.title AS variant_title,
    p.title AS product_title,
    v.inventory_quantity,
    limits.threshold
FROM shopify_variants AS v
JOIN shopify_products AS p ON p.id = v.product_id AND p.shop_id = v.shop_id
CROSS JOIN LATERAL (
    SELECT
        p.metafields ->> 'low_stock_threshold' AS plain,
        p.metafields #>> '{custom.low_stock_threshold,value}' AS typed
) AS said
CROSS JOIN LATERAL (
    SELECT COALESCE(
        CASE WHEN pg_input_is_valid(said.plain, 'integer') THEN said.plain::integer END,
        CASE WHEN pg_input_is_valid(said.typed, 'integer') THEN said.typed::integer END,
        5
    ) AS threshold
) AS limits
WHERE v.inventory_quantity <= limits.threshold
    AND v.inventory_quantity >= 0
    AND p.status = 'ACTIVE';

CREATE UNIQUE INDEX idx_mv_low_stock_pk ON mv_low_stock_alerts (variant_id);
CREATE INDEX idx_mv_low_stock_shop ON mv_low_stock_alerts (shop_id);
CREATE INDEX idx_mv_low_stock_qty ON mv_low_stock_alerts (inventory_quantity);

-- mv_top_sellers ----------------------------------------------------------------------------------
-- A line item holds the mirror's id of its variant (variant_id) beside Shopify's (variant_gid). Items whose variant is
-- gone are counted apart, in one row per shop without a product and without a rank.

CREATE MATERIALIZED VIEW mv_top_sellers AS
WITH order_items AS (
    SELECT
        o.shop_id,
        CASE WHEN pg_input_is_valid(item ->> 'variant_id', 'uuid') THEN (item ->> 'variant_id')::uuid END AS variant_id,
        COALESCE(item ->> 'variant_id', item ->> 'variant_gid') AS variant_key,
        CASE WHEN pg_input_is_valid(item ->> 'quantity', 'integer') THEN (item ->> 'quantity')::integer END AS quantity,
        CASE WHEN pg_input_is_valid(item ->> 'price', 'numeric') THEN (item ->> 'price')::numeric END AS price
    FROM shopify_orders AS o
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE jsonb_typeof(o.line_items) WHEN 'array' THEN o.line_items ELSE '[]' END
    ) AS item
    WHERE o.created_at_shopify >= NOW() - INTERVAL '30 days'
        AND o.financial_status IN ('PAID', 'PARTIALLY_REFUNDED')
)
SELECT
    oi.shop_id,
    v.product_id,
    p.title AS product_title,
    SUM(oi.quantity) AS units_sold,
    SUM(oi.quantity * oi.price) AS revenue,
    COUNT(DISTINCT oi.variant_key) AS variants_sold,
    CASE WHEN v.product_id IS NOT NULL THEN
        RANK() OVER (
            PARTITION BY oi.shop_id, v.product_id IS NULL
            ORDER BY SUM(oi.quantity * oi.price) DESC NULLS LAST
        )
    END AS revenue_rank
FROM order_items AS oi
LEFT JOIN shopify_variants AS v ON v.id = oi.variant_id AND v.shop_id = oi.shop_id
LEFT JOIN shopify_products AS p ON p.id = v.product_id
GROUP BY oi.shop_id, v.product_id, p.title;

CREATE UNIQUE INDEX idx_mv_top_sellers_pk ON mv_top_sellers (shop_id, product_id) NULLS NOT DISTINCT;
CREATE INDEX idx_mv_top_sellers_shop ON mv_top_sellers (shop_id);
CREATE INDEX idx_mv_top_sellers_rank ON mv_top_sellers (shop_id, revenue_rank);

-- mv_pim_quality_progress --------------------------------------------------------------------------

CREATE MATERIALIZED VIEW mv_pim_quality_progress AS
SELECT
    data_quality_level,
    COUNT(*) AS product_count,
    ROUND(COUNT(*)::numeric / NULLIF(SUM(COUNT(*)) OVER (), 0) * 100, 2) AS percentage,
    AVG(quality_score) AS avg_quality_score,
    COUNT(*) FILTER (WHERE needs_review = true) AS needs_review_count,
    COUNT(*) FILTER (WHERE promoted_to_silver_at >= NOW() - INTERVAL '24 hours') AS promoted_to_silver_24h,
    COUNT(*) FILTER (WHERE promoted_to_golden_at >= NOW() - INTERVAL '24 hours') AS promoted_to_golden_24h,
    COUNT(*) FILTER (WHERE promoted_to_silver_at >= NOW() - INTERVAL '7 days') AS promoted_to_silver_7d,
    COUNT(*) FILTER (WHERE promoted_to_golden_at >= NOW() - INTERVAL '7 days') AS promoted_to_golden_7d,
    MAX(updated_at) AS last_update
FROM prod_master
GROUP BY data_quality_level;

CREATE UNIQUE INDEX idx_mv_pim_quality_level ON mv_pim_quality_progress (data_quality_level);

-- mv_pim_enrichment_status -------------------------------------------------------------------------

CREATE MATERIALIZED VIEW mv_pim_enrichment_status AS
SELECT
    pm.data_quality_level,
    COUNT(DISTINCT pm.id) AS total_products,
    COUNT(DISTINCT psm.product_id) AS products_with_matches,
    COUNT(psm.id) AS total_matches,
    COUNT(psm.id) FILTER (WHERE psm.match_confidence = 'confirmed') AS confirmed_matches,
    COUNT(psm.id) FILTER (WHERE psm.match_confidence = 'pending') AS pending_matches,
    COUNT(psm.id) FILTER (WHERE psm.match_confidence = 'rejected') AS rejected_matches,
    COUNT(DISTINCT psm.source_id) AS unique_sources,
    AVG(psm.similarity_score) FILTER (WHERE psm.match_confidence = 'confirmed') AS avg_confirmed_similarity,
    COUNT(DISTINCT pes.product_id) AS products_with_specs,
    MAX(psm.created_at) AS last_match_found
FROM prod_master pm
LEFT JOIN prod_similarity_matches psm ON psm.product_id = pm.id
LEFT JOIN prod_specs_normalized pes ON pes.product_id = pm.id AND pes.is_current = true
GROUP BY pm.data_quality_level;

CREATE UNIQUE INDEX idx_mv_pim_enrichment_level ON mv_pim_enrichment_status (data_quality_level);

-- mv_pim_source_performance ------------------------------------------------------------------------

CREATE MATERIALIZED VIEW mv_pim_source_performance AS
SELECT
    ps.id AS source_id,
    ps.name AS source_name,
    ps.source_type,
    ps.trust_score,
    COUNT(psm.id) AS total_matches,
    COUNT(psm.id) FILTER (WHERE psm.match_confidence = 'confirmed') AS confirmed_matches,
    COUNT(psm.id) FILTER (WHERE psm.match_confidence = 'rejected') AS rejected_matches,
    ROUND(
        COUNT(psm.id) FILTER (WHERE psm.match_confidence = 'confirmed')::numeric /
        NULLIF(COUNT(psm.id) FILTER (WHERE psm.match_confidence IN ('confirmed', 'rejected')), 0) * 100,
        2
    ) AS confirmation_rate,
    AVG(psm.similarity_score) AS avg_similarity,
    COUNT(DISTINCT psm.product_id) AS products_enriched,
    COUNT(DISTINCT pes.id) AS specs_extracted,
    MAX(psm.scraped_at) AS last_scrape
FROM prod_sources ps
LEFT JOIN prod_similarity_matches psm ON psm.source_id = ps.id
LEFT JOIN prod_extraction_sessions pes ON pes.id = psm.extraction_session_id
GROUP BY ps.id, ps.name, ps.source_type, ps.trust_score;

CREATE UNIQUE INDEX idx_mv_pim_source_perf_pk ON mv_pim_source_performance (source_id);
CREATE INDEX idx_mv_pim_source_perf_rate ON mv_pim_source_performance (confirmation_rate DESC);

-- comments -----------------------------------------------------------------------------------------

COMMENT ON MATERIALIZED VIEW inventory_current IS
    'Stock of each variant at each location: the sum of the ledger. Refreshed after bulk operations.';
COMMENT ON COLUMN inventory_current.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN inventory_current.variant_id IS 'The variant';
COMMENT ON COLUMN inventory_current.location_id IS 'Shopify location GID';
COMMENT ON COLUMN inventory_current.quantity IS 'Quantity now';
COMMENT ON COLUMN inventory_current.last_updated_at IS 'When it last changed';

COMMENT ON MATERIALIZED VIEW mv_shop_summary IS
    'Dashboard summary metrics per shop. Refreshed hourly.';
COMMENT ON COLUMN mv_shop_summary.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN mv_shop_summary.shopify_domain IS 'myshop.myshopify.com';
COMMENT ON COLUMN mv_shop_summary.total_products IS 'Active products';
COMMENT ON COLUMN mv_shop_summary.total_variants IS 'Variants';
COMMENT ON COLUMN mv_shop_summary.total_collections IS 'Collections';
COMMENT ON COLUMN mv_shop_summary.total_orders IS 'Orders';
COMMENT ON COLUMN mv_shop_summary.total_revenue IS 'Price of all orders';
COMMENT ON COLUMN mv_shop_summary.total_customers IS 'Customers';
COMMENT ON COLUMN mv_shop_summary.last_product_sync IS 'When a product was last taken from Shopify';
COMMENT ON COLUMN mv_shop_summary.last_order_sync IS 'When an order was last taken from Shopify';

COMMENT ON MATERIALIZED VIEW mv_low_stock_alerts IS
    'Variants of active products at or below their low-stock threshold. Refreshed every 15 minutes.';
COMMENT ON COLUMN mv_low_stock_alerts.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN mv_low_stock_alerts.variant_id IS 'The variant';
COMMENT ON COLUMN mv_low_stock_alerts.product_id IS 'Its product';
COMMENT ON COLUMN mv_low_stock_alerts.sku IS 'Stock keeping unit';
COMMENT ON COLUMN mv_low_stock_alerts.variant_title IS 'Variant title';
COMMENT ON COLUMN mv_low_stock_alerts.product_title IS 'Product title';
COMMENT ON COLUMN mv_low_stock_alerts.inventory_quantity IS 'Quantity over all locations';
COMMENT ON COLUMN mv_low_stock_alerts.threshold IS
    'Quantity at which the alert begins; 5 unless the product says otherwise';

COMMENT ON MATERIALIZED VIEW mv_top_sellers IS
    'Top selling products per shop in the last 30 days. Refreshed daily.';
COMMENT ON COLUMN mv_top_sellers.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN mv_top_sellers.product_id IS 'The product; NULL for items whose variant is gone';
COMMENT ON COLUMN mv_top_sellers.product_title IS 'Product title';
COMMENT ON COLUMN mv_top_sellers.units_sold IS 'Units sold';
COMMENT ON COLUMN mv_top_sellers.revenue IS 'Revenue';
COMMENT ON COLUMN mv_top_sellers.variants_sold IS 'Number of different variants sold';
COMMENT ON COLUMN mv_top_sellers.revenue_rank IS
    'Rank by revenue within the shop; NULL for items whose variant is gone';

COMMENT ON MATERIALIZED VIEW mv_pim_quality_progress IS
    'PIM quality level distribution and progress metrics. Refreshed hourly.';
COMMENT ON COLUMN mv_pim_quality_progress.data_quality_level IS 'bronze/silver/golden/review_needed';
COMMENT ON COLUMN mv_pim_quality_progress.product_count IS 'Golden records at the level';
COMMENT ON COLUMN mv_pim_quality_progress.percentage IS 'Share of all golden records, in percent';
COMMENT ON COLUMN mv_pim_quality_progress.avg_quality_score IS 'Average quality score';
COMMENT ON COLUMN mv_pim_quality_progress.needs_review_count IS 'Records that a person must look at';
COMMENT ON COLUMN mv_pim_quality_progress.promoted_to_silver_24h IS 'Promoted to silver in the last 24 hours';
COMMENT ON COLUMN mv_pim_quality_progress.promoted_to_golden_24h IS 'Promoted to golden in the last 24 hours';
COMMENT ON COLUMN mv_pim_quality_progress.promoted_to_silver_7d IS 'Promoted to silver in the last 7 days';
COMMENT ON COLUMN mv_pim_quality_progress.promoted_to_golden_7d IS 'Promoted to golden in the last 7 days';
COMMENT ON COLUMN mv_pim_quality_progress.last_update IS 'When a record of the level last changed';

COMMENT ON MATERIALIZED VIEW mv_pim_enrichment_status IS
    'Enrichment progress from external sources. Refreshed hourly.';
COMMENT ON COLUMN mv_pim_enrichment_status.data_quality_level IS 'bronze/silver/golden/review_needed';
COMMENT ON COLUMN mv_pim_enrichment_status.total_products IS 'Golden records at the level';
COMMENT ON COLUMN mv_pim_enrichment_status.products_with_matches IS 'Records with a match';
COMMENT ON COLUMN mv_pim_enrichment_status.total_matches IS 'Matches';
COMMENT ON COLUMN mv_pim_enrichment_status.confirmed_matches IS 'Matches confirmed';
COMMENT ON COLUMN mv_pim_enrichment_status.pending_matches IS 'Matches waiting for a decision';
COMMENT ON COLUMN mv_pim_enrichment_status.rejected_matches IS 'Matches rejected';
COMMENT ON COLUMN mv_pim_enrichment_status.unique_sources IS 'Sources with a match';
COMMENT ON COLUMN mv_pim_enrichment_status.avg_confirmed_similarity IS 'Average similarity of the confirmed matches';
COMMENT ON COLUMN mv_pim_enrichment_status.products_with_specs IS 'Records with current specifications';
COMMENT ON COLUMN mv_pim_enrichment_status.last_match_found IS 'When a match was last found';

COMMENT ON MATERIALIZED VIEW mv_pim_source_performance IS
    'Which external sources provide the best matches. Refreshed daily.';
COMMENT ON COLUMN mv_pim_source_performance.source_id IS 'The source';
COMMENT ON COLUMN mv_pim_source_performance.source_name IS 'Source name';
COMMENT ON COLUMN mv_pim_source_performance.source_type IS 'SUPPLIER/MANUFACTURER/SCRAPER';
COMMENT ON COLUMN mv_pim_source_performance.trust_score IS '0.0-1.0';
COMMENT ON COLUMN mv_pim_source_performance.total_matches IS 'Matches';
COMMENT ON COLUMN mv_pim_source_performance.confirmed_matches IS 'Matches confirmed';
COMMENT ON COLUMN mv_pim_source_performance.rejected_matches IS 'Matches rejected';
COMMENT ON COLUMN mv_pim_source_performance.confirmation_rate IS 'Confirmed of all decided, in percent';
COMMENT ON COLUMN mv_pim_source_performance.avg_similarity IS 'Average similarity';
COMMENT ON COLUMN mv_pim_source_performance.products_enriched IS 'Golden records matched';
COMMENT ON COLUMN mv_pim_source_performance.specs_extracted IS 'Extractions made from matched pages';
COMMENT ON COLUMN mv_pim_source_performance.last_scrape IS 'When a match was last scraped';

-- what tenants read --------------------------------------------------------------------------------

CREATE VIEW pipeline.tenant_inventory_current WITH (security_barrier = true) AS
SELECT *
FROM inventory_current
WHERE shop_id = (SELECT app_current_shop_id());

COMMENT ON VIEW pipeline.tenant_inventory_current IS 'inventory_current, for the shop in the context';
GRANT SELECT ON pipeline.tenant_inventory_current TO neanelu_tenant;

CREATE VIEW pipeline.tenant_shop_summary WITH (security_barrier = true) AS
SELECT *
FROM mv_shop_summary
WHERE shop_id = (SELECT app_current_shop_id());

COMMENT ON VIEW pipeline.tenant_shop_summary IS 'mv_shop_summary, for the shop in the context';
GRANT SELECT ON pipeline.tenant_shop_summary TO neanelu_tenant;

CREATE VIEW pipeline.tenant_low_stock_alerts WITH (security_barrier = true) AS
SELECT *
FROM mv_low_stock_alerts
WHERE shop_id = (SELECT app_current_shop_id());

COMMENT ON VIEW pipeline.tenant_low_stock_alerts IS 'mv_low_stock_alerts, for the shop in the context';
GRANT SELECT ON pipeline.tenant_low_stock_alerts TO neanelu_tenant;

CREATE VIEW pipeline.tenant_top_sellers WITH (security_barrier = true) AS
SELECT *
FROM mv_top_sellers
WHERE shop_id = (SELECT app_current_shop_id());

COMMENT ON VIEW pipeline.tenant_top_sellers IS 'mv_top_sellers, for the shop in the context';
GRANT SELECT ON pipeline.tenant_top_sellers TO neanelu_tenant;

RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM neanelu_pipeline;
SET LOCAL ROLE neanelu_owner;
REVOKE CREATE ON SCHEMA pipeline FROM neanelu_pipeline;

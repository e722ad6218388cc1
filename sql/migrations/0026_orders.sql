-- Orders are loaded: their staging table and their fingerprints (0018).

SET LOCAL ROLE neanelu_owner;

CREATE UNLOGGED TABLE pipeline.staging_orders (
    bulk_run_id          UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id              UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number          BIGINT,
    shopify_gid          VARCHAR(100) COLLATE "C",
    legacy_resource_id   BIGINT,
    name                 VARCHAR(50),
    order_number         INTEGER,
    email                CITEXT,
    phone                VARCHAR(50),
    financial_status     VARCHAR(30),
    fulfillment_status   VARCHAR(30),
    total_price          DECIMAL(12,2),
    subtotal_price       DECIMAL(12,2),
    total_tax            DECIMAL(12,2),
    total_discounts      DECIMAL(12,2),
    total_shipping       DECIMAL(12,2),
    currency_code        VARCHAR(3),
    presentment_currency VARCHAR(3),
    line_items           JSONB COMPRESSION lz4,
    shipping_lines       JSONB                    DEFAULT '[]',
    discount_codes       JSONB                    DEFAULT '[]',
    shipping_address     JSONB,
    billing_address      JSONB,
    customer_gid         VARCHAR(100) COLLATE "C",
    customer_locale      VARCHAR(10),
    tags                 TEXT[]                   DEFAULT '{}',
    note                 TEXT,
    note_attributes      JSONB                    DEFAULT '[]',
    gateway              VARCHAR(100),
    payment_terms        JSONB,
    risk_level           VARCHAR(20),
    source_name          VARCHAR(100),
    source_identifier    VARCHAR(255),
    cancelled_at         TIMESTAMPTZ,
    cancel_reason        VARCHAR(50),
    closed_at            TIMESTAMPTZ,
    processed_at         TIMESTAMPTZ,
    created_at_shopify   TIMESTAMPTZ,
    updated_at_shopify   TIMESTAMPTZ,
    fingerprint          BIGINT,
    raw_data             JSONB COMPRESSION lz4,
    validation_status    VARCHAR(20)              DEFAULT 'pending',
    validation_errors    JSONB                    DEFAULT '[]',
    merge_status         VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_orders_run ON pipeline.staging_orders (bulk_run_id);

COMMENT ON TABLE pipeline.staging_orders IS
    'Orders of a bulk run before they are merged into shopify_orders. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_orders.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_orders.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_orders.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_orders.shopify_gid IS 'gid://shopify/Order/123';
COMMENT ON COLUMN pipeline.staging_orders.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_orders.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_orders.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_orders.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_orders.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_orders FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_orders_tenant_isolation ON pipeline.staging_orders
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_orders TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_orders TO neanelu_tenant;
COMMENT ON COLUMN pipeline.staging_orders.customer_gid IS 'GID of the customer; the merge makes customer_id of it';

ALTER TABLE shopify_orders ADD COLUMN fingerprint BIGINT;
COMMENT ON COLUMN shopify_orders.fingerprint IS 'Hash of the Shopify lines that the row was made from; NULL = unknown';
CREATE TRIGGER shopify_orders_fingerprint BEFORE UPDATE ON shopify_orders
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

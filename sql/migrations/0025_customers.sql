-- Customers are loaded: their staging table, their fingerprints (0018), and what folds addresses into a list.

SET LOCAL ROLE neanelu_owner;

CREATE UNLOGGED TABLE pipeline.staging_customers (
    bulk_run_id                  UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id                      UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number                  BIGINT,
    shopify_gid                  VARCHAR(100) COLLATE "C",
    legacy_resource_id           BIGINT,
    email                        CITEXT,
    phone                        VARCHAR(50),
    first_name                   VARCHAR(100),
    last_name                    VARCHAR(100),
    display_name                 VARCHAR(255),
    state                        VARCHAR(20),
    verified_email               BOOLEAN,
    accepts_marketing            BOOLEAN,
    accepts_marketing_updated_at TIMESTAMPTZ,
    marketing_opt_in_level       VARCHAR(30),
    orders_count                 INTEGER,
    total_spent                  DECIMAL(12,2),
    average_order_amount         DECIMAL(12,2),
    currency_code                VARCHAR(3),
    tags                         TEXT[]                   DEFAULT '{}',
    tax_exempt                   BOOLEAN,
    tax_exemptions               TEXT[]                   DEFAULT '{}',
    locale                       VARCHAR(10),
    note                         TEXT,
    default_address              JSONB,
    addresses                    JSONB                    DEFAULT '[]',
    metafields                   JSONB COMPRESSION lz4    DEFAULT '{}',
    created_at_shopify           TIMESTAMPTZ,
    updated_at_shopify           TIMESTAMPTZ,
    fingerprint                  BIGINT,
    raw_data                     JSONB COMPRESSION lz4,
    validation_status            VARCHAR(20)              DEFAULT 'pending',
    validation_errors            JSONB                    DEFAULT '[]',
    merge_status                 VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_customers_run ON pipeline.staging_customers (bulk_run_id);

COMMENT ON TABLE pipeline.staging_customers IS
    'Customers of a bulk run before they are merged into shopify_customers. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_customers.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_customers.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_customers.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_customers.shopify_gid IS 'gid://shopify/Customer/123';
COMMENT ON COLUMN pipeline.staging_customers.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_customers.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_customers.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_customers.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_customers.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_customers FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_customers_tenant_isolation ON pipeline.staging_customers
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_customers TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_customers TO neanelu_tenant;

ALTER TABLE shopify_customers ADD COLUMN fingerprint BIGINT;
COMMENT ON COLUMN shopify_customers.fingerprint IS 'Hash of the Shopify lines that the row was made from; NULL = unknown';
CREATE TRIGGER shopify_customers_fingerprint BEFORE UPDATE ON shopify_customers
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

-- Lines folded into a list --------------------------------------------------------------------------------------------

CREATE FUNCTION pipeline.gid_number(gid TEXT) RETURNS NUMERIC
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN substring(gid FROM '/([0-9]{1,30})(?:[?].*)?$')::numeric;

COMMENT ON FUNCTION pipeline.gid_number(TEXT) IS
    'The number in a GID, by which nodes stand in the order in which Shopify made them';

CREATE FUNCTION pipeline.list_with_kept(present JSONB, come JSONB) RETURNS JSONB
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT COALESCE(jsonb_agg(item ORDER BY pipeline.gid_number(item ->> 'id'), item ->> 'id'), '[]')
        FROM (
            SELECT item FROM jsonb_array_elements(come) AS item
            UNION ALL
            SELECT item
            FROM jsonb_array_elements(CASE jsonb_typeof(present) WHEN 'array' THEN present ELSE '[]' END) AS item
            WHERE NOT EXISTS (
                SELECT FROM jsonb_array_elements(come) AS other WHERE other ->> 'id' = item ->> 'id'
            )
        ) AS every
    );

COMMENT ON FUNCTION pipeline.list_with_kept(JSONB, JSONB) IS
    'The nodes that a damaged file holds, and those of the row that it does not: they may have stood in a damaged line';

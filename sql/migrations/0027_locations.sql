-- Locations are loaded: their staging table and their fingerprints (0018).

SET LOCAL ROLE neanelu_owner;

CREATE UNLOGGED TABLE pipeline.staging_locations (
    bulk_run_id            UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id                UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number            BIGINT,
    shopify_gid            VARCHAR(100) COLLATE "C",
    legacy_resource_id     BIGINT,
    name                   VARCHAR(255),
    address                JSONB,
    is_active              BOOLEAN,
    is_primary             BOOLEAN,
    fulfills_online_orders BOOLEAN,
    fingerprint            BIGINT,
    raw_data               JSONB COMPRESSION lz4,
    validation_status      VARCHAR(20)              DEFAULT 'pending',
    validation_errors      JSONB                    DEFAULT '[]',
    merge_status           VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_locations_run ON pipeline.staging_locations (bulk_run_id);

COMMENT ON TABLE pipeline.staging_locations IS
    'Locations of a bulk run before they are merged into inventory_locations. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_locations.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_locations.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_locations.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_locations.shopify_gid IS 'gid://shopify/Location/123';
COMMENT ON COLUMN pipeline.staging_locations.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_locations.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_locations.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_locations.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_locations.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_locations ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_locations FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_locations_tenant_isolation ON pipeline.staging_locations
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_locations TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_locations TO neanelu_tenant;

ALTER TABLE inventory_locations ADD COLUMN fingerprint BIGINT;
COMMENT ON COLUMN inventory_locations.fingerprint IS 'Hash of the Shopify lines that the row was made from; NULL = unknown';
CREATE TRIGGER inventory_locations_fingerprint BEFORE UPDATE ON inventory_locations
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

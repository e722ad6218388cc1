-- Publications are loaded: their staging table and their fingerprints (0018).

SET LOCAL ROLE neanelu_owner;

CREATE UNLOGGED TABLE pipeline.staging_publications (
    bulk_run_id                UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id                    UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number                BIGINT,
    shopify_gid                VARCHAR(100) COLLATE "C",
    name                       VARCHAR(255),
    catalog_type               VARCHAR(50),
    supports_future_publishing BOOLEAN,
    auto_publish               BOOLEAN,
    is_active                  BOOLEAN,
    fingerprint                BIGINT,
    raw_data                   JSONB COMPRESSION lz4,
    validation_status          VARCHAR(20)              DEFAULT 'pending',
    validation_errors          JSONB                    DEFAULT '[]',
    merge_status               VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_publications_run ON pipeline.staging_publications (bulk_run_id);

COMMENT ON TABLE pipeline.staging_publications IS
    'Publications of a bulk run before they are merged into shopify_publications. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_publications.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_publications.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_publications.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_publications.shopify_gid IS 'gid://shopify/Publication/123';
COMMENT ON COLUMN pipeline.staging_publications.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_publications.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_publications.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_publications.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_publications.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_publications ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_publications FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_publications_tenant_isolation ON pipeline.staging_publications
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_publications TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_publications TO neanelu_tenant;

ALTER TABLE shopify_publications ADD COLUMN fingerprint BIGINT;
COMMENT ON COLUMN shopify_publications.fingerprint IS 'Hash of the Shopify lines that the row was made from; NULL = unknown';
CREATE TRIGGER shopify_publications_fingerprint BEFORE UPDATE ON shopify_publications
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

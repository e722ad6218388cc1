-- Metaobjects are loaded: their staging table, their fingerprints (0018), and what makes their fields an object.
--
-- They come in one result per type. The moment of an export therefore says nothing about the rows of other types, and
-- Shopify's own time of change decides which of two versions is newer.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE shopify_metaobjects ADD COLUMN updated_at_shopify TIMESTAMPTZ;
COMMENT ON COLUMN shopify_metaobjects.updated_at_shopify IS 'When it was last changed in Shopify';
ALTER TABLE shopify_metaobjects ADD COLUMN fingerprint BIGINT;
COMMENT ON COLUMN shopify_metaobjects.fingerprint IS 'Hash of the Shopify lines that the row was made from; NULL = unknown';
CREATE TRIGGER shopify_metaobjects_fingerprint BEFORE UPDATE ON shopify_metaobjects
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

CREATE UNLOGGED TABLE pipeline.staging_metaobjects (
    bulk_run_id        UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id            UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number        BIGINT,
    shopify_gid        VARCHAR(100) COLLATE "C",
    type               VARCHAR(100),
    handle             VARCHAR(255),
    display_name       TEXT,
    fields             JSONB COMPRESSION lz4,
    capabilities       JSONB                    DEFAULT '{}',
    updated_at_shopify TIMESTAMPTZ,
    fingerprint        BIGINT,
    raw_data           JSONB COMPRESSION lz4,
    validation_status  VARCHAR(20)              DEFAULT 'pending',
    validation_errors  JSONB                    DEFAULT '[]',
    merge_status       VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_metaobjects_run ON pipeline.staging_metaobjects (bulk_run_id);

COMMENT ON TABLE pipeline.staging_metaobjects IS
    'Metaobjects of a bulk run before they are merged into shopify_metaobjects. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_metaobjects.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_metaobjects.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_metaobjects.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_metaobjects.shopify_gid IS 'gid://shopify/Metaobject/123';
COMMENT ON COLUMN pipeline.staging_metaobjects.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_metaobjects.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_metaobjects.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_metaobjects.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_metaobjects.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_metaobjects ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_metaobjects FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_metaobjects_tenant_isolation ON pipeline.staging_metaobjects
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_metaobjects TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_metaobjects TO neanelu_tenant;

CREATE FUNCTION pipeline.keyed(items JSONB, key TEXT) RETURNS JSONB
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN (
        SELECT COALESCE(jsonb_object_agg(item ->> key, item - key), '{}') FROM jsonb_array_elements(items) AS item
    );

COMMENT ON FUNCTION pipeline.keyed(JSONB, TEXT) IS
    'A list of objects as one object, by what each holds under the key: [{key, type, value}] as {key: {type, value}}';

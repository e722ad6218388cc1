-- Collections are loaded: their staging table, and fingerprints as products have them (0018).

SET LOCAL ROLE neanelu_owner;

CREATE UNLOGGED TABLE pipeline.staging_collections (
    bulk_run_id        UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id            UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number        BIGINT,
    shopify_gid        VARCHAR(100) COLLATE "C",
    legacy_resource_id BIGINT,
    title              TEXT,
    handle             VARCHAR(255),
    description        TEXT COMPRESSION lz4,
    description_html   TEXT COMPRESSION lz4,
    collection_type    VARCHAR(20),
    sort_order         VARCHAR(50),
    rules              JSONB,
    disjunctive        BOOLEAN,
    seo                JSONB,
    image_url          TEXT,
    products_count     INTEGER,
    template_suffix    VARCHAR(100),
    published_at       TIMESTAMPTZ,
    fingerprint        BIGINT,
    raw_data           JSONB COMPRESSION lz4,
    validation_status  VARCHAR(20)              DEFAULT 'pending',
    validation_errors  JSONB                    DEFAULT '[]',
    merge_status       VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_collections_run ON pipeline.staging_collections (bulk_run_id);

COMMENT ON TABLE pipeline.staging_collections IS
    'Collections of a bulk run before they are merged into shopify_collections. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_collections.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_collections.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_collections.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_collections.shopify_gid IS 'gid://shopify/Collection/123';
COMMENT ON COLUMN pipeline.staging_collections.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_collections.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_collections.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_collections.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_collections.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_collections ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_collections FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_collections_tenant_isolation ON pipeline.staging_collections
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_collections TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_collections TO neanelu_tenant;

ALTER TABLE shopify_collections ADD COLUMN fingerprint BIGINT;
COMMENT ON COLUMN shopify_collections.fingerprint IS 'Hash of the Shopify lines that the row was made from; NULL = unknown';
CREATE TRIGGER shopify_collections_fingerprint BEFORE UPDATE ON shopify_collections
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

-- A collection's fingerprint covers its members. Whoever else changes them makes it unknown; so does a product that goes.
CREATE FUNCTION forget_fingerprint_of_collection() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE public.shopify_collections SET fingerprint = NULL
    WHERE id IN (SELECT collection_id FROM changed_rows) AND fingerprint IS NOT NULL;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION forget_fingerprint_of_collection() IS
    'Makes the fingerprint of collections unknown whose members change';

CREATE TRIGGER shopify_collection_products_fingerprint_insert AFTER INSERT ON shopify_collection_products
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_collection();
CREATE TRIGGER shopify_collection_products_fingerprint_update_from AFTER UPDATE ON shopify_collection_products
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_collection();
CREATE TRIGGER shopify_collection_products_fingerprint_update_to AFTER UPDATE ON shopify_collection_products
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_collection();
CREATE TRIGGER shopify_collection_products_fingerprint_delete AFTER DELETE ON shopify_collection_products
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_collection();

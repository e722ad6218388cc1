-- Files are loaded: their staging table, and a fingerprint of their own in the table that they share with products'
-- media. A file that is no medium (a document) is a row as well.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE shopify_media DROP CONSTRAINT shopify_media_media_type_check;
ALTER TABLE shopify_media ADD CONSTRAINT shopify_media_media_type_check
    CHECK (media_type IN ('IMAGE', 'VIDEO', 'MODEL_3D', 'EXTERNAL_VIDEO', 'GENERIC_FILE'));
COMMENT ON COLUMN shopify_media.media_type IS 'IMAGE/VIDEO/MODEL_3D/EXTERNAL_VIDEO/GENERIC_FILE';

ALTER TABLE shopify_media ADD COLUMN file_fingerprint BIGINT;
COMMENT ON COLUMN shopify_media.file_fingerprint IS
    'As fingerprint, of the line that the shop''s list of files has of it; NULL = unknown';

CREATE FUNCTION forget_file_fingerprint() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.file_fingerprint := NULL;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION forget_file_fingerprint() IS
    'Makes the fingerprint of a file''s line unknown when somebody else changes the row';

CREATE TRIGGER shopify_media_file_fingerprint BEFORE UPDATE ON shopify_media
    FOR EACH ROW WHEN (NEW.file_fingerprint = OLD.file_fingerprint
                       AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_file_fingerprint();

-- A merge that changes what both lines tell brings one fingerprint; the other is of what was there before.
CREATE FUNCTION forget_other_fingerprint() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.fingerprint = OLD.fingerprint THEN
        NEW.fingerprint := NULL;
    END IF;
    IF NEW.file_fingerprint = OLD.file_fingerprint THEN
        NEW.file_fingerprint := NULL;
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION forget_other_fingerprint() IS
    'Makes that fingerprint of a medium unknown which a merge of the other resource''s lines did not bring';

CREATE TRIGGER shopify_media_other_fingerprint BEFORE UPDATE ON shopify_media
    FOR EACH ROW WHEN (current_setting('app.mirror_merge', true) = 'on'
                       AND (NEW.media_type, NEW.alt, NEW.status, NEW.url, NEW.width, NEW.height, NEW.sources, NEW.metadata)
                           IS DISTINCT FROM
                           (OLD.media_type, OLD.alt, OLD.status, OLD.url, OLD.width, OLD.height, OLD.sources, OLD.metadata))
    EXECUTE FUNCTION forget_other_fingerprint();

CREATE UNLOGGED TABLE pipeline.staging_files (
    bulk_run_id        UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id            UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number        BIGINT,
    shopify_gid        VARCHAR(100) COLLATE "C",
    legacy_resource_id BIGINT,
    media_type         VARCHAR(30),
    alt                TEXT,
    status             VARCHAR(20),
    mime_type          VARCHAR(100),
    file_size          BIGINT,
    width              INTEGER,
    height             INTEGER,
    duration           INTEGER,
    url                TEXT,
    sources            JSONB                    DEFAULT '[]',
    metadata           JSONB                    DEFAULT '{}',
    created_at_shopify TIMESTAMPTZ,
    fingerprint        BIGINT,
    raw_data           JSONB COMPRESSION lz4,
    validation_status  VARCHAR(20)              DEFAULT 'pending',
    validation_errors  JSONB                    DEFAULT '[]',
    merge_status       VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_files_run ON pipeline.staging_files (bulk_run_id);

COMMENT ON TABLE pipeline.staging_files IS
    'Files of a bulk run before they are merged into shopify_media. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_files.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_files.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_files.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_files.shopify_gid IS 'gid://shopify/MediaImage/123';
COMMENT ON COLUMN pipeline.staging_files.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_files.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_files.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_files.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_files.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_files ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_files FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_files_tenant_isolation ON pipeline.staging_files
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_files TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_files TO neanelu_tenant;

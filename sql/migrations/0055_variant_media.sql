-- Variants' media are loaded: each variant's media as one set, which the document's table of links is unfolded from, and
-- the staging table of the sets.

SET LOCAL ROLE neanelu_owner;

-- sets --------------------------------------------------------------------------------------------

CREATE TABLE pipeline.variant_media (
    id          UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id     UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid VARCHAR(100) COLLATE "C" NOT NULL,
    variant_id  UUID,
    media       JSONB                    DEFAULT '{}' NOT NULL,
    synced_at   TIMESTAMPTZ              DEFAULT now(),
    created_at  TIMESTAMPTZ              DEFAULT now(),
    updated_at  TIMESTAMPTZ              DEFAULT now(),
    fingerprint BIGINT
);

CREATE UNIQUE INDEX idx_variant_media_shop_gid ON pipeline.variant_media (shop_id, shopify_gid);
CREATE INDEX idx_variant_media_variant ON pipeline.variant_media (variant_id);

COMMENT ON TABLE pipeline.variant_media IS
    'Which media each variant shows, as Shopify last said it; shopify_variant_media holds the same as rows.';
COMMENT ON COLUMN pipeline.variant_media.id IS 'Primary key';
COMMENT ON COLUMN pipeline.variant_media.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.variant_media.shopify_gid IS 'gid://shopify/ProductVariant/123';
COMMENT ON COLUMN pipeline.variant_media.variant_id IS 'The variant; NULL until the mirror has it';
COMMENT ON COLUMN pipeline.variant_media.media IS 'By the medium''s GID: {media_gid, media_id}';
COMMENT ON COLUMN pipeline.variant_media.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN pipeline.variant_media.created_at IS 'When the row was created here';
COMMENT ON COLUMN pipeline.variant_media.updated_at IS 'When the row was last changed here';
COMMENT ON COLUMN pipeline.variant_media.fingerprint IS
    'Hash of the Shopify lines that the row was made from; NULL = unknown';

ALTER TABLE pipeline.variant_media ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.variant_media FORCE ROW LEVEL SECURITY;
CREATE POLICY variant_media_tenant_isolation ON pipeline.variant_media
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON pipeline.variant_media TO neanelu_pipeline;
GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline.variant_media TO neanelu_tenant;

CREATE TRIGGER variant_media_fingerprint BEFORE UPDATE ON pipeline.variant_media
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

-- Shopify gives media no position and promises no order of lines. So it is made, as for the links of a products file: by
-- the number in the GID, which is the order of upload. A medium that is not in the mirror (any more) has none.
CREATE FUNCTION pipeline.media_in_order(media JSONB) RETURNS TABLE (media_id UUID, place INTEGER)
    LANGUAGE sql STABLE
AS $$
    SELECT m.media_id,
           (row_number() OVER (ORDER BY pipeline.gid_number(one.key), one.key) - 1)::integer
      FROM jsonb_each(media) AS one
      JOIN public.shopify_media AS m ON m.media_id = (one.value ->> 'media_id')::uuid
$$;

COMMENT ON FUNCTION pipeline.media_in_order(JSONB) IS 'The media of a variant''s set that the mirror has, with their positions';

-- A variant that goes takes its set with it.
CREATE FUNCTION pipeline.forget_variant_media() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM pipeline.variant_media o
     USING removed
     WHERE o.shop_id = removed.shop_id
       AND o.variant_id = removed.id;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pipeline.forget_variant_media() IS 'Removes which media a removed variant showed';

CREATE TRIGGER shopify_variants_media AFTER DELETE ON shopify_variants
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION pipeline.forget_variant_media();

-- So does a set with its links: Shopify has no such variant any more, though the mirror may still have it.
CREATE FUNCTION pipeline.unlink_variant_media() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM public.shopify_variant_media l
     USING removed
     WHERE l.shop_id = removed.shop_id
       AND l.variant_id = removed.variant_id;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pipeline.unlink_variant_media() IS 'Removes the links of a variant whose set of media is removed';

CREATE TRIGGER variant_media_links AFTER DELETE ON pipeline.variant_media
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION pipeline.unlink_variant_media();

-- A set's fingerprint covers its links. Whoever makes them other than the set says makes it unknown: also a medium that
-- goes, whose link goes with it.
CREATE FUNCTION forget_fingerprint_of_variant_media() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE pipeline.variant_media o SET fingerprint = NULL
     WHERE o.variant_id IN (SELECT variant_id FROM changed_rows)
       AND o.fingerprint IS NOT NULL
       AND (SELECT jsonb_object_agg(s.media_id, s.place) FROM pipeline.media_in_order(o.media) s)
           IS DISTINCT FROM
           (SELECT jsonb_object_agg(l.media_id, l.position)
              FROM public.shopify_variant_media l
             WHERE l.variant_id = o.variant_id);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION forget_fingerprint_of_variant_media() IS
    'Makes the fingerprint of a variant''s set of media unknown whose links are not what it says';

CREATE TRIGGER variant_media_set_insert AFTER INSERT ON shopify_variant_media
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION forget_fingerprint_of_variant_media();
CREATE TRIGGER variant_media_set_update_from AFTER UPDATE ON shopify_variant_media
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION forget_fingerprint_of_variant_media();
CREATE TRIGGER variant_media_set_update_to AFTER UPDATE ON shopify_variant_media
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION forget_fingerprint_of_variant_media();
CREATE TRIGGER variant_media_set_delete AFTER DELETE ON shopify_variant_media
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION forget_fingerprint_of_variant_media();

-- staging -----------------------------------------------------------------------------------------

CREATE UNLOGGED TABLE pipeline.staging_variant_media (
    bulk_run_id       UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id           UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number       BIGINT,
    shopify_gid       VARCHAR(100) COLLATE "C",
    fingerprint       BIGINT,
    raw_data          JSONB COMPRESSION lz4,
    validation_status VARCHAR(20)              DEFAULT 'pending',
    validation_errors JSONB                    DEFAULT '[]',
    merge_status      VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_variant_media_run ON pipeline.staging_variant_media (bulk_run_id);

COMMENT ON TABLE pipeline.staging_variant_media IS
    'Variants of a bulk run whose media are merged into pipeline.variant_media. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_variant_media.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_variant_media.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_variant_media.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_variant_media.shopify_gid IS 'gid://shopify/ProductVariant/123';
COMMENT ON COLUMN pipeline.staging_variant_media.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_variant_media.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_variant_media.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_variant_media.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_variant_media.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_variant_media ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_variant_media FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_variant_media_tenant_isolation ON pipeline.staging_variant_media
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- Staging is filled, judged and emptied by the pipeline; the tenant merges what stands in it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_variant_media TO neanelu_pipeline;
GRANT SELECT ON pipeline.staging_variant_media TO neanelu_tenant;

-- Where products are published is loaded: each product's publications as one set, which the document's table of single
-- publications is unfolded from, and the staging table of the sets.

SET LOCAL ROLE neanelu_owner;

-- sets --------------------------------------------------------------------------------------------

CREATE TABLE pipeline.product_publications (
    id           UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id      UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid  VARCHAR(100) COLLATE "C" NOT NULL,
    product_id   UUID,
    publications JSONB                    DEFAULT '{}' NOT NULL,
    synced_at    TIMESTAMPTZ              DEFAULT now(),
    created_at   TIMESTAMPTZ              DEFAULT now(),
    updated_at   TIMESTAMPTZ              DEFAULT now(),
    fingerprint  BIGINT
);

CREATE UNIQUE INDEX idx_product_publications_shop_gid ON pipeline.product_publications (shop_id, shopify_gid);
CREATE INDEX idx_product_publications_product ON pipeline.product_publications (product_id);

COMMENT ON TABLE pipeline.product_publications IS
    'What each product is published in, as Shopify last said it; shopify_resource_publications holds the same as rows.';
COMMENT ON COLUMN pipeline.product_publications.id IS 'Primary key';
COMMENT ON COLUMN pipeline.product_publications.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.product_publications.shopify_gid IS 'gid://shopify/Product/123';
COMMENT ON COLUMN pipeline.product_publications.product_id IS 'The product; NULL until the mirror has it';
COMMENT ON COLUMN pipeline.product_publications.publications IS
    'By the publication''s GID: {publication_gid, publication_id, is_published, publish_date}';
COMMENT ON COLUMN pipeline.product_publications.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN pipeline.product_publications.created_at IS 'When the row was created here';
COMMENT ON COLUMN pipeline.product_publications.updated_at IS 'When the row was last changed here';
COMMENT ON COLUMN pipeline.product_publications.fingerprint IS
    'Hash of the Shopify lines that the row was made from; NULL = unknown';

ALTER TABLE pipeline.product_publications ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.product_publications FORCE ROW LEVEL SECURITY;
CREATE POLICY product_publications_tenant_isolation ON pipeline.product_publications
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON pipeline.product_publications TO neanelu_pipeline;
GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline.product_publications TO neanelu_tenant;

CREATE TRIGGER product_publications_fingerprint BEFORE UPDATE ON pipeline.product_publications
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

-- A product that goes takes its set with it, and the rows too: resource_id has no foreign key, since it may be a
-- collection's, and the set is no row under the product but what was said of it.
CREATE FUNCTION pipeline.unpublish() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM public.shopify_resource_publications r
     USING removed
     WHERE r.shop_id = removed.shop_id
       AND r.resource_type = 'Product'
       AND r.resource_id = removed.id;
    DELETE FROM pipeline.product_publications p
     USING removed
     WHERE p.shop_id = removed.shop_id
       AND p.product_id = removed.id;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pipeline.unpublish() IS 'Removes where a removed product was published';

CREATE TRIGGER shopify_products_unpublish AFTER DELETE ON shopify_products
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION pipeline.unpublish();

-- A set's fingerprint covers its rows. Whoever else changes them makes it unknown.
CREATE FUNCTION forget_fingerprint_of_publications() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE pipeline.product_publications SET fingerprint = NULL
    WHERE product_id IN (SELECT resource_id FROM changed_rows) AND fingerprint IS NOT NULL;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION forget_fingerprint_of_publications() IS
    'Makes the fingerprint of products'' publications unknown whose rows change';

CREATE TRIGGER resource_publications_fingerprint_insert AFTER INSERT ON shopify_resource_publications
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_publications();
CREATE TRIGGER resource_publications_fingerprint_update_from AFTER UPDATE ON shopify_resource_publications
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_publications();
CREATE TRIGGER resource_publications_fingerprint_update_to AFTER UPDATE ON shopify_resource_publications
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_publications();
CREATE TRIGGER resource_publications_fingerprint_delete AFTER DELETE ON shopify_resource_publications
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_publications();

-- staging -----------------------------------------------------------------------------------------

CREATE UNLOGGED TABLE pipeline.staging_product_publications (
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

CREATE INDEX idx_staging_product_publications_run ON pipeline.staging_product_publications (bulk_run_id);

COMMENT ON TABLE pipeline.staging_product_publications IS
    'Products of a bulk run whose publications are merged into pipeline.product_publications. Unlogged: empty after a '
    'crash.';
COMMENT ON COLUMN pipeline.staging_product_publications.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_product_publications.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_product_publications.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_product_publications.shopify_gid IS 'gid://shopify/Product/123';
COMMENT ON COLUMN pipeline.staging_product_publications.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_product_publications.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_product_publications.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_product_publications.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_product_publications.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_product_publications ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_product_publications FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_product_publications_tenant_isolation ON pipeline.staging_product_publications
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_product_publications TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_product_publications TO neanelu_tenant;

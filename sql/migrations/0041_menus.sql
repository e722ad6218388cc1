-- Menus are loaded: their staging table, and fingerprints as products have them (0018). A menu's items come within it.

SET LOCAL ROLE neanelu_owner;

CREATE UNLOGGED TABLE pipeline.staging_menus (
    bulk_run_id       UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id           UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number       BIGINT,
    shopify_gid       VARCHAR(100) COLLATE "C",
    title             TEXT,
    handle            VARCHAR(255),
    items             JSONB COMPRESSION lz4,
    fingerprint       BIGINT,
    raw_data          JSONB COMPRESSION lz4,
    validation_status VARCHAR(20)              DEFAULT 'pending',
    validation_errors JSONB                    DEFAULT '[]',
    merge_status      VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_menus_run ON pipeline.staging_menus (bulk_run_id);

COMMENT ON TABLE pipeline.staging_menus IS
    'Menus of a run before they are merged into shopify_menus. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_menus.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_menus.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_menus.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_menus.shopify_gid IS 'gid://shopify/Menu/123';
COMMENT ON COLUMN pipeline.staging_menus.items IS 'Its items, lists within lists; the merge makes rows of shopify_menu_items of them';
COMMENT ON COLUMN pipeline.staging_menus.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_menus.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_menus.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_menus.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_menus.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_menus ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_menus FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_menus_tenant_isolation ON pipeline.staging_menus
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_menus TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_menus TO neanelu_tenant;

CREATE FUNCTION pipeline.menu_items(items JSONB)
    RETURNS TABLE (gid TEXT, parent_gid TEXT, place INTEGER, depth INTEGER, titles TEXT[], item JSONB)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
WITH RECURSIVE tree AS (
    SELECT i.value ->> 'id' AS gid, NULL::text AS parent_gid, i.ordinality::integer - 1 AS place, 1 AS depth,
           ARRAY[i.value ->> 'title'] AS titles, i.value AS item
      FROM jsonb_array_elements(COALESCE(NULLIF(items, 'null'), '[]')) WITH ORDINALITY AS i
    UNION ALL
    SELECT i.value ->> 'id', tree.gid, i.ordinality::integer - 1, tree.depth + 1,
           tree.titles || (i.value ->> 'title'), i.value
      FROM tree
     CROSS JOIN LATERAL jsonb_array_elements(COALESCE(NULLIF(tree.item -> 'items', 'null'), '[]')) WITH ORDINALITY AS i
)
SELECT gid, parent_gid, place, depth, titles, item - 'items' FROM tree
$$;

COMMENT ON FUNCTION pipeline.menu_items(JSONB) IS
    'Every item of a menu: its place among its siblings from 0, its depth from 1, and the titles on the way to it';

ALTER TABLE shopify_menus ADD COLUMN fingerprint BIGINT;
COMMENT ON COLUMN shopify_menus.fingerprint IS 'Hash of the Shopify lines that the row was made from; NULL = unknown';
CREATE TRIGGER shopify_menus_fingerprint BEFORE UPDATE ON shopify_menus
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

-- A menu's fingerprint covers its items. Whoever else changes them makes it unknown.
CREATE FUNCTION forget_fingerprint_of_menu() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE public.shopify_menus SET fingerprint = NULL
    WHERE id IN (SELECT menu_id FROM changed_rows) AND fingerprint IS NOT NULL;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION forget_fingerprint_of_menu() IS 'Makes the fingerprint of menus unknown whose items change';

CREATE TRIGGER shopify_menu_items_fingerprint_insert AFTER INSERT ON shopify_menu_items
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_menu();
CREATE TRIGGER shopify_menu_items_fingerprint_update_from AFTER UPDATE ON shopify_menu_items
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_menu();
CREATE TRIGGER shopify_menu_items_fingerprint_update_to AFTER UPDATE ON shopify_menu_items
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_menu();
CREATE TRIGGER shopify_menu_items_fingerprint_delete AFTER DELETE ON shopify_menu_items
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_menu();
